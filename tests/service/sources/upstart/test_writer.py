"""A job that is written reads back as the same job."""

import pytest
from hypothesis import example, given

from ssd.service.sources.upstart import JobFile, parse
from ssd.service.sources.upstart.writer import write

from .corpus import CORPUS
from .generated import JOB


@given(JOB)
@example("exec c   \\$d\n")
@example("exec /x \\'\n")
@example("exec /x \\# \\\\'a b' \\'\n")
@example("exec c  \\$d\\ \\\\ e\n")
@example("script\n  a\n b\nend script\n")
@example("start on =x and 'and' '!=y'\n")
@example("respawn limit 0 5\n")
def test_written_job_reads_back_as_the_same(text: str) -> None:
    """Every stanza, however it was quoted, and nothing more."""
    job = parse(text, "x")
    assert job == parse(write(job), "x")
    assert write(job) == write(parse(write(job), "x"))


@pytest.mark.parametrize("name", CORPUS)
def test_jobs_of_packages_are_written_as_they_are(name: str) -> None:
    """Their scripts byte for byte."""
    job = parse(CORPUS[name], name)
    assert job == parse(write(job), name)


def test_only_what_differs_from_the_defaults_is_written() -> None:
    """An empty file is a valid job."""
    assert "" == write(JobFile("x"))
    text = 'description "a b"\nstart on a or b\ntask\n\nexec c\n'
    assert text == write(parse(text, "x"))


def test_order_of_writing_keeps_the_meaning() -> None:
    """A start on after manual counts, before it does not."""
    after = write(parse("manual\nstart on a\n", "x"))
    assert after.index("manual") < after.index("start on a")
    assert "start on" not in write(parse("start on a\nmanual\n", "x"))
