"""scripts/fleet-simulation: rules of the model, and what the documentation shows of it."""

import json
from math import isclose

import pytest
from conftest import CHECKOUT
from hypothesis import given, settings
from hypothesis import strategies as st
from simulation import figures, report
from simulation.__main__ import DRAWN, PAGES, PICTURE, main, written
from simulation.fleet import Fate, Fleet
from simulation.picture import picture
from simulation.rollout import (
    WITHOUT_HOOKS,
    Controller,
    Rollout,
    Tasks,
    attempts,
    batches,
    simulate,
)

SERIAL = st.lists(
    st.integers(1, 30) | st.integers(1, 100).map("{}%".format), min_size=1, max_size=4
).map(tuple)


def fleets(**chances: float) -> st.SearchStrategy[Fleet]:
    """Return small fleets; each chance of a host is sometimes 0."""
    values = {name: st.sampled_from([0.0, value]) for name, value in chances.items()}
    basis = {"hosts": st.integers(1, 60), "seed": st.integers()}
    return st.fixed_dictionaries({**basis, **values}).map(lambda given: Fleet(**given))


FLEETS = fleets(killed=0.1)
FAULTY = fleets(unreachable=0.05, bad=0.1)
TASKS = st.sampled_from([Tasks(), WITHOUT_HOOKS])
A_LITTLE = 1e-6  # seconds, of sums in another order


@given(st.integers(1, 12_000), SERIAL)
def test_batches_are_all_hosts_in_their_order(hosts: int, serial) -> None:
    """Each once; the last value is for all that are left."""
    found = batches(hosts, serial)
    assert list(range(hosts)) == [host for batch in found for host in batch]
    assert len({len(batch) for batch in found[len(serial) - 1 : -1]}) <= 1


def test_percentage_is_of_all_hosts() -> None:
    """Rounded down, but one at least."""
    assert [1, 5, 10, 4] == [len(batch) for batch in batches(20, (1, "25%", "50%"))]
    assert [1, 1, 1] == [len(batch) for batch in batches(3, (1, "5%", "10%"))]
    assert [7] == [len(batch) for batch in batches(7, ())]


@settings(max_examples=50)
@given(FLEETS, SERIAL, TASKS, st.integers(1, 20), st.integers(0, 20), st.integers(1, 8))
def test_more_forks_are_never_slower(fleet, serial, tasks, forks, more, processors) -> None:
    """With the same hosts, and the same controller."""
    fates, controller = fleet.fates(), Controller(processors)
    slow, fast = (
        simulate(fates, Rollout(serial, each, tasks=tasks, controller=controller))
        for each in (forks, forks + more)
    )
    assert fast.seconds <= slow.seconds + A_LITTLE


@settings(max_examples=50)
@given(FLEETS, SERIAL, TASKS, st.integers(1, 20), st.integers(1, 8))
def test_more_processors_are_never_slower(fleet, serial, tasks, forks, processors) -> None:
    """With as many forks."""
    fates = fleet.fates()
    slow, fast = (
        simulate(fates, Rollout(serial, forks, tasks=tasks, controller=Controller(each)))
        for each in (processors, processors + 1)
    )
    assert fast.seconds <= slow.seconds + A_LITTLE


@settings(max_examples=50)
@given(FAULTY, SERIAL, TASKS, st.integers(1, 20), st.integers(0, 3))
def test_hosts_down_are_limited(fleet, serial, tasks, forks, allowed) -> None:
    """By forks and the batch, those that are drained by the batch; failed hosts come in addition.

    A host is touched at most once, and none after the batch in which it stops.
    """
    fates = fleet.fates()
    result = simulate(fates, Rollout(serial, forks, max_failed=allowed, tasks=tasks))
    plan = batches(len(fates), serial)
    largest = max(map(len, plan))
    assert result.most_down <= min(forks, largest) + result.failed
    assert result.most_down <= result.most_out <= largest + result.failed
    reached = sum(map(len, plan[: result.batches]))
    assert result.touched <= reached - result.unreachable
    bad = result.failed + result.unreachable
    assert result.stopped or bad <= allowed
    assert not result.stopped or bad > allowed or len(plan[result.batches - 1]) <= bad
    if not result.stopped:
        assert result.touched == len(fates) - result.unreachable


@settings(max_examples=50)
@given(FLEETS, SERIAL, st.integers(1, 20))
def test_downtime_is_that_of_the_restarts(fleet, serial, forks) -> None:
    """However they are divided; without hooks no host is out of service longer."""
    fates = fleet.fates()
    result = simulate(fates, Rollout(serial, forks, tasks=WITHOUT_HOOKS))
    restarts = sum(fate.restart + WITHOUT_HOOKS.module for fate in fates)
    assert isclose(restarts, result.down_seconds)
    assert isclose(restarts, result.out_seconds)
    assert simulate(fates, Rollout(serial, forks)).out_seconds >= result.out_seconds


