"""The keyword ``logger`` of a Command in its normal form."""

from math import inf, nan
from pathlib import Path
from typing import Any

import pytest

import ssd
from ssd.logs.declared import normal

# what is given -> what is kept
GIVEN: dict[str, tuple[Any, dict[str, object]]] = {
    "a text": ("/var/log/web.log", {"path": "/var/log/web.log"}),
    "a path": (Path("/var/log/web.log"), {"path": "/var/log/web.log"}),
    "bytes": (b"/var/log/web.log", {"path": "/var/log/web.log"}),
    "the system's log": ("syslog", {"kind": "none", "syslog": True}),
    "some settings": (
        {"path": Path("/a"), "keep": 2, "max_age": 1.5, "form": "json", "stderr_path": None},
        {"path": "/a", "keep": 2, "max_age": 1.5, "form": "json"},
    ),
}

# what is given -> the error, and how its text begins
REFUSED: dict[str, tuple[Any, type[Exception], str]] = {
    "a number": (7, TypeError, "logger must be a path, 'syslog' or a mapping"),
    "an unknown setting": ({"size": 1}, ValueError, "logger: unknown setting 'size'; known: name"),
    "an unknown form": ({"form": "xml"}, ValueError, "logger: form must be one of plain, time"),
    "a negative size": ({"max_size": -1}, ValueError, "logger: max_size must be a number from 0"),
    "an endless age": ({"max_age": inf}, ValueError, "logger: max_age must be a number from 0"),
    "an age that is none": ({"max_age": nan}, ValueError, "logger: max_age must be a number"),
    "a size with a fraction": ({"max_size": 1.5}, ValueError, "logger: max_size must be a number"),
    "a size that is a flag": ({"max_size": True}, ValueError, "logger: max_size must not be True"),
    "a flag that is a number": ({"syslog": 1}, ValueError, "logger: syslog must not be 1"),
    "a path that is a number": ({"path": 1}, TypeError, "logger: path must be a text"),
    "a path with NUL": ("/a\0", ValueError, "logger: path must be a text without NUL bytes"),
    "no path": ("", ValueError, "logger: path must be a text"),
}


@pytest.mark.parametrize("case", GIVEN)
def test_logger_has_a_normal_form(case: str) -> None:
    """A mapping of plain values, as the field log has them."""
    given, kept = GIVEN[case]
    assert kept == normal(given)
    assert kept == ssd.Command(["/bin/true"], logger=given).logger


@pytest.mark.parametrize("case", REFUSED)
def test_logger_that_cannot_work_is_refused(case: str) -> None:
    """The error names the setting, before anything is started."""
    given, kind, text = REFUSED[case]
    with pytest.raises(kind) as caught:
        ssd.Command(["/bin/true"], logger=given)
    assert str(caught.value).startswith(text)
