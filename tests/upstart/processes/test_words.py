"""What a stage executes."""

import pytest

from ssd.service.sources.upstart import Stage
from ssd.upstart.processes.words import SHELL_CHARACTERS, candidates, compose

DASH_C = ["/bin/sh", "-e", "-c"]
BY_PIPE = ["/bin/sh", "-e", "/proc/self/fd/9"]


@pytest.mark.parametrize(
    "text, words",
    [
        ("sleep 300", ["sleep", "300"]),
        ("  sleep \t 300 ", ["sleep", "300"]),
        ("daemon a\vb", ["daemon", "a\vb"]),
        ("sleep 300 # no", ["sleep", "300", "#", "no"]),
        ("sleep $T", [*DASH_C, "exec sleep $T", "/bin/sh"]),
        ("nosuch; true", [*DASH_C, "exec nosuch; true", "/bin/sh"]),
        ("", []),
    ],
)
def test_exec_is_split_at_blanks_or_goes_to_a_shell(text: str, words: list[str]) -> None:
    """A character that means something to a shell makes the difference."""
    assert (words, None) == compose(Stage(False, text))


@pytest.mark.parametrize("character", SHELL_CHARACTERS)
def test_each_character_of_the_shell_needs_one(character: str) -> None:
    """There are 22 of them."""
    text = f"echo a{character}b"
    assert ([*DASH_C, f"exec {text}", "/bin/sh"], None) == compose(Stage(False, text))


@pytest.mark.parametrize(
    "text, words, script",
    [
        ("sleep 300\n", [*DASH_C, "sleep 300", "/bin/sh"], None),
        ("sleep 300\n\n\n", [*DASH_C, "sleep 300", "/bin/sh"], None),
        (" sleep 300 && true", [*DASH_C, " sleep 300 && true", "/bin/sh"], None),
        ("a\nb\n", BY_PIPE, "exec 9<&-\na\nb\n"),
        ("\nb\n", BY_PIPE, "exec 9<&-\n\nb\n"),
        ("a\n \n", BY_PIPE, "exec 9<&-\na\n \n"),
        ("", [*DASH_C, "", "/bin/sh"], None),
    ],
)
def test_script_of_several_lines_is_read_from_a_pipe(
    text: str, words: list[str], script: "str | None"
) -> None:
    """One of a single line is an argument."""
    assert (words, script) == compose(Stage(True, text))


@pytest.mark.parametrize(
    "name, path, files",
    [
        ("mine", "/srv/bin:/bin", ["/srv/bin/mine", "/bin/mine"]),
        ("mine", None, ["/bin/mine", "/usr/bin/mine"]),
        ("mine", ":/bin", ["mine", "/bin/mine"]),
        ("mine", "", ["mine"]),
        ("./mine", "/bin", ["./mine"]),
        ("", "/bin", []),
    ],
)
def test_program_is_searched_in_the_path(name: str, path: "str | None", files: list[str]) -> None:
    """As execvp(3) does: an empty part is the working directory."""
    assert files == candidates([name], path)


def test_no_words_have_no_program() -> None:
    """Nothing can be executed then."""
    assert [] == candidates([], "/bin")
