"""The rules of OpenStack's init scripts, as a function of values."""

from pathlib import Path

import pytest
from kit import debian

from ssd.service.fields import DEFAULTS
from ssd.service.sources import SHIPPED, openstack, shell

NOVA = {"PROJECT_NAME": "nova", "NAME": "nova-compute"}
LOG = "--log-file=/var/log/nova/nova-compute.log"


def fields(root: bool = True, there: tuple[str, ...] = (), **given: str) -> dict[str, object]:
    """Derive the fields on a machine with these files."""

    def program(candidates: list[str]) -> str | None:
        paths = [c if "/" in c else f"/usr/local/bin/{c}" for c in candidates]
        return next((path for path in paths if path in there), None)

    return openstack.fields(
        {**NOVA, **given}, root=root, exists=there.__contains__, program=program
    )


def test_names_decide_paths_user_and_log_file() -> None:
    """Of the project and of the service."""
    owner = {"user": "nova"}
    assert {
        "name": "nova-compute",
        "description": "OpenStack nova-compute",
        "executable": "/usr/bin/nova-compute",
        "arguments": [LOG],
        "pidfile": "/var/run/nova/nova-compute.pid",
        "directories": [
            {"path": path, **owner}
            for path in ("/var/lock/nova", "/var/run/nova", "/var/cache/nova", "/var/log/nova",
                         "/var/lib/nova")
        ],
        "working_directory": "/var/lib/nova",
        "log_file": "/var/log/nova/nova-compute.log",
        "user": "nova",
        "group": None,
    } == fields()  # fmt: skip


def test_retry_is_the_schedule_of_a_stop() -> None:
    """Otherwise a stop takes the default, which is that of openstack-pkg-tools."""
    assert "HUP/10/KILL/5" == fields(RETRY="HUP/10/KILL/5")["stop_schedule"]
    assert "stop_schedule" not in fields(RETRY="")
    assert "TERM/30/KILL/5" == DEFAULTS["stop_schedule"]


def test_ordinary_user_changes_no_account() -> None:
    """And makes only the directories that the service needs."""
    found = fields(root=False)
    assert {"user", "group"}.isdisjoint(found)
    made = [each["path"] for each in found["directories"]]
    assert ["/var/lib/nova", "/var/run/nova", "/var/log/nova"] == made


@pytest.mark.parametrize(
    ("given", "there", "wanted"),
    [
        ({"USE_LOGFILE": "no"}, (), []),
        ({"USE_SYSLOG": "yes"}, (), ["--use-syslog", LOG]),
        ({"NO_OPENSTACK_LOGFILE_DAEMON_ARG": "yes"}, (), []),
        ({"DAEMON_ARGS": "-d  -v"}, (), ["-d", "-v", LOG]),
        ({}, ("/etc/nova/nova.conf",), ["--config-file=/etc/nova/nova.conf", LOG]),
        ({"CONFIG_FILE": "/gone"}, (), ["--config-file=/gone", LOG]),
        (
            {"CONFIG_FILE": "/c", "NO_OPENSTACK_CONFIG_FILE_DAEMON_ARG": "1"},
            ("/etc/nova/nova-compute.conf",),
            [LOG],
        ),
        (
            {"DAEMON_ARGS": "--config-file=/etc/nova/nova-compute.conf"},
            ("/etc/nova/nova.conf", "/etc/nova/nova-compute.conf"),
            [f"--config-file=/etc/nova/{name}.conf" for name in ("nova", "nova-compute")] + [LOG],
        ),
        ({"PYARGV": "a b"}, (), [LOG, "--pyargv", "a b"]),
    ],
    ids=str,
)
def test_arguments_follow_from_the_settings(given, there, wanted) -> None:
    """In the order of openstack-pkg-tools, each file named once."""
    assert wanted == fields(there=there, **given)["arguments"]


@pytest.mark.parametrize(
    ("given", "there", "wanted"),
    [
        ({"DAEMON": "/opt/n"}, ("/usr/bin/nova-compute",), "/opt/n"),
        ({}, ("/usr/bin/nova-compute", "/usr/local/bin/nova-compute"), "/usr/bin/nova-compute"),
        ({}, ("/usr/local/bin/nova-compute",), "/usr/local/bin/nova-compute"),
        ({"STAND_IN": "x ssd"}, ("/usr/local/bin/ssd",), "/usr/local/bin/ssd"),
        ({}, (), "/usr/bin/nova-compute"),
    ],
    ids=str,
)
def test_program_is_the_first_that_exists(given, there, wanted) -> None:
    """The named one, the project's own, one on PATH, a stand-in."""
    assert wanted == fields(there=there, **given)["executable"]


def test_debians_script_equals_its_declaration() -> None:
    """The code that openstack-pkg-tools appends is not executed."""
    script = debian.unpack("nova-compute") / "etc/init.d/nova-compute"
    service = shell.read(str(script), {b"PATH": b"/bin"})
    assert ("nova-compute", "OpenStack Nova Compute (nova-compute)") == (
        service.name, service.description,
    )  # fmt: skip
    assert "/var/run/nova/nova-compute.pid" == service.pidfile
    assert ["$remote_fs"] == service.required_stop


def test_shipped_declaration_has_debians_names() -> None:
    """nova-compute is found without a file in /etc/ssd."""
    service = shell.read(f"{SHIPPED}/nova-compute", {b"PATH": b"/bin"})
    assert "nova-compute" == service.name
    assert "OpenStack Nova Compute (nova-compute)" == service.description
    assert "none" == service.reload_signal


def test_administrators_files_are_read_in_their_order(tmp_path: Path) -> None:
    """The file for all of OpenStack comes first."""
    directory = tmp_path / "etc/default"
    directory.mkdir(parents=True)
    (directory / "openstack").write_text("USE_SYSLOG=yes\nUSE_LOGFILE=no\n")
    (directory / "nova-compute").write_text("USE_SYSLOG=no\nDAEMON_ARGS=-v\n")
    given = {b"PATH": b"/bin", b"ROOT_DIR": bytes(tmp_path)}
    service = shell.read(f"{SHIPPED}/nova-compute", given)
    assert ["-v"] == service.arguments
    assert f"{tmp_path}/var/run/nova/nova-compute.pid" == service.pidfile


@pytest.mark.parametrize(
    ("there", "first", "given", "kind"),
    [
        ("/usr/bin/nova-compute", "#!/usr/bin/python3", {"READY_SIGNAL": "HUP"}, "command"),
        ("/usr/bin/nova-compute", "#!/usr/bin/python3", {"READY_SIGNAL": ""}, None),
        ("/usr/bin/nova-compute", "#!/usr/bin/python3", {}, None),
        ("/usr/bin/nova-compute", "#!/bin/sh", {"READY_SIGNAL": "HUP"}, None),
        ("/usr/local/bin/ssd-compute", "#!/usr/bin/python3", {"READY_SIGNAL": "HUP"}, "notify"),
    ],
)
def test_readiness_depends_on_the_program(there, first, given, kind) -> None:
    """The stand-in notifies; nova does not, but handles HUP once it is ready."""
    found = openstack.fields(
        {**NOVA, "STAND_IN": "ssd-compute", **given},
        root=True,
        exists=[there].__contains__,
        program=lambda candidates: next((c for c in candidates if there.endswith(c)), None),
        first_line={there: first}.get,
    )
    assert kind == found.get("readiness", {}).get("kind")  # type: ignore[attr-defined]
