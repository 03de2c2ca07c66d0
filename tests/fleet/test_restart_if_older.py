"""The parameter if_older_than of ssd.daemon.service: restarts that can be repeated."""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kit.managed import Managed, result

pytestmark = [pytest.mark.fleet, pytest.mark.requires_namespaces]


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Managed]:
    """Yield a machine on which nap runs."""
    with Managed(tmp_path) as made:
        made.declare()
        assert 0 == made.ssd("nap", "start").status
        yield made


def restart(host: Managed, *values: Any, **options: Any) -> dict[str, Any]:
    """Restart nap if it is older than some of these."""
    return host.module(
        "service", name="nap", state="restarted", if_older_than=list(values), **options
    )


def written(host: Managed, name: str, seconds: float) -> Path:
    """Write a file so many seconds after the start of nap."""
    file = host.directory / name
    file.touch()
    began = host.module("service", name="nap", state="started")["before"]["processes"][0]
    os.utime(file, (0, began["started_at"] + seconds))
    return file


def is_restarted(host: Managed, *values: Any) -> bool:
    """Restart nap if needed; tell whether it was, which check mode must have known."""
    old = host.pid()
    planned, done = restart(host, *values, check=True), restart(host, *values)
    assert not planned.get("failed") and not done.get("failed"), done
    assert planned["changed"] == done["changed"] == (old != host.pid())
    assert [host.pid()] == [each["pid"] for each in done["after"]["processes"]]
    assert ("nothing", 0) == (done["outcome"], done["rc"]) or done["changed"]
    return bool(done["changed"])


@pytest.mark.parametrize(("seconds", "restarted"), [(-5, False), (5, True)])
def test_path_counts_by_its_time(host: Managed, seconds: int, restarted: bool) -> None:
    """A file that is newer than the process restarts it."""
    assert restarted == is_restarted(host, str(written(host, "conf", seconds)))


def test_same_hundredth_of_a_second_is_older(host: Managed) -> None:
    """The start is known to that only: a file that it may not have read must not be missed."""
    file = written(host, "conf", 0)
    (process,) = host.module("service", name="nap", state="started")["before"]["processes"]
    os.utime(file, (0, process["started_at"] - 0.004))
    assert restart(host, str(file))["changed"]
    assert not restart(host, str(file))["changed"]


def test_newest_of_a_list_counts(host: Managed) -> None:
    """Numbers and paths may be mixed, also in one word with commas."""
    old, new = written(host, "old", -5), written(host, "new", 5)
    assert not is_restarted(host, 1, "2.5", str(old))
    assert is_restarted(host, 1, str(old), str(new))
    told = host.module("service", name="nap", state="restarted", if_older_than=f"1,{old}")
    assert not told["changed"]


@pytest.mark.parametrize("kind", [int, float, str])
def test_time_in_seconds_counts(host: Managed, kind: type) -> None:
    """An integer, a fraction, or their digits, as YAML and Jinja give them."""
    began = host.module("service", name="nap", state="started")["before"]["processes"][0]
    moment = began["started_at"]
    assert not is_restarted(host, kind(int(moment) - 1))
    assert is_restarted(host, kind(int(moment) + 1))


def test_repeated_task_restarts_once(host: Managed) -> None:
    """A rollout that is resumed with the time at which it began restarts the rest alone."""
    began = time.time()
    assert [True, False, False] == [restart(host, began)["changed"] for _ in range(3)]


def test_link_counts_when_it_is_set_anew(host: Managed) -> None:
    """As a release that is older is switched back to."""
    release, link = written(host, "release", -1000), host.directory / "current"
    link.symlink_to(release)
    os.utime(link, (0, 0), follow_symlinks=False)
    assert not is_restarted(host, str(link))
    link.unlink()
    link.symlink_to(release)
    os.utime(link, (0, os.stat(host.directory / "nap.pid").st_mtime + 5), follow_symlinks=False)
    assert is_restarted(host, str(link))


