"""What an update of job files has changed."""

from ssd.service.sources.upstart import parse
from ssd.upstart.cli.foreground import compare


def test_update_has_the_names_of_jobs_by_what_became_of_them() -> None:
    """A job whose file is gone while it runs is gone, too."""
    one, two = parse("exec true", "a"), parse("exec false", "a")
    before = {"same": one, "changed": one, "gone": one, "going": one, "back": None}
    after = {"same": one, "changed": two, "going": None, "back": one, "new": one}
    found = compare(before, after)
    assert (["changed"], ["going", "gone"]) == (found.changed, found.removed)
    assert (["back", "new"], ["same"]) == (found.added, found.same)
