"""Errors in job files, as a user sees them."""

import pickle

from ssd.errors import Error
from ssd.service import DeclarationError
from ssd.service.sources.upstart.faults import UNKNOWN_STANZA, JobFault


def test_fault_says_file_line_and_reason() -> None:
    """And is an error of a declaration, which every command reports."""
    fault = JobFault(UNKNOWN_STANZA, "/etc/init/x.conf", 3)
    assert isinstance(fault, DeclarationError) and isinstance(fault, Error)
    assert "/etc/init/x.conf:3: Unknown stanza" == str(fault)


def test_fault_says_which_stanza_was_meant() -> None:
    """Upstart does not; the reason alone is as Upstart says it."""
    fault = JobFault(UNKNOWN_STANZA, "/etc/init/x.conf", 3, "expect")
    assert "/etc/init/x.conf:3: Unknown stanza; did you mean expect?" == str(fault)
    assert "Unknown stanza" == fault.reason


def test_fault_survives_pickle() -> None:
    """It may cross a process."""
    fault = pickle.loads(pickle.dumps(JobFault(UNKNOWN_STANZA, "x.conf", 3, "exec")))
    assert ("x.conf", 3, "exec") == (fault.file, fault.line, fault.nearest)
