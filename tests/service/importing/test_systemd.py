"""A whole unit: its name, its order, its targets, and the units of this machine."""

from pathlib import Path

import pytest

from ssd.service import DeclarationError, sources
from ssd.service.cli import main
from ssd.service.importing import systemd

from .conftest import TellUnit

UNITS = Path("/lib/systemd/system")


def test_foreign_unit_is_imported_as_it_stands(unit: TellUnit) -> None:
    """A daemon as a distribution ships it."""
    service, notes = unit(
        "Type=notify\nExecStart=/usr/sbin/webd -D $OPTS -p ${PORT}\n"
        "ExecReload=/bin/kill -HUP $MAINPID\nEnvironment=PORT=80 'OPTS=-v \"-x y\"'\n"
        "User=web\nGroup=www-data\nRuntimeDirectory=webd\n"
        "KillMode=process\nRestart=on-failure\nRestartSec=5s\nLimitNOFILE=65536\nPrivateTmp=yes\n"
        "[Unit]\nDescription=A web server\nDocumentation=man:webd(8)\nRequires=db.service\n"
        "After=network.target db.service cache.service\n[Install]\nWantedBy=multi-user.target\n"
        "Alias=httpd.service"
    )
    assert {
        "name": "x", "description": "A web server", "documentation": ["man:webd(8)"],
        "executable": "/usr/sbin/webd", "arguments": ["-D", "-v", "-x y", "-p", "80"],
        "environment": {"PORT": "80", "OPTS": '-v "-x y"'},
        "user": "web", "group": "www-data", "login": True,
        "directories": [{"path": "/run/webd", "user": "web", "group": "www-data"}],
        "kill_mode": "main", "stop_schedule": "TERM/90/KILL/5", "reload_signal": "HUP",
        "readiness": {"kind": "notify", "timeout": 90}, "limits": {"nofile": 65536},
        "respawn": {"when": "failure", "limit": 5, "interval": 10, "delay": 5, "backoff": 5,
                    "delay_max": 5},
        "requires": ["db"], "after": ["cache"], "required_start": ["$network"],
        "provides": ["x", "httpd"],
    } == service.to_dict()  # fmt: skip
    assert 1 == len(notes)


def test_strongest_requirement_counts(unit: TellUnit) -> None:
    """The others are named."""
    service, notes = unit(
        "[Unit]\nWants=a.service b.service\nBindsTo=c.service\nRequires=c.service\n"
    )
    assert (["c"], "stop") == (service.requires, service.on_required_failure)
    assert ["x.service:4: Wants: a, b must be started by other means, with BindsTo there"] == notes


def test_units_that_are_no_services_are_named(unit: TellUnit) -> None:
    """Except targets that are facilities of the LSB, or there before any service."""
    service, notes = unit(
        "[Unit]\nAfter=a.socket remote-fs.target sysinit.target\nRequires=b.mount basic.target"
    )
    assert (["$remote_fs"], []) == (service.required_start, service.requires)
    assert ["After: a.socket", "Requires: b.mount"] == [
        note.split(": ", 1)[1].rpartition(": a service")[0] for note in notes
    ]


def test_own_socket_is_not_passed(unit: TellUnit) -> None:
    """A service that requires it waits for it: dbus.socket of another one is no loss."""
    _, notes = unit("[Unit]\nRequires=x.socket dbus.socket\nAfter=x.socket", name="x.service")
    assert ["Requires: x.socket: no socket is passed: the program must open it itself"] == [
        note.split(": ", 1)[1] for note in notes if "After" not in note
    ]


@pytest.mark.parametrize(
    ("wanted", "levels", "manual"),
    [
        ("WantedBy=multi-user.target", [], False),
        ("WantedBy=default.target", [], False),
        ("RequiredBy=graphical.target", ["5"], False),
        ("WantedBy=sysinit.target rescue.target", ["1", "S"], False),
        ("WantedBy=a.service", [], True),
        ("Also=a.socket", [], True),
    ],
)
def test_targets_are_runlevels(wanted, levels, manual, unit: TellUnit) -> None:
    """What nothing at boot wants is started by hand."""
    service, _ = unit(f"[Install]\n{wanted}")
    assert (levels, manual) == (service.default_start, service.manual)


