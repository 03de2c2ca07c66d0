"""Whatever a file has in it, it is a job or a fault."""

from hypothesis import given, settings
from hypothesis import strategies as st

from ssd.service.sources.upstart import JobFault, JobFile, parse
from ssd.service.sources.upstart.conditions import parse_condition
from ssd.service.sources.upstart.translating import translate
from ssd.service.sources.upstart.writer import write

from .generated import JOB, SOUP, damaged


def outcome(text: str) -> JobFile | JobFault:
    """Return the job, with all that is made of it, or the fault."""
    try:
        job = parse(text, "x", file="/etc/init/x.conf", override=text)
    except JobFault as fault:
        last = text.count("\n") + 1
        assert fault.line is not None and 1 <= fault.line <= last
        assert str(fault).startswith(f"/etc/init/x.conf:{fault.line}: {fault.reason}")
        return fault
    assert "x" == job.service.name
    assert job.service == type(job.service)(**job.service.to_dict())
    for kind in ("systemd", "sysv", "openrc"):
        assert "x" == translate(job, kind).name
    assert parse(write(job), "x") == job
    return job


@given(st.binary(max_size=200))
def test_random_bytes_are_a_job_or_a_fault(data: bytes) -> None:
    """Decoded as every file is."""
    outcome(data.decode("utf-8", "surrogateescape"))


@given(SOUP)
@settings(max_examples=500)
def test_soup_of_tokens_is_a_job_or_a_fault(text: str) -> None:
    """Stanzas, quotes and brackets in any order."""
    outcome(text)


@given(damaged())
@settings(max_examples=300)
def test_damaged_jobs_are_jobs_or_faults(text: str) -> None:
    """A file that an editor or a disk has spoilt."""
    outcome(text)


@given(JOB)
def test_generated_jobs_are_jobs(text: str) -> None:
    """So that the other tests see more than faults."""
    assert isinstance(outcome(text), JobFile)


@given(SOUP)
def test_soup_is_a_condition_or_a_fault(text: str) -> None:
    """Its source then reads back."""
    try:
        condition = parse_condition(text)
    except JobFault as fault:
        assert fault.line is not None
    else:
        assert condition == parse_condition(condition.source())
