"""Why a stage could not be started, in Upstart's words."""

import pytest

from ssd.upstart.processes.forking import describe


@pytest.mark.parametrize(
    "step, reason, text",
    [
        ("exec", "No such file or directory", "unable to execute: No such file or directory"),
        ("user", "", "unable to find setuid user"),
        ("limit cpu", "Invalid argument", 'unable to set "cpu" resource limit: Invalid argument'),
        ("set trace", "No such process", "unable to set trace: No such process"),
    ],
)  # fmt: skip
def test_step_has_upstarts_text(step: str, reason: str, text: str) -> None:
    """The kernel's reason follows, if there is one."""
    assert text == describe(step, reason)
