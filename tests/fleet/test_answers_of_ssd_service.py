"""An ssd-service that prints more than its answer, or less, to the modules of the collection."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kit.managed import BIN, USUAL, Managed, result

pytestmark = [pytest.mark.fleet, pytest.mark.requires_namespaces]
REAL = BIN / "ssd-service"
# Does what it is asked for; what follows is for a verb that is no plan.
PLANS = f'case " $* " in *" --plan "*) exec {REAL} "$@";; esac\n'


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Managed]:
    """Yield a machine on which nap runs."""
    with Managed(tmp_path) as made:
        made.declare()
        assert 0 == made.ssd("nap", "start").status
        yield made


def restart(host: Managed, script: str, **arguments: Any) -> dict[str, Any]:
    """Restart nap where ssd-service is this script."""
    place = host.directory / "place"
    place.mkdir()
    (place / "ssd-service").write_text(f"#!/bin/sh\n{script}\n")
    (place / "ssd-service").chmod(0o755)
    words = {"name": "nap", "state": "restarted", "path": f"{place}:{USUAL}", **arguments}
    return host.module("service", **words)


@pytest.mark.parametrize("older", [{}, {"if_older_than": [1]}], ids=["always", "if older"])
def test_verb_that_was_killed_fails_with_what_is_left(host: Managed, older: Any) -> None:
    """It may have changed something, so it is a change; the state is looked at."""
    if older:
        older = {"if_older_than": [time.time()]}
    told = restart(host, f'{PLANS}{REAL} "$@" > /dev/null; kill -9 $$', **older)
    assert (True, True, 1) == (told["failed"], told["changed"], told["rc"]), told
    assert [host.pid()] == [each["pid"] for each in told["after"]["processes"]]
    assert "nap: it was ended by signal 9" in told["msg"]
    assert "is running now" in told["msg"]
    assert ("running" if older else "unknown") == told["before"]["state"]


@pytest.mark.parametrize("plans", [PLANS, ""], ids=["verb", "all"])
def test_answer_that_is_cut_off_is_no_reason_to_do_it_again(host: Managed, plans: str) -> None:
    """As on a full disk: not even by the program that was carried."""
    notes = host.directory / "notes"
    carried = host.directory / "carried"
    carried.mkdir()
    (carried / "ssd.pyz").write_text(f"open({str(notes)!r}, 'w')\n")
    told = restart(host, f'{plans}{REAL} "$@" | head -c 300', tmpdir=carried)
    assert (True, True) == (told["failed"], told["changed"]), told
    assert ("host", "nap") == (told["ssd"]["source"], told["name"])
    assert "has not answered in full" in told["msg"]
    assert not notes.exists()


def test_much_output_before_the_answer_takes_no_time(host: Managed) -> None:
    """Of a hook that prints data of its own, in lines that look like answers."""
    data = 'i=0; while [ $i -lt 60000 ]; do echo "{ \\"row\\": $i, [}"; i=$((i + 1)); done'
    told = restart(host, f'{data}; {REAL} "$@"; echo over')
    assert (True, "running") == (told["changed"], told["after"]["state"])


def test_hook_without_a_newline_does_not_hide_the_answer(host: Managed) -> None:
    """The answer stands behind its words."""
    host.declare('before_start = "printf working..."\nafter_start = "printf ok"\n')
    for module in ({}, {"if_older_than": [time.time()]}):
        words = {"name": "nap", "state": "restarted", **module}
        told = host.module("service", **words)
        assert (False, "running") == (told.get("failed", False), told["after"]["state"]), told


def test_name_that_the_locale_lacks_is_refused(host: Managed) -> None:
    """With the way out."""
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    words = host.words("service", {"name": "n\xfcp", "state": "started"}, {})
    told = result(host.run(*words, PYTHONPATH=str(host.collections), **plain))
    assert (True, 2) == (told["failed"], told["rc"])
    assert "set LC_ALL to C.UTF-8" in told["msg"]
