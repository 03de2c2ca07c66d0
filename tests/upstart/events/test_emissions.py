"""Events, until all that they have set off has ended."""

from ssd.upstart.events.emissions import Emission, Emissions


def test_event_that_nobody_wants_is_finished_at_once() -> None:
    """An event that nobody wants is finished at once."""
    seen: list[str] = []
    finished: list[Emission] = []
    emissions = Emissions(lambda emission: seen.append(emission.name))
    emission = Emission("go", ["A=1"], finished.append)
    emissions.add(emission)
    assert emissions.due
    assert emissions.turn()
    assert seen == ["go"]
    assert finished == [emission]
    assert not emissions.due
    assert not emissions.turn()


def test_blocked_event_is_finished_when_its_last_block_goes() -> None:
    """A blocked event is finished when its last block goes."""
    finished: list[Emission] = []
    emissions = Emissions(lambda emission: emission.block())
    emission = Emission("go", (), finished.append)
    emission.block()
    emissions.add(emission)
    emissions.turn()
    emission.unblock()
    emissions.turn()
    assert not finished
    emission.unblock()
    assert emissions.due
    emissions.turn()
    assert finished == [emission]


def test_event_that_a_job_fails_is_followed_by_one_that_says_so() -> None:
    """An event that a job fails is followed by one that says so."""
    seen: list[tuple[str, list[str]]] = []
    emissions = Emissions(lambda emission: seen.append((emission.name, emission.pairs)))
    emission = Emission("go", ["A=1"])
    emission.block()
    emissions.add(emission)
    emissions.turn()
    emission.unblock(failed=True)
    emissions.turn()
    assert seen == [("go", ["A=1"]), ("go/failed", ["A=1"])]


def test_failure_of_a_failure_has_no_event() -> None:
    """A failure of a failure has no event."""
    emission = Emission("go/failed")
    emission.failed = True
    assert emission.failure is None


def test_events_that_event_sets_off_are_seen_in_same_turn() -> None:
    """Events that an event sets off are seen in the same turn."""
    seen: list[str] = []

    def see(emission: Emission) -> None:
        seen.append(emission.name)
        if emission.name == "a":
            emissions.add(Emission("b"))

    emissions = Emissions(see)
    emissions.add(Emission("a"))
    emissions.turn()
    assert seen == ["a", "b"]
