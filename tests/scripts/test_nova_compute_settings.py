"""The init script scripts/nova-compute: its settings."""

import grp
import os
import pwd

import pytest
from kit.users import NOBODY, shared

from .machine import DAEMON


@pytest.mark.parametrize(
    ("settings", "wanted"),
    [
        ({}, ["--log-file={root}/var/log/nova/nova-compute.log"]),
        ({"USE_LOGFILE": "no"}, []),
        (
            {"USE_SYSLOG": "yes"},
            ["--use-syslog", "--log-file={root}/var/log/nova/nova-compute.log"],
        ),
        ({"USE_SYSLOG": "yes", "USE_LOGFILE": "no"}, ["--use-syslog"]),
        (
            {"LOGFILE": "{root}/a log", "DAEMON_ARGS": "-d  -v"},
            ["-d", "-v", "--log-file={root}/a log"],
        ),
        ({"NO_OPENSTACK_LOGFILE_DAEMON_ARG": "yes"}, []),
        ({"CONFIG_FILE": "{root}/c", "USE_LOGFILE": "no"}, ["--config-file={root}/c"]),
    ],
    ids=str,
)
def test_settings_reach_the_command_line(machine, settings, wanted) -> None:
    """From the environment, word by word."""
    machine.install()
    given = {name: value.format(root=machine.root) for name, value in settings.items()}
    assert [word.format(root=machine.root) for word in wanted] == machine.arguments(**given)


def test_configuration_files_are_named_if_they_are_there(machine) -> None:
    """nova.conf first, then the service's own; a named one even if it is missing."""
    machine.install()
    directory = machine.root / "etc/nova"
    both = [f"--config-file={directory}/{name}.conf" for name in ("nova", "nova-compute")]
    machine.environment["USE_LOGFILE"] = "no"
    machine.write("etc/nova/nova-compute.conf", "")
    assert both[1:] == machine.arguments()
    machine.write("etc/nova/nova.conf", "")
    assert both == machine.arguments()
    assert ["--config-file=/gone", both[1]] == machine.arguments(CONFIG_FILE="/gone")
    assert [] == machine.arguments(NO_OPENSTACK_CONFIG_FILE_DAEMON_ARG="yes")


def test_show_args_shows_the_command_line(ssd_machine) -> None:
    """Without starting anything."""
    ssd_machine.install()
    shown = ssd_machine.expect(0, "show-args", USE_SYSLOG="yes", DAEMON_ARGS="--debug")
    wanted = f"{ssd_machine.daemon} --debug --use-syslog --log-file={ssd_machine.log}\n"
    assert wanted == shown


def test_administrators_files_are_read_in_their_order(machine) -> None:
    """The one for all of OpenStack is first; values that depend on a name follow it."""
    machine.install()
    machine.write("etc/default/openstack", "USE_LOGFILE=no\nUSE_SYSLOG=yes\nDAEMON_ARGS=--one\n")
    machine.write("etc/default/nova-compute", f"USE_SYSLOG=no\nRUN_DIR={machine.root}/elsewhere\n")
    machine.expect(0, "start")
    assert (machine.root / "elsewhere/nova-compute.pid").is_file()
    assert f"{machine.daemon} --one\n" == machine.expect(0, "show-args")
    machine.expect(0, "stop")


def test_names_can_all_be_given(ssd_machine) -> None:
    """Also without a root directory of its own."""
    root = ssd_machine.root
    ssd_machine.install()
    ssd_machine.environment = {
        "PATH": ssd_machine.environment["PATH"],
        "START_STOP_DAEMON": ssd_machine.environment["START_STOP_DAEMON"],
        "SYSTEM_USER": "root",
        "PROJECT_NAME": "other",
        "NAME": "other-service",
        "DESC": "Other Service",
        "SCRIPTNAME": "/etc/init.d/other",
        "DAEMON": str(ssd_machine.daemon),
        "LSB_FUNCTIONS": "/nonexistent",
        **{
            name: f"{root}/{name.lower()}"
            for name in ("RUN_DIR", "LOCK_DIR", "CACHE_DIR", "LOG_DIR", "STATE_DIR", "DEFAULT_DIR")
        },
    }
    assert "Starting Other Service: other-service.\n" == ssd_machine.expect(0, "start")
    ssd_machine.pidfile = root / "run_dir/other-service.pid"
    assert f"{root}/state_dir" == os.readlink(f"/proc/{ssd_machine.pid}/cwd")
    assert f"{root}/log_dir/other-service.log" in ssd_machine.expect(0, "show-args")
    assert "Stopping Other Service: other-service.\n" == ssd_machine.expect(0, "stop")
    assert "/etc/init.d/other {" in ssd_machine("frobnicate").stderr


def test_directories_are_made_for_the_services_user(machine) -> None:
    """Existing ones keep their owner."""
    if os.geteuid() != 0:
        pytest.skip("requires root, to give directories away")
    machine.install()
    user = pwd.getpwuid(NOBODY)
    kept = machine.root / "var/log/nova"
    kept.mkdir(parents=True)
    with shared(machine.root, 0o755):
        machine.started(SYSTEM_USER=user.pw_name)
        assert NOBODY == os.stat(f"/proc/{machine.pid}").st_uid
        for name in ("run", "lock", "cache", "lib"):
            made = (machine.root / "var" / name / "nova").stat()
            assert (NOBODY, user.pw_gid) == (made.st_uid, made.st_gid), name
        assert 0 == kept.stat().st_uid
        machine.expect(0, "stop", SYSTEM_USER=user.pw_name)


def test_services_group_can_be_given(machine) -> None:
    """Otherwise it is the first group of the user."""
    if os.geteuid() != 0:
        pytest.skip("requires root, to change groups")
    machine.install()
    group = grp.getgrnam("daemon")
    settings = {"SYSTEM_USER": pwd.getpwuid(NOBODY).pw_name, "SYSTEM_GROUP": "daemon"}
    with shared(machine.root, 0o755):
        machine.started(**settings)
        assert group.gr_gid == os.stat(f"/proc/{machine.pid}").st_gid
        machine.expect(0, "stop", **settings)


def test_script_does_not_start_itself(ssd_machine, ssd_path) -> None:
    """The script has the service's name, and with its directory on PATH it would be found first."""
    ssd_machine.environment["PATH"] = f"{ssd_machine.script.parent}:/usr/bin:/bin"
    shown = ssd_machine.expect(0, "show-args").split()[0]
    assert str(ssd_machine.daemon) == shown
    ssd_machine.write("bin/ssd-compute", DAEMON).chmod(0o755)
    ssd_machine.environment["PATH"] += f":{ssd_machine.root}/bin"
    shown = ssd_machine.expect(0, "show-args").split()[0]
    assert f"{ssd_machine.root}/bin/ssd-compute" == shown


def test_ssd_is_taken_before_the_original(shell_machine, ssd_path) -> None:
    """It is found on PATH, unless START_STOP_DAEMON names a tool."""
    shell_machine.install()
    log = shell_machine.root / "called"
    stub = shell_machine.write("bin/ssd", f'#!/bin/sh\necho "$1" >> {log}\nexec {ssd_path} "$@"\n')
    stub.chmod(0o755)
    shell_machine.environment.pop("START_STOP_DAEMON")
    shell_machine.environment["PATH"] = f"{stub.parent}:/usr/bin:/bin"
    shell_machine.expect(3, "status")
    assert "--status\n" == log.read_text()
