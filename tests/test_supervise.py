"""Which supervisor ssd-supervise is."""

import pytest

from ssd.supervise import means_jobs
from ssd.supervision.cli.options import INITS


@pytest.mark.parametrize("program", INITS)
def test_names_of_init_mean_jobs(program: str) -> None:
    """Whatever the words are."""
    assert means_jobs(["--confdir", "/"], program)


@pytest.mark.parametrize(
    ("words", "jobs"),
    [
        ([], False),
        (["--upstart"], True),
        (["--upstart=/etc/init"], True),
        (["--strict", "--upstart", "/etc/init"], True),
        (["--quiet", "web"], False),
        (["--", "--upstart"], False),
        (["--upstarts"], False),
    ],
)
def test_option_for_jobs_may_stand_anywhere(words: list[str], jobs: bool) -> None:
    """But not after the end of the options."""
    assert jobs is means_jobs(words, "ssd-supervise")
