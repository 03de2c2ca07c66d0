"""What each program of a traced script does instead: decisions, on calls that are made up."""

import os
from pathlib import Path
from typing import Any

import pytest

from ssd.service.importing.trace import answers
from ssd.service.importing.trace.answers import STAY, Answers, Unknown

DAEMON = "/opt/web/daemon"


def call(*argv: str, file: str = "", **given: Any) -> dict[str, Any]:
    """Make up a call; the stand-in of a program is run by a shell."""
    file = file or argv[0]
    facts = {
        "file": file, "exe": "/usr/bin/dash" if argv[0] == "/bin/sh" else file, "argv": [*argv],
        "cwd": "/", "environment": {}, "background": False, "pid": 7, "parent": 2, "verb": "start",
        "streams": ["/dev/null", "/out", "/out"],
    }  # fmt: skip
    return facts | given


def stands_in(*argv: str, **given: Any) -> dict[str, Any]:
    """Make up the call of a program that is replaced already."""
    return call("/bin/sh", *argv, file=argv[0], **given)


@pytest.fixture
def killed() -> list[int]:
    """Return the list of the stand-ins that a stop has ended."""
    return []


@pytest.fixture
def asked(killed: list[int]) -> Answers:
    """Return the answers for a script whose daemon is replaced already."""
    tool = "/sbin/start-stop-daemon"
    programs = {tool: "/real/0", DAEMON: "/real/1", "/bin/sleep": "/real/2"}
    return Answers("/etc/init.d/web", programs, [], None, killed.append)


@pytest.mark.parametrize(
    "argv",
    [
        ["/usr/bin/cat", "/x"],
        ["/usr/bin/perl", "-ne", "print"],
        ["/usr/bin/dpkg-statoverride", "--list", "/run/x"],
        ["/opt/tools/setuidgid", "web", DAEMON],
        ["/bin/sh", "-c", "true"],
        ["/etc/init.d/web", "start"],
    ],
)
def test_tools_run_as_they_are(argv: list[str], asked: Answers) -> None:
    """Also those that only start another program, wherever they are, and texts of interpreters."""
    assert asked.answer(call(*argv), orphan=False) is None


@pytest.mark.parametrize(
    "argv",
    [["/opt/cat"], ["/usr/sbin/nginx"], ["/usr/bin/python3", "/opt/web.py"], ["/sbin/modprobe"]],
)
def test_others_are_replaced_first(argv: list[str], asked: Answers) -> None:
    """Then the trace begins again."""
    with pytest.raises(Unknown) as caught:
        asked.answer(call(*argv), orphan=False)
    assert argv[0] == str(caught.value)


def test_background_daemon_stays(asked: Answers) -> None:
    """As one whose parent is gone; the shell's & ignores SIGINT."""
    for number, given in enumerate(({"background": True}, {})):
        made = stands_in(DAEMON, "-f", pid=number, **given)
        assert STAY == asked.answer(made, orphan=not given)
        assert "daemon" == made["role"]
    assert [0, 1] == list(asked.living)


def test_foreground_daemon_leaves_a_process(asked: Answers) -> None:
    """With its pidfile, which a word names; what it leaves stands in."""
    made = stands_in(DAEMON, "-d", "--pid=/run/a b.pid")
    text = f"{DAEMON} -d '--pid=/run/a b.pid' < /dev/null > /dev/null 2>&1 &\n{answers.AWAIT}"
    assert f"{text}echo $! > '/run/a b.pid'\nexit 0\n" == asked.answer(made, orphan=False)
    asked.forked(7, 8)
    left = stands_in(DAEMON, "-d", pid=8, parent=7)
    assert STAY == asked.answer(left, orphan=False)
    assert "stand-in" == left["role"]
    assert asked.ended(8)
    assert not asked.ended(8)


def test_query_is_no_daemon(asked: Answers) -> None:
    """Its output goes into a pipe."""
    made = stands_in(DAEMON, "--version", streams=["/dev/null", "pipe:[7]", "/out"])
    assert "exit 0\n" == asked.answer(made, orphan=False)
    assert "query" == made["role"]


def test_query_runs_if_asked_to(asked: Answers) -> None:
    """The program itself, but not a stand-in that stands for nothing."""
    asked.asks = True
    pipe = ["/dev/null", "pipe:[7]", "/out"]
    assert 'exec /real/1 "$@"\n' == asked.answer(
        stands_in(DAEMON, "-V", streams=pipe), orphan=False
    )
    asked.programs["/x"] = "/x"
    assert "exit 0\n" == asked.answer(stands_in("/x", "-V", streams=pipe), orphan=False)


def test_program_fails_if_it_must(asked: Answers) -> None:
    """With these words only."""
    asked.failing = [[DAEMON, "ping"]]
    assert "exit 1\n" == asked.answer(stands_in(DAEMON, "ping"), orphan=False)
    assert "&" in str(asked.answer(stands_in(DAEMON, "-d"), orphan=False))


@pytest.mark.parametrize(
    ("words", "pidfile"),
    [
        (["-p", "/run/x.pid"], "/run/x.pid"),
        (["--file=/run/x/pid"], "/run/x/pid"),
        (["/usr/sbin/acpid", "stupid"], ""),
    ],
)
def test_pidfile_among_words(words: list[str], pidfile: str) -> None:
    """Not every word that ends in pid is one."""
    assert pidfile == answers.pidfile_among(words)


