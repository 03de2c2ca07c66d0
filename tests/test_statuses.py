"""The LSB status that follows from what was found."""

import pytest

from ssd.statuses import lsb_status

# (a process matches; the pidfile holds a pid, True or False, or does not exist, None;
# a pidfile was a criterion) -> LSB status
STATUSES = {
    (True, True, True): 0,
    (True, None, False): 0,
    (False, True, True): 1,
    (False, None, True): 3,
    (False, None, False): 3,
    (False, False, True): 4,
}


@pytest.mark.parametrize("case", STATUSES)
def test_lsb_status_follows_from_the_process_and_the_pidfile(case: tuple) -> None:
    """0 running, 1 dead with a pidfile, 3 not running, 4 unknown."""
    assert STATUSES[case] == lsb_status(*case)
