"""The files of supervisord: sections, includes, and where a value stands."""

from pathlib import Path

import pytest

from ssd.service import DeclarationError
from ssd.service.importing import ini

MAIN = """\
; a comment
[supervisord]
Environment = A="1" ; another

[program:web]
command = %(here)s/run
    --more words
DIRECTORY: /a#b  # note
[include]
files = conf.d/*.ini %(ENV_MORE)s none/*.conf
"""


@pytest.fixture
def main(tmp_path: Path) -> Path:
    """Return a file that includes two others."""
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "supervisord.conf").write_text(MAIN)
    (tmp_path / "conf.d/b.ini").write_text("[program:b]\ncommand=%(here)s/b\n")
    (tmp_path / "more.ini").write_text("\n[program:web]\ndirectory=/other\n")
    return tmp_path / "supervisord.conf"


def test_sections_have_the_values_of_all_files(main: Path, tmp_path: Path) -> None:
    """A later file replaces a value; %(here)s is the directory of the file that has it."""
    sections, unmatched = ini.read(str(main), {"MORE": "more.ini"})
    assert ["none/*.conf"] == unmatched
    assert {"environment": 'A="1"'} == sections["supervisord"].options
    web = {"command": f"{tmp_path}/run\n--more words", "directory": "/other"}
    assert web == sections["program:web"].options
    assert f"{tmp_path}/conf.d/b" == sections["program:b"].options["command"]


def test_options_have_their_place(main: Path, tmp_path: Path) -> None:
    """File and line of the value that counts, for every message."""
    sections, _ = ini.read(str(main), {"MORE": "more.ini"})
    web = sections["program:web"]
    assert f"{main}:5" == str(web.place)
    assert f"{main}:6" == str(web.place_of("command"))
    assert f"{tmp_path}/more.ini:3" == str(web.place_of("directory"))
    assert str(web.place) == str(web.place_of("user"))


def test_defaults_are_below_the_options_of_each_section(tmp_path: Path) -> None:
    """As configparser has them; they are no options of the section."""
    file = tmp_path / "x.conf"
    file.write_text("[DEFAULT]\nuser=daemon\n[program:a]\ncommand=x\n")
    section = ini.read(str(file), {})[0]["program:a"]
    assert {"user": "daemon", "command": "x"} == section.options
    assert ["command"] == [*section.places]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("user=me\n", "x.conf:1: is no"),
        ("[supervisord]\n\n??\n", "x.conf:3: is no"),
        ("[include]\n", "x.conf:1: include: must have files"),
        ("[include]\nfiles=%(ENV_NONE)s\n", "x.conf:2: files: .*set NONE in the environment"),
        ("[include]\nfiles=100%\n", "x.conf:2: files: .* has a % that is no %%"),
    ],
)
def test_error_names_file_and_line(text: str, message: str, tmp_path: Path) -> None:
    """Of what supervisord would refuse, too."""
    file = tmp_path / "x.conf"
    file.write_text(text)
    with pytest.raises(DeclarationError, match=message):
        ini.read(str(file), {})


def test_last_of_equal_sections_and_options_counts(tmp_path: Path) -> None:
    """In one file, too, as supervisord reads it: its parser is not strict."""
    file = tmp_path / "x.conf"
    file.write_text("[program:a]\ncommand=x\ncommand=y\n[program:a]\nuser=daemon\n")
    section = ini.read(str(file), {})[0]["program:a"]
    assert {"command": "y", "user": "daemon"} == section.options
