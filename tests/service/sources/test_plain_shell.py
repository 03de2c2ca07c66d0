"""The reader of plain shell text, compared with a real shell."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ssd.service.sources import plain_shell, shell
from ssd.service.sources.executed import Executed, likely

GIVEN = {b"PATH": b"/usr/bin:/bin", b"LANG": b"C"}
NAME = "nap"
# Pieces that make lines which are plain, nearly plain, or something else.
VALUES = st.sampled_from(
    r"""a  /bin/x  -l  a=b  %1  ''  ""  'a b'  "a b"  'it "is"'  "it's"  $NAME  ${NAME}  "$DESC (x)"
    '$NAME'  $DESC-x  ${DAEMON}/y  "${NAME:-z}"  $(echo)  `x`  a\ b  ~  {a,b}  a#b  a;b  *  "!"
    "a}b"  $  "$"  $1  é  x|y  a b  'a' 'b'  "a"'b'""".replace("\n    ", "  ").split("  ")
)
NAMES = st.sampled_from("NAME DESC DAEMON DAEMON_ARGS PROJECT_NAME RETRY OTHER".split())
FORMS = st.sampled_from(
    ["{}={}", " {}={} ", '{}="{}"', "{}='{}'", ': "${{{}:={}}}"', ': "${{{}={}}}"', "{} = {}",
     "export {}={}", ': "${{{}:={}', "# {}={}", ": ${{{}:={}}}"]
)  # fmt: skip
LINES = st.tuples(FORMS, NAMES, VALUES).map(lambda line: line[0].format(*line[1:]))


def executed(text: str, openstack: bool = True) -> tuple[dict[str, str], list[str]]:
    """Return what a shell makes of a text."""
    state = Executed("/etc/ssd/nap", GIVEN, likely(openstack, NAME, GIVEN))
    state.execute(text, NAME, False, False, lambda: None)
    assert {} == state.fields
    return state.variables, state.files


@settings(max_examples=120)
@given(st.lists(LINES, min_size=1, max_size=4).map("\n".join))
def test_plain_shell_agrees_with_a_shell(text: str) -> None:
    """It may give up on anything, but what it reads is what a shell reads."""
    found = plain_shell.execute(text, GIVEN, NAME)
    if found is not None:
        assert executed(text) == found


PLAIN = [
    "",
    "#!/bin/sh\n# $(reboot) é \\\n\n \t# x\nDAEMON=/bin/true\t",
    'DAEMON_ARGS=\'--a=b  $NAME "x"\'\nDESC="it\'s {plain}!"\nRETRY=',
    'PROJECT_NAME=nova\nNAME=${PROJECT_NAME}-compute\nDESC="A $NAME ($PROJECT_NAME)"',
    ': "${PROJECT_NAME:=nova}"\n: "${NAME:=$PROJECT_NAME-x}"\n: "${DESC=}"\n: "${DESC=y}"',
    'DESC=\n: "${DESC:=filled}"\nSERVICE_UMASK=077',
    "DESC='a b'\nDAEMON_ARGS=$DESC",
]


@pytest.mark.parametrize("text", PLAIN)
def test_plain_shell_reads_plain_lines(text: str) -> None:
    """It would be of no use if it gave up on these."""
    assert executed(text) == plain_shell.execute(text, GIVEN, NAME)


@pytest.mark.parametrize(
    "line",
    ["DESC=$OTHER", "DESC=$NAME", "OTHER=1", "DESC=a b", "DESC=~", "DESC='a", 'DESC="a\\n"',
     "DESC=`x`", 'DESC="é"', "umask 077", "exit 0", "DESC=a # b", "DESC=\r", ': "${DESC:-x}"',
     ': "${DESC:=\'x\'}"', ': "${DESC::=x}"', "\fDESC=x", "DESC='\1'", "DESC=" + 100_000 * "x"],
)  # fmt: skip
def test_plain_shell_leaves_all_else_to_a_shell(line: str) -> None:
    """Other commands, other variables, and quotes that need more than a look."""
    assert plain_shell.execute(line, GIVEN, NAME) is None


@pytest.mark.parametrize("given", [{}, {**GIVEN, b"NAME": b"x"}, {**GIVEN, b"IFS": b"x"}])
def test_plain_shell_needs_the_environment_of_a_service(given: dict[bytes, bytes]) -> None:
    """Other variables could mean something to the shell, or be exported again."""
    assert plain_shell.execute("DESC=x", given, NAME) is None


FILES = [
    {"nap": "DESC=other\nDAEMON=$DAEMON-x"},
    {"openstack": "NAME=pan", "pan": "DESC=other", "nap": "DESC=wrong"},
    {"openstack": ': "${DESC:=late}"\n'},
]


@pytest.mark.parametrize("place", ["DEFAULT_DIR={0}/etc/default", "ROOT_DIR={0}"])
@pytest.mark.parametrize("files", FILES)
def test_plain_shell_reads_files_of_the_administrator(
    tmp_path: Path, files: dict[str, str], place: str
) -> None:
    """In the order of OpenStack's scripts: for all services, then for this one."""
    directory = tmp_path / "etc/default"
    directory.mkdir(parents=True)
    for name, text in files.items():
        (directory / name).write_text(text)
    text = f"{place.format(tmp_path)}\nPROJECT_NAME=nova\nDAEMON=/bin/true"
    found = plain_shell.execute(text, GIVEN, NAME)
    assert found is not None and found[1]
    state = Executed("/etc/ssd/nap", GIVEN, [f"{directory}/{name}" for name in files])
    state.execute(text, NAME, False, False, lambda: None)
    assert (state.variables, state.files) == found


@pytest.mark.parametrize("how", ["a command", "world-writable", "a directory", "of Windows"])
def test_plain_shell_leaves_other_files_to_a_shell(tmp_path: Path, how: str) -> None:
    """A shell reads code, and the caller of the shell says whom it does not trust."""
    file = tmp_path / NAME
    if how == "a directory":
        file.mkdir()
    else:
        texts = {"a command": b"ulimit -n 100\n", "of Windows": b"DESC=x\r\n"}
        file.write_bytes(texts.get(how, b"DESC=x\n"))
        file.chmod(0o666 if how == "world-writable" else 0o644)
    assert plain_shell.execute(f"DEFAULT_DIR={tmp_path}", GIVEN, NAME) is None


@pytest.mark.parametrize(
    ("text", "doubts"),
    [("DAEMON=/bin/true", 0), ("DAEMON='/bin/true x'", 1), ("DAEMON=/x\nDAEMON_ARGS='\"a\"'", 1),
     ("DAEMON=/x\nRETRY=5", 1), ("PROJECT_NAME=x\nDAEMON=/x\nRETRY=5", 0)],
)  # fmt: skip
def test_doubts_about_plain_text_are_told(text: str, doubts: int) -> None:
    """A plain text may have parts without effect, too."""
    assert doubts == len(shell.loads(text, "/etc/ssd/nap", GIVEN).doubts)
