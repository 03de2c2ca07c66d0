"""A declaration: its fields, what they may be, and what the library makes of it."""

import ast

import pytest
from conftest import CHECKOUT

from ssd import Schedule
from ssd.service import DeclarationError, Service
from ssd.service.fields import DEFAULTS, KINDS, NAMES, READINESS, RESPAWN

NAP = {"name": "nap", "executable": "/bin/sleep", "arguments": ["60"]}


def test_what_is_not_given_is_as_the_table_says() -> None:
    """Only the pidfile's default depends on another field."""
    service = Service(name="nap")
    assert {**DEFAULTS, "name": "nap", "pidfile": "/run/nap.pid"} == {
        name: getattr(service, name) for name in NAMES
    }


def test_only_what_differs_from_the_defaults_is_in_the_dictionary() -> None:
    """Entries of tables too."""
    service = Service(
        **NAP, umask="022", pidfile="/run/nap.pid", readiness={"kind": "exec", "timeout": 5},
        directories=["/run/nap", {"path": "/tmp/nap", "mode": "1777"}],
    )  # fmt: skip
    assert {
        **NAP,
        "directories": [{"path": "/run/nap"}, {"path": "/tmp/nap", "mode": "1777"}],
        "readiness": {"timeout": 5},
    } == service.to_dict()
    assert service == Service(**service.to_dict())


def test_representation_makes_it_again() -> None:
    """It is the call that Python would need."""
    service = Service(**NAP, limits={"nofile": 1024})
    assert service == eval(repr(service))


def test_two_services_do_not_share_their_defaults() -> None:
    """A list that one of them changes is its own."""
    one, other = Service(name="one"), Service(name="other")
    one.arguments.append("-d")
    one.readiness["command"].append("true")
    assert ([], []) == (other.arguments, other.readiness["command"])


@pytest.mark.parametrize(
    ("fields", "key", "nearest"),
    [
        ({"exekutable": "/bin/true"}, "exekutable", "executable"),
        ({"xyzzy": 1}, "xyzzy", None),
        ({"readiness": {"kynd": "exec"}}, "readiness.kynd", "readiness.kind"),
        ({"limits": {"nofiles": 1}}, "limits.nofiles", "limits.nofile"),
        ({"directories": [{"pfad": "/x"}]}, "directories.pfad", "directories.path"),
    ],
    ids=str,
)
def test_unknown_key_is_named_with_the_nearest_known_one(fields, key, nearest) -> None:
    """Keys of tables too; where nothing is like it, nothing is proposed."""
    with pytest.raises(DeclarationError) as caught:
        Service(name="nap", file="/etc/ssd/nap.toml", **fields)
    error = caught.value
    assert ("/etc/ssd/nap.toml", key) == (error.file, error.key)
    if key != "directories.pfad":  # too unlike
        assert nearest == error.nearest


# field -> values that it cannot have
BAD = {
    "name": ["", "a/b", ".x", "-x", "a\nb", 1, None],
    "description": [1, "two\nlines", "a\0b"],
    "executable": ["bin/true", 7, ""],
    "arguments": ["--one", [1], {"a": "b"}],
    "pidfile": ["nap.pid", 3],
    "match_executable": ["yes", 1],
    "directories": ["/run/x", [{}], [{"path": "x"}], [{"path": "/x", "mode": 755}]],
    "environment": [["A=1"], {"A": 1}, {"A=B": "x"}, {"": "x"}],
    "umask": [22, "8", "", "00022", "0x12"],
    "limits": [
        {"nofile": "many"},
        {"nofile": -1},
        {"nofile": True},
        {"nofile": "1:2:3"},
        {"nofile": 1 << 63},
        {"nofile": "2:1"},
        {"nofile": "unlimited:1"},
    ],
    "nice": ["5", 1.5, True, 41, -(10**11)],
    "process_name": [""],
    "user": [""],
    "group": ["", 5],
    "cpu_scheduling": ["batch", "fifo:100", "fifo:", "rr:-1"],
    "io_scheduling": ["idle:8", "realtime"],
    "stop_schedule": ["TERM", "TERM/x", "forever/"],
    "reload_signal": ["HUPP", "0", "99", ""],
    "before_start": [1, [1]],
    "readiness": [
        "notify",
        {"kind": "soon"},
        {"timeout": -1},
        {"command": "true"},
        {"kind": "command"},
    ],
    "respawn": [{"when": "sometimes"}, {"limit": -1}, {"normal_exit": [256]}],
    "default_start": [["7"], "2 3"],
    "expect": ["forks"],
    "oom_score": [1001, "always"],
}


