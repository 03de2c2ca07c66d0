"""One fake machine, used by several threads of a program."""

import signal
import sys
import threading
from collections.abc import Callable, Iterator

import pytest

import ssd
from ssd.testing import FakeProcesses, dies


@pytest.fixture
def hasty() -> Iterator[None]:
    """Let the interpreter switch threads as often as possible."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def side_by_side(work: Callable[[int], object], many: int) -> list[BaseException]:
    """Run a function in many threads at once; return what they raised."""
    raised: list[BaseException] = []

    def run(number: int) -> None:
        try:
            work(number)
        except BaseException as error:  # noqa: BLE001 - it is the result
            raised.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(many)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return raised


@pytest.mark.parametrize("time", range(20))
def test_time_goes_on_whoever_waits(time: int, hasty: None, fake_processes: FakeProcesses) -> None:
    """Threads stop, start, end and wait; no event is lost, and time never goes back."""
    fake_processes.allow_unregistered()
    for number in range(8):
        fake_processes.add(f"d{number}", reactions={signal.SIGTERM: dies(after=7 * number + 1)})

    def work(number: int) -> None:
        stopped = ssd.stop(ssd.Match(name=f"d{number}"), "TERM/30/KILL/5", table=fake_processes)
        assert 1 == len(stopped)
        for turn in range(5):
            name = f"n{number}.{turn}"
            process = ssd.start(
                ssd.Match(name=name), ssd.Command([f"/bin/{name}"]), table=fake_processes
            )
            with fake_processes.open(process) as handle:
                fake_processes[process.pid].die(after=3)
                fake_processes.wait([handle], None)

    assert [] == side_by_side(work, 8)
    times = [event.time for event in fake_processes.events]
    assert sorted(times) == times
    assert ([1, 100], 40) == (fake_processes.pids(), len(fake_processes.started))
