"""The changes of a shell file to its own process: its program inherits them."""

import os
import shutil
from pathlib import Path

import pytest
from conftest import Run

from ssd.service.sources.inherited import exported

from .texts import HEAD, loads


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("export FOO=bar\n", {"environment": {"FOO": "bar"}}),
        ("export A=1 B='x  y'\nC=3; export C\n",
         {"environment": {"A": "1", "B": "x  y", "C": "3"}}),
        ("export Q=\"it's\\nl2\"\nexport R='a\nexport S=1\n\"'\n",
         {"environment": {"Q": "it's\\nl2", "R": 'a\nexport S=1\n"'}}),
        ("set -a; D=4; set +a\n", {"environment": {"D": "4"}}),
        ("PATH=/opt/bin:$PATH\n", {"environment": {"PATH": "/opt/bin:/usr/bin:/bin"}}),
        ("export LANG=C PATH\n", {}),
        ("umask 077\n", {"umask": "0077"}),
        ("umask 27; umask 022\n", {"umask": "0022"}),
        ("ulimit -n 64\n", {"limits": {"nofile": 64}}),
        ("ulimit -S -n 64; ulimit -c 0\n", {"limits": {"nofile": "64:{hard}", "core": 0}}),
        ("f() { umask 02; export X=y; }\nf\n", {"umask": "0002", "environment": {"X": "y"}}),
        ("(umask 077; ulimit -n 64; export X=y)\nold=$(umask)\n", {}),
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "first", ["", "#!/usr/bin/env ssd-service\n", "#!/usr/bin/env /lib/init/init-d-script\n"]
)
def test_process_changes_of_a_file_apply_to_the_program(
    text: str, fields: dict[str, object], first: str
) -> None:
    """A program started by the file would inherit them. Those of a subshell are lost."""
    import resource

    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    limits = {k: str(v).format(hard=hard) for k, v in fields.get("limits", {}).items()}  # type: ignore[attr-defined]
    wanted = {"umask": "022", "environment": {}, "limits": {}} | fields
    service = loads(text, first)
    made = {name: getattr(service, name) for name in ("umask", "environment")}
    assert {k: v for k, v in wanted.items() if k != "limits"} == made
    assert limits == {k: str(v) for k, v in service.limits.items()}
    assert () == service.doubts


def test_process_changes_of_the_administrators_file_apply(tmp_path: Path) -> None:
    """As init-d-script(5) sources it."""
    (tmp_path / "nap").write_text("export FROM=default\nulimit -c 0\numask 027\n")
    service = loads(f"DEFAULT_DIR={tmp_path}\n")
    found = service.environment, service.limits, service.umask
    assert ({"FROM": "default"}, {"core": 0}, "0027") == found


def test_declared_values_override_process_changes() -> None:
    """New entries are added to a table, the same entries replaced."""
    text = "export A=1 B=1\nulimit -n 64; ulimit -c 0\numask 077\n"
    own = "SERVICE_ENVIRONMENT='A=2'\nSERVICE_LIMITS='nofile=99'\nSERVICE_UMASK=027\n"
    service = loads(text + own)
    found = service.environment, service.limits, service.umask
    assert ({"A": "2", "B": "1"}, {"nofile": 99, "core": 0}, "027") == found
    assert "026" == loads("umask 077\nSTART_ARGS='--umask 026'\n").umask


@pytest.mark.parametrize("quote", ["'{}'", '"{}"'])
def test_exported_reads_what_dash_and_bash_list(quote: str) -> None:
    """Each quotes in its own way; variables that were there before are left out."""
    listed = "".join(
        f"export {name}={quote.format(value)}\n"
        for name, value in (("A", "1"), ("B", "x y"), ("PWD", "/"), ("SHLVL", "1"), ("_", "x"))
    )
    assert {"B": "x y"} == exported(listed + "export OLDPWD\n", {b"A": b"1", b"B": b"old"})
    assert {"D": 'a"$b'} == exported('export D="a\\"\\$b"\n', {})
    assert {} == exported("", {b"A": b"1"})


def test_process_changes_are_in_generated_files(services) -> None:
    """Variables, limits and mask."""
    (services.directory / "nap").write_text(f"{HEAD}export FOO=bar\nulimit -n 64\numask 077\n")
    lines = services.expect(0, "generate", "systemd", "nap").splitlines()
    assert {"Environment=FOO=bar", "LimitNOFILE=64", "UMask=0077"} <= set(lines)


LIFE = """
mkdir /tmp/default; mount --bind /tmp/default /etc/default
cp /bin/sleep /run/napd; printf 'export FROM=default\\nulimit -c 0\\n' > /etc/default/napd
cat > /run/nap << END
#!$1
NAME=napd
DAEMON=/run/napd
DAEMON_ARGS=300
DESC=nap
PIDFILE=/run/napd.pid
START_ARGS="--background --make-pidfile"
export FOO=bar
ulimit -n 512
umask 077
END
chmod 755 /run/nap
cd /run; env -i PATH="$2:$PATH" ./nap start > /dev/null
# The interpreter of Debian does not wait for the exec.
until [ "$(cat /proc/$(cat napd.pid)/comm)" = napd ]; do :; done
grep -E 'open files|core' /proc/$(cat napd.pid)/limits | tr -s ' '
grep Umask /proc/$(cat napd.pid)/status
tr '\\0' '\\n' < /proc/$(cat napd.pid)/environ | grep -E '^F' | sort
"""


@pytest.mark.requires_namespaces
@pytest.mark.requires_root
def test_process_changes_match_debians_interpreter(in_namespace: Run, ssd_path: Path) -> None:
    """Both start the same file."""
    debian = "/lib/init/init-d-script"
    if not os.access(debian, os.X_OK) or not shutil.which("start-stop-daemon"):
        pytest.skip(f"{debian} or start-stop-daemon is missing: apt-get install sysvinit-utils")
    told = [
        in_namespace("sh", "-ec", LIFE, "sh", first, ssd_path.parent).stdout
        for first in (debian, "/usr/bin/env ssd-service")
    ]
    assert "FOO=bar\nFROM=default\n" == told[1][-21:]
    assert told[0] == told[1]
