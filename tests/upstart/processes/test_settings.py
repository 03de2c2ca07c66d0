"""The settings of a job's processes."""

import resource

import pytest

from ssd.upstart.processes.settings import plan_for
from ssd.upstart.processes.steps import Plan
from upstart.processes.scene import Job


def plan(
    stage: str = "main", descriptors: "tuple[int, int] | None" = None, **values: object
) -> Plan:
    """Return the plan of a job with these values."""
    job = Job(exec="sleep 1", **values)
    job.supervisor.effects = type("Effects", (), {"descriptors": descriptors, "close_fds": False})()
    return plan_for(job, stage, ["sleep", "1"], {})


@pytest.mark.parametrize(
    "field, expected",
    [("umask", 0o22), ("nice", None), ("oom", None), ("root", None), ("directory", "/"),
     ("setuid", None), ("console", "log"), ("limits", []), ("settles", True), ("pauses", False),
     ("closes", False)],
)  # fmt: skip
def test_job_without_stanzas_has_upstarts_defaults(field: str, expected: object) -> None:
    """They do not depend on the supervisor's own."""
    assert expected == getattr(plan(), field)


@pytest.mark.parametrize(
    "values, field, expected",
    [({"umask": 0}, "umask", 0), ({"nice": -5}, "nice", -5), ({"oom": 300}, "oom", 300),
     ({"oom": 0}, "oom", None),
     ({"chroot": "/srv"}, "root", "/srv"), ({"chdir": "/tmp"}, "directory", "/tmp"),
     ({"setgid": "adm"}, "setgid", "adm"), ({"console": "none"}, "console", "none"),
     ({"debug": True}, "pauses", True)],
)  # fmt: skip
def test_stanza_counts(values: "dict[str, object]", field: str, expected: object) -> None:
    """Each has its place in the plan."""
    assert expected == getattr(plan(**values), field)


def test_stage_security_keeps_what_it_has() -> None:
    """It makes the profile that the other stages get."""
    assert not plan("security").settles


def test_limits_of_the_job_come_after_the_supervisors() -> None:
    """It has raised its own for descriptors, and gives the former ones to its children."""
    found = plan(descriptors=(1024, 4096), limits={"nofile": (9, 10), "core": (-1, -1)}).limits
    nofile, core = resource.RLIMIT_NOFILE, resource.RLIMIT_CORE
    expected = [("nofile", nofile, 1024, 4096), ("nofile", nofile, 9, 10), ("core", core, -1, -1)]
    assert expected == found


def test_every_limit_of_upstart_has_a_number() -> None:
    """The fifteen that the stanza knows; this system may have no number for one."""
    names = ("as core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio "
             "sigpending stack").split()  # fmt: skip
    found = plan(limits=dict.fromkeys(names, (1, 2))).limits
    assert names == [name for name, *_ in found]
    assert len(names) == len({number for _, number, *_ in found})