def test_unit_that_nothing_enables_is_manual(tmp_path: Path) -> None:
    """Which is said, and no loss."""
    (tmp_path / "x.service").write_text("[Service]\nExecStart=/bin/x\n")
    made = systemd.read(str(tmp_path / "x.service"), directories=())
    assert [True] == [service.manual for service in made.services]
    assert [("[Install]", False)] == [(note.option, note.lost) for note in made.notes]


def test_dot_in_a_name_becomes_a_dash(unit: TellUnit) -> None:
    """A file with a dot is no declaration."""
    service, notes = unit("", name="org.example.x.service")
    assert "org-example-x" == service.name
    assert ["org.example.x is org-example-x: a dot would hide it"] == [
        note.split(": ", 2)[2] for note in notes
    ]


def test_instance_is_read_from_its_template(tmp_path: Path) -> None:
    """Its specifiers are put in."""
    text = "[Service]\nExecStart=/bin/x -p %i --name %n\nPIDFile=%p-%i.pid\nType=forking\n"
    (tmp_path / "x@.service").write_text(text)
    service = systemd.read(str(tmp_path / "x@80.service"), directories=()).services[0]
    assert ("x@80", ["-p", "80", "--name", "x@80.service"]) == (service.name, service.arguments)
    assert "/run/x-80.pid" == service.pidfile


def test_template_is_written_as_a_template(tmp_path: Path, capfd) -> None:
    """Of which every instance is then declared."""
    text = "[Service]\nExecStart=/bin/x %i 5%% %I\n[Install]\nWantedBy=multi-user.target\n"
    (tmp_path / "x@.service").write_text(text)
    unit = str(tmp_path / "x@.service")
    assert 0 == main(["ssd-service", f"--directory={tmp_path}", "import", unit])
    assert ["%I is %i as it stands"] == [
        line.split(": ")[3][: len("%I is %i as it stands")]
        for line in capfd.readouterr().err.splitlines()
    ]
    assert 'arguments = ["%i", "5%%", "%i"]' in (tmp_path / "x@.toml").read_text()
    assert ["/bin/x", "80", "5%", "80"] == sources.find("x@80", str(tmp_path)).argv


def test_template_of_ours_comes_back(tmp_path: Path, capfd) -> None:
    """Text by text, but for the list of its instances."""
    text = (
        'description = "%i, 100%%"\nexecutable = "/bin/x"\narguments = ["%i", "$HOME"]\n'
        "before_start = \"echo '%i'\"\n"
    )
    (tmp_path / "x@.toml").write_text(text)
    command = ["ssd-service", f"--directory={tmp_path}"]
    file = str(tmp_path / "x@.service")
    assert 0 == main([*command, "generate", "systemd", "x@", "--output", file])
    assert 0 == main([*command, "import", file, "--print"])
    assert text == capfd.readouterr().out.split("\n", 2)[2]


def test_value_that_no_field_can_have_is_an_error(unit: TellUnit) -> None:
    """With the unit and the field."""
    with pytest.raises(DeclarationError, match=r"x\.service: nice: must be -40 to 40"):
        unit("Nice=99")


def test_unit_of_a_user_has_no_pidfile(tmp_path: Path) -> None:
    """That user cannot write into /run."""
    (tmp_path / "x.service").write_text("[Service]\nExecStart=/bin/x\n")
    made = systemd.read(str(tmp_path / "x.service"), root=False, directories=())
    assert ["none"] == [service.pidfile for service in made.services]


def test_declaration_is_as_secret_as_the_files(tmp_path: Path) -> None:
    """An environment may hold passwords."""
    (tmp_path / "x.service").write_text("[Service]\nExecStart=/bin/x\n")
    (tmp_path / "x.service.d").mkdir()
    (tmp_path / "x.service.d/a.conf").write_text("[Service]\nEnvironment=PASSWORD=x\n")
    (tmp_path / "x.service.d/a.conf").chmod(0o600)
    assert 0o600 == systemd.read(str(tmp_path / "x.service"), directories=()).mode


@pytest.mark.skipif(not UNITS.is_dir(), reason="no units of systemd are installed")
def test_units_of_this_machine_are_imported() -> None:
    """Each becomes a declaration, or is none of a service, with a reason."""
    reasons = ("is masked", "has no [Service]", "is unknown before a start")
    count = 0
    for file in UNITS.glob("*.service"):
        try:
            count += len(systemd.read(str(file)).services)
        except DeclarationError as error:
            assert any(reason in str(error) for reason in reasons), error
    assert count > 0