def test_only_the_daemon_leaves_a_process(asked: Answers) -> None:
    """Once it is known what that is."""
    asked.leave = [DAEMON, "-d"]
    assert "exit 0\n" == asked.answer(stands_in(DAEMON, "--check"), orphan=False)
    assert "&" in str(asked.answer(stands_in(DAEMON, "-d"), orphan=False))


def test_shell_script_is_the_daemon_only_in_the_background(asked: Answers, tmp_path: Path) -> None:
    """In the foreground it is followed to the program that it starts."""
    wrapper = tmp_path / "wrapper"
    wrapper.write_text("#!/bin/bash\n")
    for words in ([str(wrapper)], ["/bin/sh", str(wrapper)]):
        assert asked.answer(call(*words), orphan=False) is None
        with pytest.raises(Unknown, match=str(wrapper)):
            asked.answer(call(*words, background=True), orphan=False)


def test_interpreter_of_a_tool_is_the_real_one(asked: Answers) -> None:
    """A script of the system runs, though its interpreter is a daemon of this script."""
    asked.programs["/usr/bin/python3"] = "/real/3"
    made = call("/bin/sh", "/usr/bin/python3", "/usr/bin/lsb_release", file="/usr/bin/lsb_release")
    assert 'exec /real/3 "$@"\n' == asked.answer(made, orphan=False)


def test_sleep_is_short(asked: Answers) -> None:
    """It is recorded how long it would be."""
    made = stands_in("/bin/sleep", "60")
    assert "exec /real/2 0.02\n" == asked.answer(made, orphan=False)
    assert ("sleep", ["/bin/sleep", "60"]) == (made["role"], made["words"])


TOOL = "/sbin/start-stop-daemon"


@pytest.mark.parametrize(
    ("words", "text", "kills"),
    [
        ("--start --pidfile PID --exec /bin/nowhere-of-test", "exit 1", []),
        ("--start --oknodo --pidfile PID --exec X", "exit 0", []),
        ("--start --exec /bin/nowhere-of-test", "exit 2", []),
        ("--start --test --exec X", "exit 0", []),
        ("--status --pidfile PID", "exit 0", []),
        ("--status --name other", "exit 3", []),
        ("--stop --pidfile PID --retry 5", "exit 0", [5]),
        ("--stop --exec X", "exit 1", []),
        ("--stop --oknodo --name other", "exit 0", []),
        ("--stop --pidfile PID --signal 0", "exit 0", []),
        ("--stop --pidfile PID --test", "exit 0", []),
        ("--stop --name daemon", "exit 0", [5]),
        ("--stop --pid 5", "exit 0", [5]),
        ("--frob", "exit 3", []),
        ("--start --chuid : --exec X", "exit 2", []),
    ],
)
def test_start_stop_daemon_answers(
    words: str, text: str, kills: list[int], asked: Answers, killed: list[int], tmp_path: Path
) -> None:
    """As the original would, with the stand-ins for its daemons."""
    (tmp_path / "pid").write_text("5\n")
    asked.living[5] = answers.StandIn(DAEMON, 5)
    argv = words.replace("PID", str(tmp_path / "pid")).replace("X", "/bin/true").split()
    said = asked.answer(stands_in(TOOL, *argv), orphan=False)
    assert said is not None
    assert said.endswith(f"{text}\n")
    assert kills == killed


def test_start_stop_daemon_leaves_its_daemon(asked: Answers, tmp_path: Path) -> None:
    """A shell in its place is followed; in the background of a shell it becomes the daemon."""
    made = stands_in(TOOL, "-Sbmp", "/run/x", "-x", "/bin/sh", "--", "-c", "exec web")
    said = str(asked.answer(made, orphan=False))
    assert said.startswith("/bin/sh -c 'exec web' <")
    assert "echo $! > /run/x\n" in said
    assert ["/bin/sh", "-c", "exec web"] == made["started"]
    made = stands_in(TOOL, "-S", "-x", "/bin/sh", background=True)
    assert STAY == asked.answer(made, orphan=False)


def test_reload_ends_no_daemon(asked: Answers, killed: list[int]) -> None:
    """But a reload that starts the daemon again does."""
    asked.living[5] = answers.StandIn(DAEMON, 5)
    asked.answer(stands_in(TOOL, "-K", "-s", "HUP", "-n", "daemon", verb="reload"), orphan=False)
    assert [] == killed
    asked.answer(stands_in(TOOL, "-K", "-R", "5", "-n", "daemon", verb="reload"), orphan=False)
    assert [5] == killed


@pytest.mark.parametrize(("text", "pid"), [("12\n", 12), ("", None), ("x", None)])
def test_pid_in_reads_a_pidfile(text: str, pid: int | None, tmp_path: Path) -> None:
    """None without a number, or without the file."""
    (tmp_path / "pid").write_text(text)
    assert pid == answers.pid_in(str(tmp_path / "pid"))
    assert answers.pid_in(os.fspath(tmp_path / "none")) is None
