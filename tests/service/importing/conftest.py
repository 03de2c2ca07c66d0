"""A configuration of supervisord, a unit of systemd, and an init script, imported."""

from collections.abc import Callable
from pathlib import Path

import pytest
from kit import namespace

from ssd.service import Service
from ssd.service.importing import supervisord, systemd, sysv

Tell = Callable[..., tuple[dict[str, Service], list[str]]]
TellUnit = Callable[..., tuple[Service, list[str]]]
TellScript = Callable[[str], tuple[Service, list[str]]]


@pytest.fixture
def imported(tmp_path: Path) -> Tell:
    """Return a function that imports a text; it returns the services, and the notes."""

    def tell(text: str, **environment: str) -> tuple[dict[str, Service], list[str]]:
        file = tmp_path / "s.conf"
        file.write_text(f"[supervisord]\n{text}")
        made = supervisord.read(str(file), {"PATH": "/usr/bin:/bin", **environment})
        notes = [str(note).removeprefix(f"{tmp_path}/") for note in made.notes]
        return {service.name: service for service in made.services}, notes

    return tell


@pytest.fixture
def unit(tmp_path: Path) -> TellUnit:
    """Return a function that imports settings of [Service]; it returns the service, and notes.

    It is a unit of the system with a program, unless ``text`` has ExecStart= itself.
    """

    def tell(text: str, name: str = "x.service") -> tuple[Service, list[str]]:
        file = tmp_path / name
        program = "" if "ExecStart=" in text else "ExecStart=/bin/x\n"
        install = "" if "[Install]" in text else "\n[Install]\nWantedBy=multi-user.target\n"
        file.write_text(f"[Service]\n{program}{text}\n{install}")
        made = systemd.read(str(file), directories=())
        notes = [str(note).removeprefix(f"{tmp_path}/") for note in made.notes]
        return made.services[0], notes

    return tell


@pytest.fixture
def script(tmp_path: Path) -> TellScript:
    """Return a function that imports the text of an init script, run in a trace.

    @daemon in the text becomes the path of a program that must never run; @dir is its directory.
    """
    if namespace.obstacle() is not None:
        pytest.skip(str(namespace.obstacle()))
    daemon = tmp_path / "daemon"
    daemon.write_text(f"#!/usr/bin/python3\nopen('{tmp_path}/ran', 'w')\n")
    daemon.chmod(0o755)
    file = tmp_path / "web"

    def tell(text: str) -> tuple[Service, list[str]]:
        text = text.replace("@daemon", str(daemon)).replace("@dir", str(tmp_path))
        file.write_text(text if text.startswith("#!") else f"#!/bin/sh\n{text}")
        file.chmod(0o755)
        made = sysv.read(str(file))
        assert {"daemon", "web"} == {each.name for each in tmp_path.iterdir()}
        notes = [str(note).removeprefix(f"{file}: ") for note in made.notes]
        return made.services[0], [note.replace(str(tmp_path), "@dir") for note in notes]

    return tell
