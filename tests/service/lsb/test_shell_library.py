"""The shell library prints the same lines as Python, for any arguments."""

import json
import re
import shlex
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kit.children import python
from kit.terminals import on_terminal

from ssd.service.lsb.cli import FUNCTIONS

from . import entry_points

LINES = [name for name, home in FUNCTIONS.items() if home == "log"]

# Texts that a shell, echo(1), printf(1) or a parser of numbers could misread.
WORDS = st.one_of(
    st.sampled_from(
        ["", "0", "1", "255", "256", "-1", "+1", "007", "0255", "-0", "-n", "-e", "--"]
    ),
    st.integers(-300, 2000).map(str),
    st.text(st.sampled_from("01-+ \\%sn$`'\"*~[]!;&|\n\té"), max_size=8),
)
CALLS = st.lists(
    st.tuples(st.sampled_from(LINES), st.lists(WORDS, max_size=3)), min_size=1, max_size=12
)

# Makes the calls given as JSON, and prints the status of each.
TWIN = """
import json, sys
from ssd.service.lsb.cli import main
for name, words in json.loads(sys.argv[1]):
    status = main(["--as", "twin", name, *words])
    sys.stdout.write(f"<{status}>\\n")
    sys.stdout.flush()
"""


def script(calls: list) -> str:
    """Return a shell script that makes the calls, and prints the status of each."""
    library = shlex.quote(str(entry_points.shell_library()))
    told = [f'{shlex.join([name, *words])}; echo "<$?>"' for name, words in calls]
    return "\n".join([f". {library}", *told])


@pytest.mark.parametrize("name", entry_points.SHELLS)
def test_lines_are_the_same_as_those_of_python(name: str, tmp_path_factory) -> None:
    """Standard output, standard error and statuses of any calls in any shell."""
    shell = entry_points.shell(name, tmp_path_factory.mktemp("shell")).split()

    @settings(max_examples=60, deadline=None)
    @given(CALLS)
    def check(calls: list) -> None:
        expected = python(TWIN, json.dumps(calls))
        done = subprocess.run([*shell, "-c", script(calls), "twin"], capture_output=True)
        assert (expected.stdout, expected.stderr) == (done.stdout, done.stderr)

    check()


@pytest.mark.parametrize("missing", ["/nonexistent/ssd-service", "/etc/passwd"])
def test_status_is_unknown_without_ssd_service(missing: str) -> None:
    """The state of the daemon is unknown then, not dead."""
    call = [("status_of_proc", ["-p", "/nonexistent/pid", "/usr/sbin/nap", "nap"])]
    environment = {"SSD_SERVICE": missing}
    done = subprocess.run(["sh", "-c", script(call)], capture_output=True, env=environment)
    assert b"could not access PID file for nap ... failed!\n<4>\n" == done.stdout
    assert missing.encode() in done.stderr


def defined(text: str) -> set[str]:
    """Return the names of the functions that a shell script defines."""
    return set(re.findall(r"^(\w+) ?\(\)", text, re.MULTILINE))


def test_shell_library_defines_every_function(checkout) -> None:
    """All of the command, and all of the original if it is installed."""
    ours = defined(entry_points.shell_library().read_text())
    assert set() == set(FUNCTIONS) - ours
    if entry_points.ORIGINAL.exists():
        assert set() == defined(entry_points.ORIGINAL.read_text()) - ours


def test_library_keeps_to_its_own_names() -> None:
    """All names that the original does not have begin with _ssd_."""
    text = re.sub(r"(?m)(^|\s)# .*$", "", entry_points.shell_library().read_text())
    names = defined(text) | set(re.findall(r"(?:^|\s)(\w+)=", text))
    known = re.compile(r"_ssd_\w+|v?log_\w+|FANCYTTY")
    assert [] == [each for each in names - set(FUNCTIONS) if not known.fullmatch(each)]


@pytest.mark.requires_namespaces
@pytest.mark.parametrize("name", entry_points.SHELLS)
def test_script_that_sets_its_path_finds_the_command(name: str, in_namespace, tmp_path) -> None:
    """Most of Debian's scripts set PATH, without pip's directories."""
    library, shell = entry_points.shell_library(), entry_points.shell(name, tmp_path)
    commands = f"""
[ -d /lib/lsb ] || exit 77
mount -t tmpfs tmpfs /lib/lsb; ln -s {library} /lib/lsb/init-functions
exec {shell} -euc '
PATH=/usr/sbin:/usr/bin:/sbin:/bin
. /lib/lsb/init-functions
pidofproc -p /tmp/missing.pid /usr/sbin/daemon || echo "<$?>"'"""
    done = in_namespace("sh", "-c", commands)
    if done.returncode == 77:
        pytest.skip("there is no /lib/lsb to put a link into")
    assert ("<3>\n", "") == (done.stdout, done.stderr)


def test_no_color_leaves_out_colours() -> None:
    """Unless it is empty: no-color.org."""
    words = ["sh", "-c", f". {entry_points.shell_library()}; log_end_msg 1"]
    assert b" \x1b[31mfailed!\x1b[0m\r\n" == on_terminal(words, NO_COLOR="")[0]
    assert b" failed!\r\n" == on_terminal(words, NO_COLOR="1")[0]
