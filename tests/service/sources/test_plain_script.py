"""Scripts with code of their own: run unchanged by path, and never read as half a declaration."""

import subprocess
from pathlib import Path

import pytest
from conftest import Run

from ssd.service import DeclarationError
from ssd.service.sources import shell
from ssd.service.sources.plain_script import acts, overrides

HEAD = "NAME=nap\nDAEMON=/bin/sleep\nDAEMON_ARGS=300\nPIDFILE=/run/nap.pid\n"
CASE = 'case "$1" in\n  start)\n    {} ;;\nesac\n'


def read(code: str, first: str = "#!/bin/sh") -> object:
    """Read a script with some code as a declaration."""
    text = f"{first}\n{HEAD}{code}"
    return shell.loads(text, "/etc/init.d/nap", {b"PATH": b"/usr/bin:/bin"})


@pytest.mark.parametrize(
    ("call", "lost"),
    [
        ("--start --background --make-pidfile --pidfile $PIDFILE --exec $DAEMON -- $DAEMON_ARGS",
         None),
        ('-S -b -m -p "$PIDFILE" -x "${DAEMON}" -- ${DAEMON_ARGS} || return 2', None),
        ("--start --pidfile=/run/nap.pid --startas /bin/sleep -- 300", None),
        ("--stop --quiet --retry=TERM/30/KILL/5 --pidfile $PIDFILE --name $NAME", None),
        ("--start --exec $DAEMON --test > /dev/null || return 1", None),
        ("--start --exec $DAEMON --chuid $RUN_AS", "--chuid $RUN_AS"),
        ("--start --exec $DAEMON -c www-data:adm", "-c www-data:adm"),
        ("--start --exec $DAEMON --chdir=/srv", "--chdir"),
        ("--start --pidfile $PID_FILE --exec $DAEMON", "--pidfile $PID_FILE"),
        ("--start --exec /usr/bin/env -- $DAEMON_ARGS", "--exec /usr/bin/env"),
        ("--start --exec $DAEMON -- $DAEMON_OPTS -f", "the arguments $DAEMON_OPTS -f"),
        ("--start --exec $DAEMON \\\n  --umask 077 -- $DAEMON_ARGS", "--umask 077"),
        ("--start --exec $DAEMON --name $NAME", "--name $NAME"),
        ("--start --exec $DAEMON $EXTRA", "$EXTRA"),
        ("--stop --pidfile $PIDFILE --retry QUIT/5", "--retry QUIT/5"),
        ("--stop --pidfile $PIDFILE --signal HUP", "--signal HUP"),
    ],
)  # fmt: skip
def test_options_that_a_declaration_would_lose_are_named(call: str, lost: str | None) -> None:
    """The error has the script's line. Values of the assignments are not lost."""
    code = CASE.format(f"start-stop-daemon {call}")
    if lost is None:
        read(code)
        return
    with pytest.raises(DeclarationError) as caught:
        read(code)
    reason = f"/etc/init.d/nap:8: a declaration made of its assignments would lose {lost}; write a"
    assert str(caught.value).startswith(reason)


@pytest.mark.parametrize(
    "command", ["su -c x nap", "ulimit -n 99", "umask 077", "export A=1", "cd /srv", "mkdir -p /x"]
)
def test_commands_that_a_declaration_would_lose_are_named(command: str) -> None:
    """They are in the code of a verb, which a declaration does not execute."""
    start = "start-stop-daemon --start --exec $DAEMON -- $DAEMON_ARGS"
    for code in (f"{command}; {start}", f"{start} && {command}", f"{command}\n    {start}"):
        with pytest.raises(DeclarationError, match=f"would lose {command.split()[0]};"):
            read(CASE.format(code))


def test_script_without_start_stop_daemon_is_rejected() -> None:
    """Nothing is known of how it starts its program."""
    with pytest.raises(DeclarationError, match="starts its program without start-stop-daemon"):
        read(CASE.format("$DAEMON $DAEMON_ARGS &"))