@settings(max_examples=50)
@given(st.integers(1, 60), SERIAL, st.integers(1, 20), st.integers(0, 100))
def test_bad_version_touches_exactly_the_canary_batch(hosts, serial, forks, lives) -> None:
    """All of it is down then, also if it ends during the soak."""
    fates = Fleet(hosts, bad=1.0, lives=lives).fates()
    result = simulate(fates, Rollout(serial, forks, soak=120.0))
    canary = len(batches(hosts, serial)[0])
    assert (True, canary, canary) == (result.stopped, result.touched, result.failed)


def test_version_that_ends_after_the_soak_is_found_too_late() -> None:
    """All hosts have it then."""
    fates = Fleet(20, bad=1.0, lives=300.0).fates()
    result = simulate(fates, Rollout((1, 5), 20, soak=120.0, tasks=WITHOUT_HOOKS))
    assert (False, 20) == (result.stopped, result.touched)


@settings(max_examples=50)
@given(FLEETS, SERIAL, st.data())
def test_bad_host_stops_its_batch(fleet, serial, data) -> None:
    """The batch has been restarted, nothing after it, and the others of the batch are back."""
    fates = fleet.fates()
    bad = data.draw(st.integers(0, len(fates) - 1))
    fates[bad] = fates[bad]._replace(fails=True)
    result = simulate(fates, Rollout(serial, 10))
    (end,) = [batch.stop for batch in batches(len(fates), serial) if bad in batch]
    assert (True, end, 1) == (result.stopped, result.touched, result.failed)


@settings(max_examples=50)
@given(FLEETS, SERIAL, st.data())
def test_unreachable_host_costs_nothing(fleet, serial, data) -> None:
    """No host of its batch is touched, nor drained."""
    fates = fleet.fates()
    lost = data.draw(st.integers(0, len(fates) - 1))
    fates[lost] = fates[lost]._replace(reachable=False)
    result = simulate(fates, Rollout(serial, 10))
    (begin,) = [batch.start for batch in batches(len(fates), serial) if lost in batch]
    assert (True, begin, 0, 1) == (
        result.stopped, result.touched, result.failed, result.unreachable
    )  # fmt: skip


@settings(max_examples=50)
@given(FAULTY, SERIAL, st.integers(1, 20), st.integers(0, 3))
def test_resumed_runs_restart_each_host_once(fleet, serial, forks, allowed) -> None:
    """All but those that nobody can reach."""
    fates = fleet.fates()
    rollout = Rollout(serial, forks, max_failed=allowed)
    results = list(attempts(fates, rollout))
    assert sum(fate.reachable for fate in fates) == sum(result.touched for result in results)
    assert sum(not fate.reachable for fate in fates) == sum(r.unreachable for r in results)


def test_batch_without_a_good_host_stops_it() -> None:
    """Whatever number may fail, as with Ansible."""
    fates = Fleet(10, bad=1.0).fates()
    result = simulate(fates, Rollout((1, 5), 5, max_failed=10))
    assert (True, 1) == (result.stopped, result.touched)


def test_batch_waits_for_its_slowest_host_in_each_task() -> None:
    """And for a fork, where there are fewer than hosts."""
    fates = [Fate(5.0, 5.0), Fate(20.0, 10.0), Fate(1.0, 1.0)]
    controller = Controller(4, 0.001, 0.0, 0.0)
    tasks = WITHOUT_HOOKS._replace(module=0.0, after=0)
    usual = Rollout((3,), 3, 0.0, tasks=tasks, controller=controller)
    assert 30 == pytest.approx(simulate(fates, usual).seconds, abs=0.1)
    assert 42 == pytest.approx(simulate(fates, usual._replace(forks=1)).seconds, abs=0.1)
    assert 42 == pytest.approx(simulate(fates, usual._replace(serial=(1,))).seconds, abs=0.1)


def test_figure_that_was_computed_by_hand_is_met() -> None:
    """Serial 50: 200 batches of 15 seconds, 1,700 CPU seconds on 4 processors: 57 minutes."""
    fates = Fleet(10_000, stop=(15.0, 15.0), start=(0.0, 0.0), killed=0.0).fates()
    tasks = WITHOUT_HOOKS._replace(module=0.0, after=0)
    result = simulate(fates, Rollout((50,), 50, 0.0, tasks=tasks, controller=Controller(4)))
    assert 57 == int(result.seconds / 60)
    assert 1700 == pytest.approx(result.processor_seconds)


def test_same_seed_gives_the_same_hosts() -> None:
    """However many of them fail: they are added, and the others stay."""
    some, more = Fleet(1000, bad=0.1).fates(), Fleet(1000, bad=0.3).fates()
    assert some == Fleet(1000, bad=0.1).fates() != Fleet(1000, seed=2, bad=0.1).fates()
    assert [a.restart for a in some] == [b.restart for b in more]
    assert all(b.fails for a, b in zip(some, more, strict=True) if a.fails)


