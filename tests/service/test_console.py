"""Console lines: what each function makes of its arguments, and of the terminal."""

import os
import subprocess

import pytest

from ssd.service import console
from ssd.service.console import Console

# call -> plain text. tests/service/lsb compares it with Debian's functions.
LINES = {
    ("daemon", "Starting the daemon", "nova"): "Starting the daemon: nova",
    ("daemon", "Starting daemons"): "Starting daemons:",
    ("progress", "one"): " one",
    ("progress", "one", "two"): " one two",
    ("begin", "Reading", "files"): "Reading files",
    ("end", 0): ".\n",
    ("end", 1): " failed!\n",
    ("end", 3): " failed!\n",
    ("end", 255): " (warning).\n",
    ("success", "nova is running"): "nova is running.\n",
    ("success",): ".\n",
    ("failure", "nova is not running"): "nova is not running ... failed!\n",
    ("failure",): " failed!\n",
    ("failure", "", "word"): " failed!\n",
    ("warning", "nova", "is old"): "nova is old ... (warning).\n",
    ("warning",): " (warning).\n",
    ("action", "Mounting", "disks"): "Mounting disks.\n",
    ("action_begin", "Mounting disks"): "Mounting disks...",
    ("action_cont", "some more"): "some more...",
    ("action_end", 0): "done.\n",
    ("action_end", 0, "two"): "done (two).\n",
    ("action_end", 1): "failed.\n",
    ("action_end", 1, "none"): "failed (none).\n",
}


@pytest.mark.parametrize("call", LINES, ids=str)
def test_line_is_that_of_debian(call: tuple) -> None:
    """Without colours."""
    name, *arguments = call
    assert LINES[call] == getattr(console, f"{name}_text")(*arguments)


COLOURED = {
    ("end", 0): ".\n",
    ("end", 1): " \033[31mfailed!\033[0m\n",
    ("end", 255): " \033[33m(warning).\033[0m\n",
    ("failure", "x"): "x ... \033[31mfailed!\033[0m\n",
    ("warning", "x"): "x ... \033[33m(warning).\033[0m\n",
    ("action_end", 0): "done.\n",
    ("action_end", 1, "none"): "\033[31mfailed (none).\033[0m\n",
}


@pytest.mark.parametrize("call", COLOURED, ids=str)
def test_colours_mark_failures_and_warnings(call: tuple) -> None:
    """A failure is red, a warning yellow; a success has no colour."""
    name, *arguments = call
    assert COLOURED[call] == getattr(console, f"{name}_text")(*arguments, fancy=True)


# TERM, settings -> whether a terminal shows colours
TERMINALS = {
    ("xterm", None): True,
    ("xterm", ""): True,
    ("xterm", "FANCYTTY=\n"): True,
    ("xterm", "FANCYTTY=1\n"): True,
    ("xterm", "FANCYTTY='yes'\n"): True,
    ("xterm", "FANCYTTY=0\n"): False,
    ("xterm", 'FANCYTTY="no"\n'): False,
    ("xterm", "FANCYTTY=0\nFANCYTTY=true\n"): True,
    ("xterm", "# FANCYTTY=0\n"): True,
    ("dumb", "FANCYTTY=1\n"): False,
    ("", "FANCYTTY=1\n"): False,
    (None, None): False,
}


@pytest.mark.parametrize("given", TERMINALS, ids=str)
def test_colours_depend_on_terminal_and_settings(given: tuple, tmp_path) -> None:
    """A terminal, a TERM that is not dumb, and no FANCYTTY or NO_COLOR (if it has a text)."""
    term, settings = given
    path = tmp_path / "settings"
    if settings is not None:
        path.write_text(settings)
    environment = {} if term is None else {"TERM": term}
    master, terminal = os.openpty()
    try:
        assert TERMINALS[given] == console.is_fancy(terminal, environment, str(path))
        assert not console.is_fancy(terminal, {**environment, "NO_COLOR": "1"}, str(path))
        empty = {**environment, "NO_COLOR": ""}
        assert TERMINALS[given] == console.is_fancy(terminal, empty, str(path))
    finally:
        os.close(master)
        os.close(terminal)


@pytest.mark.parametrize("given", TERMINALS, ids=str)
def test_settings_have_the_same_meaning_as_in_a_shell(given: tuple, tmp_path) -> None:
    """In one that sources the file and asks as Debian's log_use_fancy_output does."""
    term, settings = given
    path = tmp_path / "settings"
    path.write_text(settings or "")
    script = '. "$1"; case "$FANCYTTY" in ""|1|Y|yes|true) echo fancy;; *) echo plain;; esac'
    done = subprocess.run(
        ["sh", "-uc", f"FANCYTTY=; {script}", "sh", str(path)], capture_output=True, check=True
    )
    fancy = done.stdout == b"fancy\n" and term not in (None, "", "dumb")
    assert TERMINALS[given] == fancy


def test_colours_need_a_terminal() -> None:
    """A log has none."""
    with open(os.devnull, "wb") as file:
        assert not console.is_fancy(file.fileno(), {"TERM": "xterm"})


def test_console_writes_without_delay(tmp_path) -> None:
    """The beginning of a line can be seen during the work."""
    path = tmp_path / "lines"
    with path.open("wb") as file:
        lines = Console(file.fileno())
        lines.begin("Starting", "nova")
        assert "Starting: nova" == path.read_text()
        lines.progress("slowly")
        lines.end(1)
        for write in (lines.success, lines.failure, lines.warning, lines.action):
            write("Word")
    expected = (
        "Starting: nova slowly failed!\nWord.\nWord ... failed!\nWord ... (warning).\nWord.\n"
    )
    assert expected == path.read_text()


def test_bytes_that_are_not_utf8_are_written_unchanged(tmp_path) -> None:
    """A name may hold any byte."""
    path = tmp_path / "lines"
    with path.open("wb") as file:
        Console(file.fileno(), fancy=True).begin(os.fsdecode(b"\xff\\n"))
    assert b"\xff\\n:" == path.read_bytes()


def test_console_without_a_reader_does_not_stop_the_work() -> None:
    """The status counts, not the text."""
    reading, writing = os.pipe()
    os.close(reading)
    Console(writing).end(0)
    os.close(writing)
