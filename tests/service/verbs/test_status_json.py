"""``status --json``: the facts of a service and its processes."""

import errno
import os
from typing import NoReturn

import psutil
import pytest
from kit.children import ended
from kit.schema import answer

from ssd import answers
from ssd.matching import Process
from ssd.service.cli import main
from ssd.service.outcome import Outcome
from ssd.service.verbs import looks
from ssd.service.verbs.status_json import detailed
from ssd.testing import FakeProcesses


def test_json_has_all_facts_of_a_process_and_its_children(services) -> None:
    """All that psutil knows, except the facts that are left out on purpose."""
    pipe = services.directory / "pipe"
    os.mkfifo(pipe)
    services.declare(
        f'executable = "/bin/sh"\narguments = ["-c", "cat {pipe}; :"]\n'
        'limits = {nofile = "100:200"}\n'
    )
    services.expect(0, "nap", "start")
    with pipe.open("w"):  # cat has opened it, so it runs
        told = answer(services.expect(0, "nap", "status", "--json"))
        known = psutil.Process(services.pid).as_dict()
    assert ("nap", "running", 0) == (told["name"], told["state"], told["status"])
    (process,) = told["processes"]
    assert (services.pid, "sh") == (process["pid"], process["name"])
    assert process["memory_info"]["rss"] > 0
    assert abs(process["started_at"] - process["create_time"]) < 1
    assert ("pid", False) == (process["matched_by"], process["ended"])
    assert [["cat", str(pipe)]] == [each["cmdline"] for each in process["children"]]
    left_out = {"environ", "memory_maps", "cpu_percent", "net_connections"}
    assert left_out >= {*known} - {*process}
    assert [100, 200] == process["limits"]["nofile"]
    services.expect(0, "nap", "stop")
    told = answer(services.expect(3, "nap", "status", "--json"))
    assert ("stopped", []) == (told["state"], told["processes"])


@pytest.mark.parametrize("fact", ["num_fds", "oneshot"])
def test_facts_without_descriptors_are_an_error_not_null(
    services, fact, monkeypatch, capfd
) -> None:
    """null means that the caller may not read it; a lack of descriptors is status 4."""

    def fail(_process: psutil.Process, *_: object) -> NoReturn:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    services.declare()
    services.expect(0, "nap", "start")
    with ended(services.pid):
        monkeypatch.setattr(psutil.Process, fact, fail)
        monkeypatch.setattr(os, "environ", dict(os.environ))
        status = main(
            ["ssd-service", f"--directory={services.directory}", "nap", "status", "--json"]
        )
    told, complaint = capfd.readouterr()
    assert (4, "unknown") == (status, answer(told)["state"])
    assert "Too many open files" in answer(told)["error"]
    assert "Too many open files" in complaint


def test_facts_of_a_fake_process_are_not_those_of_a_real_one(tmp_path, monkeypatch, capfd) -> None:
    """A real process may have the same pid; its facts are not shown."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "environ", dict(os.environ))
    table = FakeProcesses(pid_max=2**22)
    table.add("sleep", pid=os.getpid())
    (tmp_path / "nap.toml").write_text(f'pidfile = "{tmp_path}/pid"\n')
    (tmp_path / "pid").write_text(f"{os.getpid()}\n")
    argv = ["ssd-service", f"--directory={tmp_path}", "nap", "status", "--json"]
    assert 0 == main(argv, table)
    (process,) = answer(capfd.readouterr().out)["processes"]
    assert [os.getpid(), "sleep", None] == [process[key] for key in ("pid", "name", "started_at")]
    assert {"cmdline", "matched_by", "ended", "start_time"} == set(process) - {
        "pid", "name", "started_at",
    }  # fmt: skip


def test_facts_of_a_supervisor_are_an_answer_too() -> None:
    """Of a process that it says it has, and that has just ended."""
    seen = looks.look("running", [Process(2**22, 5)], "supervisor")
    outcome = Outcome("web", "status", "nothing", 0, before=seen, after=seen)
    (process,) = answer(answers.text(detailed(outcome)))["processes"]
    assert (2**22, "supervisor", True) == (process["pid"], process["matched_by"], process["ended"])


def test_plan_of_a_status_has_no_facts_of_psutil(services) -> None:
    """It is for whoever looks at many services."""
    services.declare('executable = "/bin/sleep"\narguments = ["1000"]\n')
    services.expect(0, "nap", "start")
    told = answer(services.expect(0, "nap", "status", "--json", "--plan"))
    (process,) = told["processes"]
    assert (services.pid, False) == (process["pid"], "create_time" in process)
    assert told["before"]["processes"] == told["processes"]