@pytest.mark.parametrize("controller", [Controller(0), Controller(main=0.0)], ids=str)
def test_controller_that_cannot_be_is_refused(controller: Controller) -> None:
    """The message says which."""
    with pytest.raises(ValueError, match=r"processors=\d+, main=.*must be more"):
        simulate(Fleet(1).fates(), Rollout(controller=controller))


def test_command_says_what_came_out(capsys) -> None:
    """In words, or as an object."""
    words = ["--hosts=6", "--serial=1,2", "--bad=1", "--no-hooks"]
    assert 0 == main(words)
    assert "restarted 1, down now 1, unreachable 0\n" in capsys.readouterr().out
    assert 0 == main([*words, "--json"])
    found = json.loads(capsys.readouterr().out)
    assert (True, 1, 1) == (found["stopped"], found["touched"], found["batches"])


@pytest.mark.parametrize(
    ("words", "right"),
    [
        ("--hosts=0", "'0' is not a whole number from 1 to 1000000"),
        ("--hosts=1e9", "'1e9' is not a whole number from 1 to 1000000"),
        ("--forks=0", "'0' is not a whole number from 1 to 1000000"),
        ("--processors=1000000000", "'1000000000' is not a whole number from 1 to"),
        ("--max-failed=-1", "'-1' is not a whole number from 0 to"),
        ("--serial=5%,x", "'5%,x': write numbers of hosts, 1 or more, and whole percentages"),
        ("--serial=0", "'0': write"),
        ("--serial=-5%", "'-5%': write"),
        ("--serial=", "'': write"),
        ("--bad=1.5", "'1.5' is not a share of all hosts from 0 to 1"),
        ("--bad=nan", "'nan' is not a share"),
        ("--soak=-1", "'-1' is not a number of seconds from 0 to 604800"),
        ("--soak=inf", "'inf' is not a number of seconds"),
        ("--schedule=1e308", "'1e308' is not a number of seconds"),
        ("--stop 12 5", "12 5: write the smaller number first"),
    ],
)
def test_command_refuses_what_makes_no_sense(words: str, right: str, capsys) -> None:
    """And names the option, and what is right."""
    with pytest.raises(SystemExit) as ended:
        main(words.split())
    assert 2 == ended.value.code
    option = words.replace("=", " ").split()[0]
    assert f"argument {option}: {right}" in capsys.readouterr().err


def test_command_says_in_how_many_batches(capsys) -> None:
    """Or in which it stopped."""
    for words, said in (
        (["--hosts=6", "--serial=1,2"], "minutes, in 4 batches\n"),
        (["--hosts=1"], "minutes, in 1 batch\n"),
        (["--hosts=6", "--bad=1", "--serial=2"], "seconds, in batch 1\n"),
    ):
        main(words)
        assert said in capsys.readouterr().out


def test_comparison_without_ansible_names_the_way_out(capsys, monkeypatch, tmp_path) -> None:
    """No traceback."""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert 1 == main(["--compare"])
    assert "ansible-playbook is not found: put Ansible's programs" in capsys.readouterr().err


def test_pages_and_picture_show_the_figures() -> None:
    """Written by ``scripts/fleet-simulation --docs``."""
    found = written()
    for page in PAGES:
        assert page.read_text() == report.renew(page.read_text(), found)
    assert PICTURE.read_text() == picture(found["times"], found["faults"], DRAWN)
    texts = "".join(page.read_text() for page in PAGES)
    assert [] == [name for name in report.TABLES if f"<!-- {name}: by " not in texts]


def test_role_has_the_defaults_that_the_simulation_chose() -> None:
    """As the how-to says; forks belong to Ansible, and the page recommends them."""
    role = CHECKOUT / "packaging/ansible/roles/rolling_restart"
    lines = (role / "defaults/main.yml").read_text().splitlines()
    values = dict(line.split(": ", 1) for line in lines if line.startswith("rolling_"))
    usual, page = Rollout(), PAGES[0].read_text()
    assert list(usual.serial) == json.loads(values["rolling_restart_serial"])
    assert usual.soak == float(values["rolling_restart_soak"])
    assert usual.max_failed == int(values["rolling_restart_max_failed"])
    assert f"`{values['rolling_restart_serial']}` and a soak of {usual.soak:g} seconds" in page
    assert f"\nforks = {figures.RECOMMENDED}\n" in page
    assert usual.forks == figures.RECOMMENDED
    playbook = (role.parent.parent / "playbooks/rolling_restart.yml").read_text()
    assert 'serial: "{{ rolling_restart_serial | ssd.daemon.batches }}"' in playbook


@pytest.mark.slow
def test_figures_are_those_of_today() -> None:
    """The simulation gives them again, but for those that were measured."""
    measured = written().pop("ansible")
    assert {**figures.all_figures(), "ansible": measured} == written()
