"""LSB headers, compared with sed, also on the machine's own scripts."""

import os
import subprocess
from pathlib import Path

import pytest

from ssd.service.sources import header

SCRIPT = """\
#!/bin/sh
# Provides: nothing, this is outside
### BEGIN INIT INFO
# Provides:          nova-compute nova
# Required-Start:    $network $local_fs
# required-stop:\t$network
# Should-Start:
# X-Interactive:     true
# Short-Description: Nova: compute
# Description:       The first line,
#                    and one that continues it.
#\tAnother after a tab
#
# Default-Start:     2 3
# Default-Start:     4 5
### END INIT INFO
# Author: nobody
"""
PARSED = {
    "provides": "nova-compute nova",
    "required-start": "$network $local_fs",
    "required-stop": "$network",
    "should-start": "",
    "x-interactive": "true",
    "short-description": "Nova: compute",
    "description": "The first line,\nand one that continues it.\nAnother after a tab",
    "default-start": "2 3 4 5",
}


def test_header_is_read_by_lower_case_keyword() -> None:
    """Only the lines between the delimiters; a continued Description is complete."""
    assert PARSED == header.parse(SCRIPT)


# text between the delimiters -> what is read
LINES = {
    "# Key: value": {"key": "value"},
    "#Key: value": {"key": "value"},
    "# Key : value": {"key": "value"},
    "#   indented: value": {"indented": "value"},
    "# two words: value": {},
    "# no colon": {},
    "# : value": {},
    "#": {},
    "": {},
    "Key: value": {},
    "# Key: a\n#  continued: b": {"key": "a", "continued": "b"},
    "# Description: a\n#  continued: b": {"description": "a\ncontinued: b"},
    "# Description: a\n# Key: b\n#  c": {"description": "a", "key": "b"},
    "# Description: a\n\n#  b": {"description": "a"},
}


@pytest.mark.parametrize("text", LINES)
def test_line_without_keyword_and_colon_is_ignored(text: str) -> None:
    """Other comments are passed over."""
    script = f"{header.BEGIN}\n{text}\n{header.END}\n"
    assert LINES[text] == header.parse(script)


@pytest.mark.parametrize("text", ["", "#!/bin/sh\n# Provides: x\n", f"{header.END}\n# Key: x\n"])
def test_script_without_header_has_no_keywords(text: str) -> None:
    """The result is empty."""
    assert {} == header.parse(text)


def test_first_header_counts() -> None:
    """A header without an end extends to the end of the file."""
    first = f"{header.BEGIN}  \n# A: 1\n{header.END}\n"
    assert {"a": "1"} == header.parse(f"{first}{header.BEGIN}\n# B: 2\n{header.END}\n")
    assert {"b": "2"} == header.parse(f"{header.BEGIN}\n# B: 2")


def test_words_split_a_list() -> None:
    """A missing keyword has no words."""
    parsed = header.parse(SCRIPT)
    assert ["$network", "$local_fs"] == header.words(parsed, "Required-Start")
    assert [] == header.words(parsed, "Should-Start")
    assert [] == header.words(parsed, "Should-Stop")


KEYWORDS = ("Provides", "Required-Start", "Required-Stop", "Default-Start", "Short-Description")


@pytest.mark.parametrize(
    "script",
    sorted(filter(Path.is_file, Path("/etc/init.d").glob("*"))),
    ids=lambda path: path.name,
)
def test_header_agrees_with_sed_on_the_machines_scripts(script: Path) -> None:
    """The expression is that of Debian's get_lsb_header_val, but for tabs after the colon."""
    parsed = header.parse(script.read_text(encoding="utf-8", errors="surrogateescape"))
    for keyword in KEYWORDS:
        within = f"/{header.BEGIN}/,/{header.END}/"
        command = ["sed", "-n", rf"{within} s/# {keyword}:\s\+\(.*\)/\1/p", str(script)]
        printed = os.fsdecode(subprocess.run(command, capture_output=True, check=True).stdout)
        assert " ".join(printed.split()) == " ".join(header.words(parsed, keyword))
