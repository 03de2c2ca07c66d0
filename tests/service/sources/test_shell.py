"""Declarations in shell: reading, writing, and errors with their line."""

import os
import pickle
import signal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kit.children import let_go
from kit.leaks import nothing_left

from ssd.service import DeclarationError, Service, sh
from ssd.service.fields import KINDS
from ssd.service.sources import shell, shell_writer
from ssd.service.words import quote

from ..strategies import value_of

FILE = "/etc/ssd/nap"
ENVIRONMENT = {b"PATH": b"/usr/bin:/bin"}
OPTIONAL = {name: value_of(kind) for name, kind in KINDS.items() if name != "name"}
SERVICES = st.fixed_dictionaries({"name": value_of("name")}, optional=OPTIONAL).map(
    lambda fields: Service(**fields)
)


def loads(text: str, file: str = FILE, **environment: str) -> Service:
    """Read a text with hardly any environment."""
    given = {name.encode(): value.encode() for name, value in environment.items()}
    return shell.loads(text, file, {**ENVIRONMENT, **given})


@settings(deadline=None, max_examples=120)
@given(SERVICES)
def test_shell_text_makes_the_same_service(service: Service) -> None:
    """Every field, with every value that it can have, through a real shell."""
    assert service == loads(shell_writer.write(service))


@pytest.mark.parametrize("text", ["\n#!/bin/sh\n", "PROJECT_NAME=x", "INIT_D_SCRIPT_SOURCED=true"])
def test_kind_of_a_file_does_not_depend_on_values(text: str) -> None:
    """Words that identify other kinds of files are ordinary values here."""
    service = Service(name="nap", executable="/bin/sleep", before_start=text, usage=text)
    assert service == loads(shell_writer.write(service))


@pytest.mark.parametrize("text", ["a\rb", "a\r\nb", "\r\n", "\ufeffa"])
def test_shell_file_makes_the_same_service(tmp_path, text) -> None:
    """Line ends in a value are kept."""
    service = Service(name="nap", environment={"A": text}, usage=text)
    (tmp_path / "nap").write_bytes(shell_writer.write(service).encode())
    assert service == shell.read(str(tmp_path / "nap"), ENVIRONMENT)


@pytest.mark.parametrize("first", ["", "#!/usr/bin/env ssd-service\r\n"])
def test_file_may_come_from_windows(tmp_path, first) -> None:
    """Byte order mark and carriage returns are left out."""
    text = f"\ufeff{first}DAEMON=/bin/sleep\r\nDAEMON_ARGS=5\r\n"
    (tmp_path / "nap").write_bytes(text.encode())
    found = shell.read(str(tmp_path / "nap"), ENVIRONMENT)
    assert ("/bin/sleep", ["5"]) == (found.executable, found.arguments)


@settings(deadline=None, max_examples=30)
@given(OPTIONAL["description"])
def test_shell_expands_the_text(text: str) -> None:
    """Quotes, references, conditionals and commands mean what they mean to sh(1)."""
    script = f'A={quote(text)}\nif true; then SERVICE_USAGE="<${{A}}>$(echo x)"; fi\n'
    assert f"<{text}>x" == loads(script).usage


def test_environment_sets_no_variable_of_the_file() -> None:
    """As in an init-d-script: NAME may be anything in the caller's environment."""
    service = loads("DAEMON=/bin/true\n", NAME="host", DESC="x", SERVICE_UMASK="077")
    assert {"name": "nap", "executable": "/bin/true"} == service.to_dict()


def test_pickled_service_keeps_no_environment() -> None:
    """It may hold a password; the doubts about the declaration are kept."""
    service = loads("SERVICE_EXECUTABLE=/bin/true\nDAEMON_OPTS=5\n", TOKEN="very secret")
    pickled = pickle.dumps(service)
    assert b"very secret" not in pickled
    assert (service, service.doubts) == (pickle.loads(pickled), pickle.loads(pickled).doubts)
    assert service.doubts


def test_administrators_file_overrides_the_declaration(tmp_path: Path) -> None:
    """It has the service's name, in /etc/default."""
    (tmp_path / "nap").write_text("DAEMON_ARGS=-x\n")
    text = f"DEFAULT_DIR={tmp_path}\nDAEMON=/bin/true\nDAEMON_ARGS=-y\n"
    assert ["-x"] == loads(text).arguments


SKELETON = """\
#!/bin/sh
### BEGIN INIT INFO
# Provides:          skeleton
### END INIT INFO
PATH=/sbin:/usr/sbin:/bin:/usr/bin
DESC="Description of the service"
NAME=daemonexecutablename
DAEMON=/usr/sbin/$NAME
DAEMON_ARGS="--options args"
PIDFILE=/var/run/$NAME.pid
[ -x "$DAEMON" ] || exit 0
. /lib/nonexistent/functions
start() { start-stop-daemon --start --background --exec $DAEMON; }
case "$1" in
start) start ;;
*) echo "Usage: $0 {start}"; exit 3 ;;
esac
"""


