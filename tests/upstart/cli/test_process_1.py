"""A supervisor of jobs as process 1: orphans, the signals of the kernel, and its clients."""

import signal
from pathlib import Path

import pytest

from .running import jobs
from .test_running import NAP, ON_STARTUP, job_that_says, until_said

pytestmark = pytest.mark.requires_namespaces


def test_orphans_are_reaped(ssd_path: Path, tmp_path: Path) -> None:
    """A zombie of a job's grandchild would stay for ever; the job's own end is not taken away."""
    d = tmp_path / "d"
    script = "start on startup\nscript\n(sleep 0.1 &)\n(true &)\nexec sleep 1000\nend script\n"
    files = {"web.conf": script, "after.conf": "start on started web\ntask\nexec sleep 0.3\n"}
    with jobs(ssd_path, d, files, init=True) as running:
        running.until("after has stopped")
        assert 1 == int(running.pids_of(running.pid)[-1])
        found = running.processes()
        assert [] == [name for name in found.values() if name.startswith("Z")]
        assert 1 == sum(name.endswith(" sleep") for name in found.values())
        assert 0 == running.stop()


def test_interrupt_is_an_event_for_a_job_that_waits_for_it(ssd_path: Path, tmp_path: Path) -> None:
    """As the kernel sends it for Ctrl-Alt-Delete."""
    d = tmp_path / "d"
    files = {"web.conf": ON_STARTUP, "cad.conf": job_that_says(d, "control-alt-delete", "pressed")}
    with jobs(ssd_path, d, files, init=True) as running:
        running.until("web runs as process")
        running.send(signal.SIGINT)
        until_said(running, d, "pressed")
        assert 0 == running.stop()


def test_interrupt_ends_all_if_no_job_waits_for_it(ssd_path: Path, tmp_path: Path) -> None:
    """It may be Ctrl-C on the terminal of a container."""
    with jobs(ssd_path, tmp_path / "d", {"web.conf": ON_STARTUP}, init=True) as running:
        running.until("web runs as process")
        running.send(signal.SIGINT)
        assert 0 == running.end()


@pytest.mark.parametrize(
    ("number", "event"),
    [(signal.SIGWINCH, "keyboard-request"), (signal.SIGPWR, "power-status-changed")],
)
def test_signals_to_init_are_events(
    ssd_path: Path, tmp_path: Path, number: int, event: str
) -> None:
    """They end nothing, whether a job waits for them or not."""
    d = tmp_path / "d"
    files = {"web.conf": ON_STARTUP, "got.conf": job_that_says(d, event, "got")}
    with jobs(ssd_path, d, files, init=True) as running:
        running.until("web runs as process")
        running.send(signal.SIGWINCH)
        running.send(signal.SIGPWR)
        running.send(number)
        until_said(running, d, "got")
        assert 0 == running.stop()


def test_clients_and_jobs_reach_it(ssd_path: Path, tmp_path: Path) -> None:
    """By the link beside its run directory; a job finds the commands first in its PATH."""
    d, initctl = tmp_path / "d", ssd_path.with_name("ssd-initctl")
    script = f"start on startup\npre-start script\nstart other\nstatus\nend script\n{NAP}"
    files = {"web.conf": script, "other.conf": NAP}
    with jobs(ssd_path, d, files, f"--logs={d}/logs", init=True) as running:
        running.until("web runs as process")
        said = (d / "logs" / "web.log").read_bytes().decode().splitlines()
        assert said[0].startswith("other start/running, process ")
        assert said[1].startswith("web start/pre-start, process ")
        done = running.run(initctl, "status", "other")
        assert (0, "", said[0] + "\n") == (done.returncode, done.stderr, done.stdout)
        assert "init (upstart 1.13.2)\n" == running.run(initctl, "version").stdout
        done = running.run(initctl, "stop", "other")
        assert "other stop/waiting\n" == done.stdout
        assert 0 == running.stop()
