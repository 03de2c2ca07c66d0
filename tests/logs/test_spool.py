"""The spool: what passes through memory is written once, whenever its writer dies."""

import errno
import os
from pathlib import Path
from typing import Any

import pytest
from kit.leaks import listing, same_descriptors
from kit.outputs import bench, dies_before, outputs, written

FORMS = ["plain", "timestamp", "json"]  # the first is not spooled
TEXT = b"one\ntwo \xe2\x82\xac \xe2\x82"  # a line, a begun one, and a begun character
MORE = b"\xac\nthree\n"


@pytest.fixture
def no_splice(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a file system that splice(2) refuses; a FIFO cannot be spliced anywhere."""

    def refuse(*_arguments: Any, **_options: Any) -> int:
        raise OSError(errno.EINVAL, "refused")

    monkeypatch.setattr(os, "splice", refuse)


def whole(directory: Path, form: str) -> bytes:
    """Return the log of TEXT and MORE that no death has disturbed."""
    directory.mkdir()
    with bench(directory) as made:
        log = made.log(form=form)
        made.write(log, TEXT)
        made.write(log, MORE)
    return written(directory)


@pytest.mark.parametrize("form", FORMS)
def test_death_before_any_call_loses_and_doubles_nothing(tmp_path: Path, form: str) -> None:
    """Each byte is in the FIFO, in the spool or in the log; the next reader knows which."""
    expected = whole(tmp_path / "whole", form)
    died = number = 0
    while died == number:
        number += 1
        place = tmp_path / str(number)
        place.mkdir()
        with bench(place) as first:
            log = first.log(form=form)
            with outputs(log) as (out, _):
                os.write(out, TEXT)
                died += dies_before(number, first.loop.until_idle)
                with bench(place) as second:
                    second.write(second.log(form=form), MORE)
        assert expected == written(place)
    assert number > 2


@pytest.mark.parametrize("form", FORMS[1:])
@pytest.mark.parametrize("foreign", ["by hand\n", ""])
def test_log_changed_meanwhile_keeps_the_change(tmp_path: Path, form: str, foreign: str) -> None:
    """Somebody appends to the log, or empties it, between the death and the next reader."""
    number, died = 0, True
    while died:
        number += 1
        place = tmp_path / str(number)
        place.mkdir()
        with bench(place) as first:
            log = first.log(form=form)
            with outputs(log) as (out, _):
                os.write(out, b"one\ntwo\n")
                died = dies_before(number, first.loop.until_idle)
                (place / "web.log").touch()
                before = written(place)
                if foreign:
                    with (place / "web.log").open("a") as file:
                        file.write(foreign)
                else:
                    os.truncate(place / "web.log", 0)
                with bench(place) as second:
                    second.write(second.log(form=form), b"three\n")
        after = written(place).decode()
        assert 1 == after.count("three")
        assert after.count("by hand") == (1 if foreign else 0)
        if foreign or b"two" not in before:
            assert (1, 1) == (after.count("one"), after.count("two"))


@pytest.mark.parametrize("form", FORMS)
def test_log_without_splice_is_the_same(tmp_path: Path, form: str, no_splice: None) -> None:
    """On a file system, or a system, that does not have it."""
    made = whole(tmp_path / "here", form)
    assert (made == TEXT + MORE) == (form == "plain")
    assert made.count(b"\n") == 3


def test_spool_goes_with_its_reader(tmp_path: Path) -> None:
    """It exists only while a log is in use, and has no name then."""
    with same_descriptors(), bench(tmp_path) as made:
        made.write(made.log(form="json"), b"one\n")
        assert ["web.fifo", "web.fifo.spool", "web.log"] == listing(tmp_path)
    assert ["web.fifo", "web.log"] == listing(tmp_path)
