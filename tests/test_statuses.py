"""Which LSB status comes of what was found."""

import pytest

from ssd.statuses import lsb_status

# (a process matches, the pidfile: True gave a pid, False holds none, None is not there,
# a pidfile was asked for) -> LSB status
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
    """0 running, 1 dead with a pidfile, 3 not running, 4 cannot tell."""
    assert STATUSES[case] == lsb_status(*case)
