"""What waits for a job."""

from ssd.upstart.errors import JobError
from ssd.upstart.events.blocking import Blocking
from ssd.upstart.events.emissions import Emission


def _blocking(answers: list[JobError | None]) -> tuple[Blocking, Emission]:
    blocking = Blocking(lambda done, error: done(error))
    emission = Emission("go")
    blocking.add_events([emission])
    blocking.add_wish("start", answers.append)
    return blocking, emission


def test_success_is_told_to_all() -> None:
    """Success is told to all."""
    answers: list[JobError | None] = []
    blocking, emission = _blocking(answers)
    assert emission.blockers == 1
    blocking.release(False)
    assert answers == [None]
    assert (emission.blockers, emission.failed) == (0, False)


def test_failure_is_told_to_all_once() -> None:
    """A failure is told to all once."""
    answers: list[JobError | None] = []
    blocking, emission = _blocking(answers)
    blocking.release(True)
    blocking.release(True)
    assert [str(answer) for answer in answers] == ["Job failed to start"]
    assert (emission.blockers, emission.failed) == (0, True)