def test_script_with_code_is_read_to_its_end() -> None:
    """Its variables count, wherever it ends when it is given no verb."""
    service = loads(SKELETON)
    assert "/usr/sbin/daemonexecutablename" == service.executable
    assert ["--options", "args"] == service.arguments
    assert service.background
    assert not loads(SKELETON.replace("--background", "")).background


MISTAKES = {
    "DAEMON=/bin/true\nSERVICE_UMAKS=077\n": (2, "SERVICE_UMAKS", "SERVICE_UMASK"),
    "\nDEAMON=/bin/true\n": (2, "DEAMON", "DAEMON"),
    "DAEMON=/bin/true\n\nSERVICE_UMASK=9\n": (3, "SERVICE_UMASK", None),
    "DAEMON=true\n": (1, "DAEMON", None),
    "SERVICE_BACKGROUND=maybe\n": (1, "SERVICE_BACKGROUND", None),
    "SERVICE_READINESS='kind=soon'\n": (1, "SERVICE_READINESS", None),
    'SERVICE_ARGUMENTS="\'x"\n': (1, "SERVICE_ARGUMENTS", None),
    "START_ARGS='--frob'\n": (1, "START_ARGS", None),
    "RELOAD_SIGNAL=HUPP\n": (1, "RELOAD_SIGNAL", None),
    "A=1\nif then\n": (2, None, None),
    "A=1\nexit 3\n": (None, None, None),
    "A=1\nB='\0'\n": (2, None, None),
    "echo hello >&3\n": (None, None, None),
    f"A=1\n#{' ' * 200000}\n": (None, None, None),
}


@pytest.mark.parametrize("text", MISTAKES, ids=lambda text: text[:40])
def test_error_has_file_line_and_variable(text: str) -> None:
    """And the variable that was probably meant."""
    with pytest.raises(DeclarationError) as caught:
        loads(text)
    error = caught.value
    line, key, near = MISTAKES[text]
    assert (FILE, line, key) == (error.file, error.line, error.key)
    if near:
        assert near == error.nearest


def test_unknown_variable_may_be_the_files_own() -> None:
    """If the file uses it, or if no known one is like it."""
    loads("DEAMON=/bin/true\nDAEMON=$DEAMON\nXYZZY=1\n")


def test_large_output_of_a_file_does_no_harm() -> None:
    """On standard output and on standard error."""
    noise = "i=0\nwhile [ $i -lt 3000 ]; do echo $i$i$i$i$i; echo $i$i$i >&2; i=$((i+1)); done\n"
    assert "/bin/true" == loads(noise * 3 + "DAEMON=/bin/true\n").executable


def test_endless_file_is_rejected() -> None:
    """A device in the place of a declaration."""
    with pytest.raises(DeclarationError, match="larger than"):
        shell.read("/dev/zero", ENVIRONMENT)


@pytest.mark.parametrize(
    ("link", "name"), [("S01nap", "nap"), ("K99nap", "nap"), ("S1nap", "S1nap"), ("S01", "S01")]
)
def test_runlevel_link_does_not_rename_a_service(tmp_path: Path, link, name) -> None:
    """Otherwise a start at boot and one by hand would make two daemons. Other links are names."""
    (tmp_path / "nap").write_text("#!/usr/bin/env ssd-service\nDAEMON=/bin/sleep\n")
    (tmp_path / link).symlink_to("nap")
    assert name == shell.read(str(tmp_path / link), ENVIRONMENT).name


@pytest.mark.parametrize(
    "name", ["na p", "$x", "it's", "w*", "a}", "$(exit 3)", "`a`", 'a"b', "\\"]
)
def test_file_name_is_not_executed(tmp_path: Path, name) -> None:
    """With any characters in it; two services do not share a pidfile."""
    (tmp_path / name).write_text("DAEMON=/bin/sleep\n")
    assert name == shell.read(str(tmp_path / name), ENVIRONMENT).name
    header = f"### BEGIN INIT INFO\n# Provides: {name.split()[0]}\n### END INIT INFO\n"
    assert name.split()[0] == loads(f"{header}DAEMON=/bin/sleep\n").name


def test_file_named_like_a_runlevel_link_keeps_its_name(tmp_path: Path) -> None:
    """Only a link loses its rank."""
    (tmp_path / "S01nap").write_text("DAEMON=/bin/sleep\n")
    assert "S01nap" == shell.read(str(tmp_path / "S01nap"), ENVIRONMENT).name


def test_file_that_hangs_is_an_error(monkeypatch) -> None:
    """It must not hold up a query of every service."""
    monkeypatch.setattr(sh, "SHELL_TIMEOUT", 0.1)
    reason = "/etc/ssd/nap: could not be read within 0.1"
    with nothing_left(), let_go(), pytest.raises(DeclarationError, match=reason):
        loads("while :; do :; done\n")


def test_background_process_of_a_file_is_not_waited_for() -> None:
    """It has the descriptor of the variables, and may run for ever."""
    service = loads("sleep 1000 &\nDAEMON=/bin/true\nDESC=$!\n")
    os.kill(int(service.description), signal.SIGKILL)
    assert "/bin/true" == service.executable
