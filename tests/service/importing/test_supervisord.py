"""A whole configuration of supervisord: names, order, and what is left out."""

from pathlib import Path

import pytest

from ssd.service import DeclarationError
from ssd.service.importing import supervisord

from .conftest import Tell


def program(name: str, *lines: str) -> str:
    """Return the section of a program."""
    return "\n".join([f"[program:{name}]", "command=/bin/cat", *lines, ""])


def test_lower_priority_comes_first(imported: Tell) -> None:
    """Groups after groups, and within a group programs after programs."""
    services, _ = imported(
        program("db", "priority=1") + program("web") + program("a", "priority=5")
        + program("b", "priority=7") + "[group:g]\nprograms=a,b\npriority=2\n"
    )  # fmt: skip
    order = {name: service.after for name, service in services.items()}
    assert {"db": [], "a": ["db"], "b": ["a"], "web": ["a", "b"]} == order


def test_equal_priorities_have_no_order(imported: Tell) -> None:
    """supervisord's own order is that of the names, which no one relies on."""
    services, _ = imported(program("a") + program("b"))
    assert [[], []] == [service.after for service in services.values()]


def test_names_are_those_of_files_and_differ(imported: Tell) -> None:
    """A dot would hide a file from ssd-service; equal names get that of their program."""
    services, notes = imported(
        program("my.app") + program("a", "process_name=one") + program("b", "process_name=one")
        + program("w", "process_name=%(process_num)d")
    )  # fmt: skip
    assert {"my-app", "a-one", "b-one", "w-0"} == {*services}
    assert {"my.app:my.app is my-app", "w:0 is w-0"} <= {note.split(": ")[2] for note in notes}


def test_names_that_cannot_differ_are_an_error(imported: Tell) -> None:
    """Instead of a declaration that is lost."""
    with pytest.raises(DeclarationError, match="two processes would be named a-b"):
        imported(program("a.b") + program("a-b"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[eventlistener:m]\ncommand=x\nevents=TICK_5\n", "s.conf:2: [eventlistener:m]: not imp"),
        ("[fcgi-program:f]\ncommand=x\nsocket=tcp://x:1\n", "s.conf:2: [fcgi-program:f]: not imp"),
        ("[inet_http_server]\nport=9001\n", "s.conf:2: [inet_http_server]: there is no HTTP"),
        ("[rpcinterface:x]\nsupervisor.rpcinterface_factory=a:b\n", "s.conf:2: [rpcinterface:x]"),
        ("minfds=9999\n", "s.conf:2: minfds: write limits"),
        ("unmask=0\n", "s.conf:2: unmask: supervisord has no such option, and ignores it; did you"),
        ("logfile=/x\n", "s.conf:2: logfile: ssd-supervise writes"),
        ("[include]\nfiles=none.d/*.conf\n", "s.conf:3: files: no file is none.d/*.conf"),
    ],
)
def test_rest_of_the_file_is_named(text: str, said: str, imported: Tell) -> None:
    """Whatever has an effect under supervisord and none here."""
    services, notes = imported(f"{text}{program('x')}")
    assert (["x"], 1) == ([*services], len(notes))
    assert notes[0].startswith(said), notes


def test_plain_servers_need_no_words(imported: Tell) -> None:
    """What every supervisord.conf has: the socket, supervisorctl and its interface."""
    _, notes = imported(
        "nodaemon=true\nuser=root\nminfds=1024\nminprocs=200\n[unix_http_server]\nfile=/run/s.sock\n[supervisorctl]\nserverurl=unix:///run/s.sock\n"
        "[rpcinterface:supervisor]\n"
        f"supervisor.rpcinterface_factory={supervisord.PLAIN_INTERFACE}\n" + program("x")
    )
    assert [] == notes


@pytest.mark.parametrize("text", ["minfds=many\n", "[group:g]\nprograms=x\npriority=high\n"])
def test_number_that_is_none_is_an_error(text: str, imported: Tell) -> None:
    """With its line, wherever it stands."""
    with pytest.raises(DeclarationError, match=r"s\.conf:\d: \w+: must be a whole number"):
        imported(f"{text}{program('x')}")


def test_group_of_an_unknown_program_is_an_error(imported: Tell) -> None:
    """As for supervisord."""
    with pytest.raises(DeclarationError, match=r"s\.conf:3: programs: there is no \[program:z\]"):
        imported("[group:g]\nprograms=z\n")


def test_declarations_are_as_secret_as_the_file(tmp_path: Path) -> None:
    """An environment may hold passwords."""
    file = tmp_path / "s.conf"
    file.write_text("[supervisord]\n" + program("x"))
    file.chmod(0o600)
    assert 0o600 == supervisord.read(str(file), {}).mode
    file.chmod(0o664)
    assert 0o644 == supervisord.read(str(file), {}).mode


def test_processes_of_an_ordinary_user_have_no_pidfile(tmp_path: Path) -> None:
    """That user cannot write into /run."""
    file = tmp_path / "s.conf"
    file.write_text("[supervisord]\n" + program("x"))
    services = supervisord.read(str(file), {}, root=False).services
    assert ["none"] == [service.pidfile for service in services]


def test_processes_with_one_log_get_one_each(imported: Tell) -> None:
    """supervisord's processes rotate a common file away from each other."""
    services, notes = imported(
        program("w", "numprocs=2", "process_name=w_%(process_num)d", "stdout_logfile=/tmp/w.log")
        + program("x", "stdout_logfile=/tmp/x.out", "stderr_logfile=/tmp/w.log")
        + program("y", "stdout_logfile=/tmp/y.log", "stderr_logfile=/tmp/y.log")
    )
    paths = {name: (each.log["path"], each.log["stderr_path"]) for name, each in services.items()}
    assert {
        "w_0": ("/tmp/w_0.log", None), "w_1": ("/tmp/w_1.log", None),
        "x": ("/tmp/x.out", "/tmp/w-x.log"), "y": ("/tmp/y.log", None),
    } == paths  # fmt: skip
    assert 2 == len(notes)


def test_file_without_supervisord_is_read_as_an_included_one(tmp_path: Path) -> None:
    """Those of conf.d, which are what users edit."""
    file = tmp_path / "s.conf"
    file.write_text(program("x"))
    made = supervisord.read(str(file), {})
    assert ["x"] == [service.name for service in made.services]
    assert [False] == [note.lost for note in made.notes]