def test_file_of_assignments_is_a_declaration() -> None:
    """With any first line: it has no verbs. A comment is not code."""
    text = f"#!/bin/bash\n# start it with $1\n{HEAD}"
    assert (False, False) == (acts(text), shell.has_verbs(text))
    assert "nap" == shell.loads(text, "/etc/ssd/nap", {b"PATH": b"/bin"}).name


@pytest.mark.parametrize(
    "code", ["for verb; do :; done", "for v\ndo :; done", "shift", "[ -n x ] && shift 1",
             "while getopts x o; do :; done", "[ $# -gt 0 ]"]
)  # fmt: skip
def test_script_that_shifts_or_loops_has_verbs(code: str) -> None:
    """It is run as it is."""
    assert shell.has_verbs(f"#!/bin/sh\n{HEAD}{code}\n")


@pytest.mark.parametrize("code", ["DESC='shift work'", "for n in 1; do :; done", "A=${#NAME}"])
def test_script_without_arguments_has_no_verbs(code: str) -> None:
    """It stays a declaration."""
    assert not shell.has_verbs(f"#!/bin/sh\n{HEAD}{code}\n")


FOREIGN = ["/usr/bin/python3", "/usr/bin/env -S perl -w", "/sbin/openrc-run"]


@pytest.mark.parametrize("interpreter", FOREIGN)
def test_other_interpreter_is_never_read_by_a_shell(interpreter: str, tmp_path: Path) -> None:
    """`import` and `print` are programs of many machines. By its path it is run as it is."""
    code = f"touch {tmp_path}/executed\n"
    assert shell.has_verbs(f"#! {interpreter}\n{code}")
    with pytest.raises(DeclarationError, match=f"nap:1: its interpreter is {interpreter}, but"):
        read(code, f"#! {interpreter}")
    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize("first", ["#!/usr/bin/env -S A=1 bash -e", "#!/bin/busybox sh"])
def test_every_shell_is_known(first: str) -> None:
    """Also through env(1) or busybox(1)."""
    assert not shell.has_verbs(f"{first}\n{HEAD}")
    read("", first)


INIT_D = "#!/usr/bin/env /lib/init/init-d-script\n"


@pytest.mark.parametrize(
    "code", ["do_start_cmd_override() { :; }", "do_status_override ()\n{ :; }",
             "alias do_reload=do_reload_sigusr1"]
)  # fmt: skip
def test_init_d_script_with_its_own_verbs_is_rejected(code: str) -> None:
    """Only its functions before and after a start and a stop have fields."""
    text = f"{INIT_D}{HEAD}{code}\n"
    assert shell.has_verbs(text)
    (name,) = overrides(text)
    with pytest.raises(DeclarationError, match=f"a declaration cannot contain {name}"):
        read(f"{code}\n", INIT_D.strip())


def test_hooks_of_an_init_d_script_are_not_verbs() -> None:
    """It stays a declaration."""
    text = f"{INIT_D}{HEAD}do_start_prepare() {{ :; }}\n"
    assert not shell.has_verbs(text)


@pytest.mark.parametrize("word", ["$1", '"$1"', '"${1:-}"', '"$*"'])
def test_declaration_that_acts_on_its_verb_is_rejected(word: str) -> None:
    """A declaration is not given the verb, so the code would never run."""
    code = f"case {word} in start) echo hello ;; esac\n"
    with pytest.raises(DeclarationError, match=r"nap:6: case: a declaration is not given its verb"):
        read(code, "#!/usr/bin/env ssd-service")


@pytest.mark.parametrize(
    "code", ['[ "$1" != start ] || ulimit -n 512', 'if test "$1" = start; then export A=1; fi',
             "f() { :; }\nif [ $# -gt 0 ]; then umask 077; fi",
             "f()\n{\n  :\n}\n[[ $1 == stop ]] && exit"]
)  # fmt: skip
def test_verb_in_any_condition_is_rejected(code: str) -> None:
    """The effect of the condition would be lost, also in a file without a first line."""
    for first in ("#!/usr/bin/env ssd-service", "# mine"):
        with pytest.raises(DeclarationError, match="a declaration is not given its verb"):
            read(code + "\n", first)


