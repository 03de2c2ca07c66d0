"""The values of a job file."""

from ssd.service.sources.upstart import JobFile, Stage, parse


def test_jobs_are_equal_if_their_stanzas_say_the_same() -> None:
    """However they are written, and wherever."""
    one = parse("task\nexec  a # b\n", "x", file="/etc/init/x.conf")
    other = parse("exec a\n\ntask", "x")
    assert one == other
    assert one != parse("exec a\n", "x")
    assert one != parse("exec a\ntask\n", "y")
    assert one != "x" and Stage(True, "") != ""


def test_stage_knows_commands_from_scripts() -> None:
    """The same text may be either."""
    assert Stage(True, "a") != Stage(False, "a")
    assert "Stage(False, 'a')" == repr(Stage(False, "a"))


def test_empty_job_has_the_defaults_of_upstart() -> None:
    """TERM, KILL after five seconds, ten restarts in five seconds, one instance."""
    job = JobFile("x")
    assert (15, 5.0, 1) == (job.kill_signal, job.kill_timeout, job.reload_signal)
    assert (False, 10, 5) == (job.respawn, job.respawn_limit, job.respawn_interval)
    assert ("", "log", "none", {}) == (job.instance, job.console, job.expect, job.stages)
    assert "<JobFile x>" == repr(job)


def test_service_is_made_once() -> None:
    """A directory of jobs is read without making any."""
    job = parse("exec /bin/a\n", "x")
    assert job.service is job.service
    assert "/bin/a" == job.service.executable