@pytest.mark.parametrize(
    ("field", "value"), [(field, value) for field in BAD for value in BAD[field]], ids=str
)
def test_value_that_a_field_cannot_have_is_refused(field, value) -> None:
    """The error names the field and says what it has to be."""
    with pytest.raises(DeclarationError) as caught:
        Service(**{**NAP, field: value})
    assert field == caught.value.key.partition(".")[0]
    assert caught.value.reason


def test_match_has_what_the_declaration_says() -> None:
    """The pidfile; the program and the name if they are asked for, or if there is no pidfile."""
    plain = Service(**NAP).match()
    assert ("/run/nap.pid", None, None) == (plain.pidfile, plain.exec, plain.name)
    strict = Service(**NAP, process_name="sleep", match_executable=True).match()
    assert ("/run/nap.pid", "/bin/sleep", "sleep") == (strict.pidfile, strict.exec, strict.name)
    bare = Service(**NAP, pidfile="none").match()
    assert (None, "/bin/sleep") == (bare.pidfile, bare.exec)
    rooted = Service(**NAP, root="/srv/root/", match_executable=True).match()
    assert "/srv/root/bin/sleep" == rooted.exec


def test_command_has_what_the_declaration_says() -> None:
    """In the words of ``ssd.Command``."""
    command = Service(
        **NAP, user="nobody", group="0", umask="077", nice=5, working_directory="/tmp",
        cpu_scheduling="rr:5", io_scheduling="idle", output="/tmp/log",
        limits={"core": "unlimited", "nofile": "10:20"}, environment={"A": "1"},
    ).command()  # fmt: skip
    assert [b"/bin/sleep", b"60"] == command.argv
    assert ("nobody", "0", 0o077, 5) == (command.user, command.group, command.umask, command.nice)
    assert (b"/tmp", b"/tmp/log") == (command.directory, command.output)
    assert (("rr", 5), ("idle", 7)) == (command.cpu_scheduling, command.io_scheduling)
    assert {(-1, -1), (10, 20)} == set(command.limits.values())
    assert b"1" == command.environment[b"A"]
    assert b"PATH" in command.environment


def test_script_is_run_by_a_shell() -> None:
    """As Upstart runs one, and it needs no executable."""
    command = Service(name="nap", script="sleep 60\n").command()
    assert [b"/bin/sh", b"-e", b"-c", b"sleep 60\n", b"nap"] == command.argv


def test_missing_program_is_an_error_where_it_is_needed() -> None:
    """A status needs none, a start does."""
    service = Service(name="nap", file="/etc/ssd/nap.toml")
    assert "/run/nap.pid" == service.match().pidfile
    with pytest.raises(DeclarationError, match="/etc/ssd/nap.toml: executable: "):
        service.command()


def test_schedule_is_parsed() -> None:
    """By the one that --retry has."""
    service = Service(**NAP, stop_schedule="INT/5/KILL/1")
    assert Schedule.parse("INT/5/KILL/1") == service.schedule


def test_types_name_the_fields_and_entries_of_the_tables() -> None:
    """``ssd.service.types`` names every field, and every entry of a table, in the same order."""
    tree = ast.parse((CHECKOUT / "ssd/service/types.py").read_text())
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    named = {
        each.name: [node.target.id for node in each.body if isinstance(node, ast.AnnAssign)]
        for each in classes
    }
    tables = {"Readiness": list(READINESS), "Respawn": list(RESPAWN), "Fields": list(NAMES)}
    assert tables == named


def test_every_kind_of_the_table_is_checked() -> None:
    """No field passes unseen: a value of no sensible type is refused by each."""
    for name in KINDS:
        with pytest.raises(DeclarationError):
            Service(**{**NAP, name: object()})


def test_text_is_what_a_file_name_can_be() -> None:
    """Bytes that are not UTF-8, as Python has them; half of a surrogate pair is refused."""
    assert ["\udcff"] == Service(**{**NAP, "arguments": ["\udcff"]}).arguments
    with pytest.raises(DeclarationError, match=r"arguments: it has to be text.*surrogate"):
        Service(**{**NAP, "arguments": ["\ud800"]})