@pytest.mark.parametrize("check", [True, False])
def test_service_that_does_not_run_is_started(host: Managed, check: bool) -> None:
    """A rollout may have been interrupted between its stop and its start."""
    assert 0 == host.ssd("nap", "stop").status
    told = restart(host, 1, check=check)
    assert (True, "running") == (told["changed"], told["after"]["state"])


def test_two_tasks_at_once_restart_once(host: Managed) -> None:
    """They wait for each other, also those of two controllers."""
    began = time.time()
    arguments = {"name": "nap", "state": "restarted", "if_older_than": [began]}
    words = host.words("service", arguments, {})
    done = host.at_once(*[words] * 4, PYTHONPATH=str(host.collections))
    told = [result(each) for each in done]
    assert [False, False, False, True] == sorted(each["changed"] for each in told)
    assert {host.pid()} == {row["pid"] for each in told for row in each["after"]["processes"]}


def test_verb_holds_the_lock_when_its_task_is_killed(host: Managed) -> None:
    """A rollout that is resumed at once waits for it. Neither hooks nor daemons hold it longer."""
    begun, go, over = (host.directory / name for name in ("begun", "go", "over"))
    for fifo in (begun, go, over):
        os.mkfifo(fifo)
    host.declare(
        f'after_stop = "echo > {begun}; cat {go}"\nafter_start = "sleep 1000 & echo > {over}"\n'
    )
    lock, began = "/run/ssd-ansible-nap.lock", time.time()
    arguments = {"name": "nap", "state": "restarted", "if_older_than": [began]}
    words = host.words("service", arguments, {})
    script = (
        f'"$@" & cat {begun}; kill -s KILL $!; wait $!; flock -n {lock} true && echo free; '
        f"echo > {go}; cat {over}; flock {lock} echo given back"
    )
    done = host.run("/bin/sh", "-c", script, "sh", *words, PYTHONPATH=str(host.collections))
    assert "given back" == done.out.strip(), done
    assert not restart(host, began)["changed"]


def test_check_mode_makes_no_lock(host: Managed) -> None:
    """It changes nothing; the real run leaves an empty file that nobody else may open."""
    lock = "/run/ssd-ansible-nap.lock" if os.geteuid() == 0 else "/run"
    restart(host, 1, check=True)
    assert 0 != host.run("/bin/ls", lock).status or os.geteuid() != 0
    restart(host, 1)
    assert host.run("/bin/ls", "-l", lock).out.startswith("-rw------- 1 root root 0 ")


def test_time_that_is_ahead_is_a_warning(host: Managed) -> None:
    """The clock of the controller may be ahead: the restart may happen again."""
    told = restart(host, time.time() + 1000)
    assert told["changed"]
    assert any("later than the clock of this host" in str(each) for each in told["warnings"])


@pytest.mark.parametrize("check", [True, False])
@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        ("/no/such/file", "No such file or directory"),
        ("etc/nap.conf", "neither an absolute path nor seconds since the epoch"),
        (True, "neither a path nor seconds since the epoch"),
        ({"path": "/etc"}, "neither a path nor seconds since the epoch"),
        ("yesterday", "neither an absolute path nor seconds since the epoch"),
        (-1, "no time in seconds since the epoch"),
        ("nan", "no time in seconds since the epoch"),
        (1700000000000, "more than a day ahead: seconds since the epoch"),
    ],
    ids=str,
)
def test_wrong_value_is_refused(host: Managed, value: object, complaint: str, check: bool) -> None:
    """Nothing is done, and the message has the value; in check mode, too."""
    old = host.pid()
    told = restart(host, 1, value, check=check)
    assert (True, False, 2) == (told["failed"], told["changed"], told["rc"])
    assert f"if_older_than: {value!r}" in told["msg"]
    assert complaint in told["msg"]
    assert old == host.pid()


def test_unknown_service_fails(host: Managed) -> None:
    """As without the parameter."""
    for check in (True, False):
        told = host.module(
            "service", name="nape", state="restarted", if_older_than=[1], check=check
        )
        assert told["failed"] and "nape" in told["msg"]