OTHER_CONDITIONS = [
    'f() { [ "$1" ] && DESC=$1; }\nf nap',
    'f()\n{\nif [ "$1" ]; then DESC=$1; fi\n}\nf nap',
    "if echo a b | awk '$1 == 0 {exit 1}'; then D=1; fi",
    "[ -e /none ] || D=$(echo a b | awk '{print $1}')",
]


@pytest.mark.parametrize("code", OTHER_CONDITIONS)
def test_condition_on_other_arguments_is_accepted(code: str) -> None:
    """Functions have arguments of their own, and so have programs."""
    read(code + "\n", "#!/usr/bin/env ssd-service")


def test_declaration_may_have_functions_and_may_exit() -> None:
    """It may also distinguish cases by its own variables."""
    code = 'f() { DESC=$1; }\nf nap\ncase "$DESC" in nap) DESC=other ;; esac\nexit 0\n'
    service = read(code, "#!/usr/bin/env ssd-service")
    assert ("other", ["300"]) == (service.description, service.arguments)  # type: ignore[attr-defined]


SCRIPT = """#!/bin/sh
echo "$0 $*"; pwd; env | grep SECRET
[ "$1" != stop ] || exit 3
"""


@pytest.fixture
def script(tmp_path: Path) -> Path:
    """Return a plain script."""
    path = tmp_path / "web"
    path.write_text(SCRIPT)
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(
    ("words", "told", "status"),
    [
        (["start"], "start", 0), (["stop"], "stop", 3), (["frob", "a  b"], "frob a  b", 0),
        ([], "", 0), (["status", "--all"], "status --all", 0),
        (["--full-restart"], "stop\n/\n{0} start", 0),
    ],
)  # fmt: skip
def test_script_runs_the_same_by_path_and_by_name(
    script: Path, ssd_path: Path, words: list[str], told: str, status: int
) -> None:
    """Row s2: with all words, in the directory / and with hardly any environment."""
    ours = [ssd_path.with_name("ssd-service"), "./web", *words]
    given = {"PATH": "/usr/bin:/bin", "SECRET": "x"}
    done = subprocess.run(ours, capture_output=True, text=True, cwd=script.parent, env=given)
    assert (status, "") == (done.returncode, done.stderr)
    assert f"{script} {told}\n/\n".format(script) == done.stdout


def test_script_that_is_not_executable_is_reported(script: Path, ssd_path: Path, run: Run) -> None:
    """With the status of env(1)."""
    script.chmod(0o644)
    done = run(ssd_path.with_name("ssd-service"), script, "start")
    reason = f"ssd-service: {script}: Permission denied\n"
    assert (126, reason) == (done.returncode, done.stderr)


def test_generate_rejects_a_script_with_losses(script: Path, ssd_path: Path, run: Run) -> None:
    """It names what would be lost, with --strict or without."""
    start = "start-stop-daemon --start --exec $DAEMON --chuid nobody"
    script.write_text(f"#!/bin/sh\n{HEAD}{CASE.format(start)}")
    for more in ([], ["--strict"]):
        done = run(ssd_path.with_name("ssd-service"), "generate", "systemd", script, *more)
        assert (1, "") == (done.returncode, done.stdout)
        assert "web:8: a declaration made of its assignments would lose --chuid" in done.stderr


def test_declaration_may_come_through_a_pipe(ssd_path: Path) -> None:
    """A check must not consume its beginning."""
    ours = ssd_path.with_name("ssd-service")
    text = "DAEMON=/bin/echo\nDAEMON_ARGS='a b'\n" + "# more than is looked at first\n" * 99
    done = subprocess.run(
        [ours, "/dev/stdin", "show-args"], input=text, capture_output=True, text=True
    )
    assert (0, "/bin/echo a b\n", "") == (done.returncode, done.stdout, done.stderr)
