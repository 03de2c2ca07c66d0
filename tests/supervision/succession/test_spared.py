"""Broken declarations when a supervisor follows one that was killed."""

import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest
from kit import namespace
from kit.supervise import NAP, declare

from ssd.supervision.cli import declared
from ssd.supervision.succession import spared
from ssd.supervision.succession.spared import stand_in

FOLLOW = """
    {script} --directory={directory} > /run/first & first=$!
    until grep -q "bad runs" /run/first && grep -q "good runs" /run/first; do :; done
    before=$(cat /run/bad.pid)
    kill -{signal} $first; wait $first
    echo "nonsense = 1" > {directory}/bad.toml
    {script} --directory={directory} > /run/second 2>&1 & second=$!
    until grep -q "bad is taken over" /run/second || ! kill -0 $second 2> /dev/null; do :; done
    [ "$before" = "$(cat /run/bad.pid 2> /dev/null)" ] && echo "the same process"
    kill $second; wait $second; echo "ended with $?"
    cat /run/second; ls /run
"""


def follow(script: Path, directory: Path, signal: str) -> str:
    """End a supervisor by a signal, break a declaration, and let another one follow."""
    declare(directory, {"good": NAP, "bad": NAP})
    shell = FOLLOW.format(script=script, directory=directory, signal=signal)
    argv = namespace.command(["sh", "-c", shell], keep=[directory])
    return subprocess.run(argv, capture_output=True, text=True).stdout


@pytest.mark.requires_namespaces
def test_killed_supervisor_has_a_successor_all_the_same(ssd_path, tmp_path) -> None:
    """The broken service is named, taken over, and stopped at the end."""
    said = follow(ssd_path.with_name("ssd-supervise"), tmp_path / "d", "KILL")
    assert "the same process\nended with 0\n" in said
    assert f"what runs of it is only watched: {tmp_path}/d/bad.toml:1: nonsense" in said
    assert "good is taken over" in said and "bad has stopped" in said
    assert ".pid" not in said


@pytest.mark.requires_namespaces
def test_stopped_supervisor_has_none(ssd_path, tmp_path) -> None:
    """Nothing of it runs, so nothing is started."""
    said = follow(ssd_path.with_name("ssd-supervise"), tmp_path / "d", "TERM")
    assert said.startswith("ended with 6\nssd-supervise: ") and "nonsense" in said


def test_stand_in_has_what_a_stop_needs() -> None:
    """And nothing that could be started."""
    record = {"pidfile": "/run/x.pid", "schedule": "TERM/1", "kill_mode": "main", "pid": 7}
    service = stand_in("x", record)
    assert ("x", "/run/x.pid", "TERM/1") == (service.name, service.pidfile, service.stop_schedule)
    assert ("main", True, None) == (service.kill_mode, service.manual, service.executable)
    assert "none" == stand_in("y", {}).pidfile


def test_broken_template_has_stand_ins_for_its_instances(tmp_path, monkeypatch) -> None:
    """The journal knows which there were; of a template without any there is none."""
    records = {name: {"pidfile": f"/run/{name}"} for name in ("a@1", "a@2", "b@1", "c")}
    monkeypatch.setattr(spared, "_left", lambda place: records)
    declare(tmp_path, {"a@": "x = 1", "b": "x = 1", "c": "x = 1", "d@": "instances = 1"})
    with pytest.raises(declared.Broken) as caught:
        declared.read(str(tmp_path))
    assert ["b", "c", "d@"] == sorted(caught.value.causes)
    place = SimpleNamespace(is_first=False, directory=str(tmp_path))
    found = spared.read(place, None, caught.value)
    assert ["b@1", "c"] == sorted(each.name for each in found)
    declare(tmp_path, {"a@": "instances = 1"})
    with pytest.raises(declared.Broken) as caught:
        declared.read(str(tmp_path))
    found = spared.read(place, None, caught.value)
    assert ["a@1", "a@2", "b@1", "c"] == sorted(each.name for each in found)
    assert "/run/a@1" == min(found, key=lambda each: each.name).pidfile
    found = spared.read(place, ["a@", "c", "b"], caught.value)
    assert ["a@1", "a@2", "b@1", "c"] == sorted(each.name for each in found)
    declare(tmp_path, {"a@": "no TOML"})
    (tmp_path / "a@2.toml").symlink_to("a@.toml")
    with pytest.raises(declared.Broken) as caught:
        declared.read(str(tmp_path), ["a@"])
    assert ["a@1", "a@2"] == [each.name for each in spared.read(place, ["a@"], caught.value)]
