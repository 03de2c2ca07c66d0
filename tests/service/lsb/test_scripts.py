"""get_lsb_header_val, compared with the sed expression of the original."""

import subprocess

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ssd.service import lsb
from ssd.service.lsb.scripts import values
from ssd.service.sources.header import BEGIN, END

LINES = st.lists(
    st.sampled_from(
        [
            BEGIN, END, f"x {BEGIN}", f"{END} x", f"{BEGIN} {END}", "# Key: one", "# Key:  two ",
            "# Key:", "# Key: ", "#Key: x", "a # Key: b # Key: c", "# Other: x", "", "# Key:\tx",
        ]
    ),
    max_size=8,
)  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(LINES)
@example([BEGIN, "# Key: one"])
@example([f"{BEGIN} {END}", "# Key: one", END, "# Key: two"])
@example([f"{BEGIN} # Key: one", f"{END} # Key: two", "# Key: three"])
def test_values_are_what_sed_prints(lines: list[str]) -> None:
    """Delimiters anywhere in a line, several headers, one without an end."""
    text = "".join(f"{line}\n" for line in lines)
    command = ["sed", "-n", rf"/{BEGIN}/,/{END}/ s/# Key: \+\(.*\)/\1/p"]
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=True)
    assert done.stdout == "".join(f"{value}\n" for value in values(text, "Key"))


def test_script_that_is_not_there_is_an_error(tmp_path) -> None:
    """The command turns the exception into a status."""
    with pytest.raises(FileNotFoundError):
        lsb.get_lsb_header_val(str(tmp_path / "none"), "Provides")
