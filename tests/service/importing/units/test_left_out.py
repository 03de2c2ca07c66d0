"""The settings that a declaration has no field for."""

import os
import shutil
import subprocess

import pytest

from ssd.service.importing.units import left_out
from ssd.service.importing.units.left_out import CGROUP, SANDBOX

from ..conftest import TellUnit

MANAGERS = ("/lib/systemd/systemd", "/usr/lib/systemd/systemd")


def test_settings_of_one_kind_are_told_together(unit: TellUnit) -> None:
    """A modern unit has twenty of them."""
    _, notes = unit("PrivateTmp=yes\nProtectSystem=full\nMemoryMax=1G")
    assert [
        f"x.service:3: PrivateTmp: {SANDBOX} (PrivateTmp, ProtectSystem)",
        f"x.service:5: MemoryMax: {CGROUP}",
    ] == notes


def test_each_other_setting_has_its_own_words(unit: TellUnit) -> None:
    """They name the way out, if there is one."""
    _, notes = unit("CPUAffinity=1\n[Unit]\nConditionPathExists=/x\nBefore=a.service")
    said = [note.split(": ", 2)[2].partition(" ")[0] for note in notes]
    assert ["taskset(1)", "it", "write"] == said


def test_setting_that_is_off_is_no_loss(unit: TellUnit) -> None:
    """Unless it is on without a word."""
    _, notes = unit(
        "PrivateTmp=no\nIgnoreSIGPIPE=false\nPermissionsStartOnly=yes\nCPUAffinity=0\n"
        "[Unit]\nDefaultDependencies=no"
    )
    assert ["CPUAffinity", "DefaultDependencies"] == [note.split(": ")[1] for note in notes]


def test_unknown_setting_is_named_with_what_was_meant(unit: TellUnit) -> None:
    """systemd ignores it."""
    _, notes = unit("ProtectHom=yes\nKillMod=none")
    assert "x.service:4: KillMod: no field corresponds to it; did you mean KillMode?" == notes[1]


@pytest.mark.skipif(not any(map(os.path.exists, MANAGERS)), reason="systemd is not installed")
def test_every_setting_of_systemd_is_known(unit: TellUnit) -> None:
    """The manager lists them: each is read, or has words, or needs none."""
    program = shutil.which("systemd", path=":".join(map(os.path.dirname, MANAGERS)))
    listed = subprocess.run(
        [str(program), "--dump-configuration-items"], capture_output=True, text=True, check=True
    ).stdout
    section, unknown = "", []
    asked = {name for _, name in read_settings(unit)}
    for line in listed.split("\n"):
        if line.startswith("["):
            section = line.strip("[]")
        name = line.partition("=")[0]
        known = name in asked or name in left_out.SILENT or left_out.meaning(name)
        if section in ("Unit", "Service", "Install") and "=" in line and not known:
            unknown.append(name)
    old = {"BindTo", "PropagateReloadTo", "PropagateReloadFrom", "StartLimitInterval"}
    assert [] == [name for name in unknown if name not in old]


def read_settings(unit: TellUnit) -> "set[tuple[str, str]]":
    """Return the settings that an import of a unit with everything asks for."""
    asked: set[tuple[str, str]] = set()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(left_out, "tell", lambda reader: asked.update(reader.asked))
        unit("Type=notify\nRestart=always\nRestartMaxDelaySec=9\nRestartSteps=3\nWatchdogSec=3")
        unit("Type=forking\nStandardInput=tty\nRestart=on-failure")
        unit("Type=oneshot\nUser=a\nExecStop=/a\nKillMode=none\nTimeoutSec=1")
    return asked
