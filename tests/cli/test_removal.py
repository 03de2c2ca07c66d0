"""``--remove-pidfile`` beside a start of the same: the two do not cross."""

from pathlib import Path

import pytest
from kit.children import child, python
from kit.leaks import listing
from kit.locks import TRY

from ssd import pidfile
from ssd.cli import options
from ssd.cli.stop import stop
from ssd.stdio import Voice


def test_pidfile_is_removed_under_the_lock_of_a_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A start that writes its pid between look and removal would leave an unknown daemon."""
    path = tmp_path / "pid"
    seen = []

    def remove(name: str) -> bool:
        seen.append(python(TRY, path).stdout)
        return remove_it(name)

    remove_it = pidfile.remove
    monkeypatch.setattr(pidfile, "remove", remove)
    given = options.Options()
    words = ["--stop", "--quiet", "--pidfile", str(path), "--remove-pidfile", "--retry=60"]
    options.read(words, given)
    with child() as process:
        path.write_text(f"{process.pid}\n")
        assert 0 == stop(given, Voice("ssd", given.quietness))
    assert ([b"StartBlocked\n"], []) == (seen, listing(tmp_path))
