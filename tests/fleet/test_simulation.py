"""What scripts/fleet-simulation says of Ansible, beside Ansible itself. No host is needed."""

import os
from collections.abc import Sequence

import pytest
from kit.ssh_hosts import ansible_programs
from simulation import reality
from simulation.fleet import Fate
from simulation.rollout import Controller, Serial, batches

pytestmark = pytest.mark.fleet

QUICK = Fate(0.0, 0.0)
BAD = QUICK._replace(fails=True)


@pytest.fixture(autouse=True)
def programs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have ansible-playbook on the PATH."""
    if not (ansible_programs() / "ansible-playbook").exists():
        pytest.skip("ansible-core is missing: scripts/test --fleet installs it")
    monkeypatch.setenv("PATH", f"{ansible_programs()}:{os.environ['PATH']}")


@pytest.mark.parametrize(
    ("serial", "bad"),
    [((1, "25%", "50%"), 2), ((4,), 5), (("10%",), 0), ((1, 2, 3), 11)],
    ids=str,
)
def test_bad_host_stops_where_it_stops_ansible(serial: Sequence[Serial], bad: int) -> None:
    """The same hosts are reached and restarted until then."""
    fates = [QUICK] * 12
    fates[bad] = BAD
    real = reality.run(fates, tuple(serial), 4)
    simulated = reality.simulated_like(fates, tuple(serial), 4, Controller())
    (end,) = [batch.stop for batch in batches(12, serial) if bad in batch]
    assert (set(range(end)), set(range(end))) == (real.reached, real.touched)
    assert end == simulated.touched


def test_rollout_without_a_failure_reaches_all_hosts() -> None:
    """In reality, too, and each run says what it has cost."""
    real = reality.run([QUICK] * 5, (1, "50%"), 3)
    assert set(range(5)) == real.reached == real.touched
    assert min(real.seconds, real.main, real.workers) > 0


def test_run_that_cannot_begin_says_why() -> None:
    """Here for a serial that makes no sense to Ansible."""
    with pytest.raises(RuntimeError, match="ansible-playbook ended with "):
        reality.run([QUICK], ("x%",), 1)
