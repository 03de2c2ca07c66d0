"""The program of a unit, its variables, and its hooks."""

import os
import subprocess
from pathlib import Path

import pytest

from ssd.service import DeclarationError, Service

from ..conftest import TellUnit

SHOW = "/usr/bin/printf '%%s\\0'"


def test_variables_of_the_unit_are_put_in(unit: TellUnit) -> None:
    """As systemd does: $NAME alone is split into words, ${NAME} is not, and $$ is a dollar."""
    service, notes = unit(
        "Environment='A=1 \"2 3\"' B=b\n"
        "ExecStart=/bin/x $A ${A} pre${B}post $$B $B/c x$B $NONE ${NONE}"
    )
    assert ["1", "2 3", '1 "2 3"', "prebpost", "$B", "x$B", ""] == service.arguments
    assert [] == notes


def test_colon_leaves_dollars_alone(unit: TellUnit) -> None:
    """systemd.service(5), special executable prefixes."""
    service, _ = unit("Environment=A=1\nExecStart=:/bin/x $A ${A} $$")
    assert ["$A", "${A}", "$$"] == service.arguments


def argv_of_script(service: Service, **variables: str) -> list[str]:
    """Run the script of a service, and return what it prints."""
    done = subprocess.run(service.argv, env=variables, capture_output=True, check=True)
    return os.fsdecode(done.stdout).split("\0")[:-1]


def test_variables_of_a_file_are_put_in_at_each_start(tmp_path: Path, unit: TellUnit) -> None:
    """By a script that becomes the program; its words are those of systemd."""
    (tmp_path / "env").touch()
    service, notes = unit(
        f"EnvironmentFile={tmp_path}/env\n"
        f"ExecStart={SHOW} $A ${{A}} \"pre 'x' ${{A}} $$ `\" \"\" '*' $B"
    )
    assert ["one", "*", "one *", "pre 'x' one * $ `", "", "*"] == argv_of_script(service, A="one *")
    assert [] == service.arguments
    assert "by /bin/sh at each start" in notes[1]


def test_managed_directories_are_put_in(tmp_path: Path, unit: TellUnit) -> None:
    """Under systemd they are variables; also beside those that a file may set."""
    text = "RuntimeDirectory=a b\nStateDirectory=c%%d\nExecStart={0} $STATE_DIRECTORY ${{{1}}}/x"
    service, notes = unit(text.format("/bin/x", "RUNTIME_DIRECTORY"))
    assert ["/var/lib/c%d", "/run/a:/run/b/x"] == service.arguments
    assert [] == notes
    (tmp_path / "env").touch()
    text += f" ${{{{A}}}}\nEnvironmentFile={tmp_path}/env"
    service, _ = unit(text.format(SHOW, "RUNTIME_DIRECTORY"))
    assert ["/var/lib/c%d", "/run/a:/run/b/x", "1"] == argv_of_script(service, A="1")


def test_variables_of_a_login_are_put_in_at_each_start(unit: TellUnit) -> None:
    """No unit says them."""
    service, notes = unit(f"ExecStart={SHOW} ${{HOME}}/x $OTHER")
    assert ["/home/x"] == argv_of_script(service, HOME="/home")
    assert "only a start knows" in notes[0]
    assert ["/h/x"] == unit("Environment=HOME=/h\nExecStart=/bin/x ${HOME}/x")[0].arguments


def test_program_without_a_directory_is_looked_up(unit: TellUnit) -> None:
    """Now; env(1) looks for one that is not there."""
    service, notes = unit("ExecStart=cat a")
    assert service.executable in ("/usr/bin/cat", "/bin/cat")
    assert "found by this import" in notes[0]
    service, _ = unit("ExecStart=no-such-program a")
    assert ["/usr/bin/env", "no-such-program", "a"] == service.argv


def test_task_of_several_commands_is_a_script(unit: TellUnit) -> None:
    """Which ends with the first that fails."""
    service, _ = unit("Type=oneshot\nExecStart=/bin/a 'b c'\nExecStart=-/bin/d ; /bin/e")
    assert "/bin/a 'b c'\n/bin/d || :\n/bin/e\n" == service.script
    assert service.task


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("ExecStart=/a\nExecStart=/b", "ExecStart: only Type=oneshot may have several"),
        ("ExecStart=\nType=simple", "ExecStart: the unit starts no program"),
        ("ExecStart=a/b", "ExecStart: must be a path from / or a name, not 'a/b'"),
        ("ExecStart='/a", "ExecStart: has a quote without its pair"),
        ("Type=strange", "Type: must be one of simple, exec"),
        ("KillMode=all", "KillMode: must be one of mixed, process"),
        ("Restart=maybe", "Restart: must be one of no, on-watchdog"),
        ("SuccessExitStatus=SIGNOT", "SuccessExitStatus: must be a signal"),
    ],
)
def test_unit_that_systemd_refuses_is_an_error(text: str, said: str, unit: TellUnit) -> None:
    """With its line and the way out."""
    with pytest.raises(DeclarationError) as caught:
        unit(text)
    assert said in str(caught.value)


def test_hooks_are_lines_of_shell(unit: TellUnit) -> None:
    """Root runs those with a +, and the user the others, as systemd has it."""
    service, _ = unit(
        "ExecStartPre=+/bin/a '$$x'\nExecStartPre=-/bin/b\nExecStop=/bin/c $MAINPID\nUser=u\n"
        "Environment=A=1\nExecStopPost=!/bin/d ${A}"
    )
    user = 'setpriv --reuid u --regid "$(id -g u)" --init-groups --'
    assert f"/bin/a '$x'\n{user} /bin/b || :" == service.before_start
    assert f"{user} /bin/c $(cat /run/x.pid)" == service.before_stop
    assert '/bin/d "${A-}"' == service.after_stop


def test_hooks_of_old_units_are_run_by_root(unit: TellUnit) -> None:
    """PermissionsStartOnly=, and Group= alone."""
    service, _ = unit("User=u\nPermissionsStartOnly=yes\nExecStartPre=/bin/a")
    assert "/bin/a" == service.before_start
    service, _ = unit("Group=g\nExecStartPre=/bin/a")
    assert "setpriv --regid g --clear-groups -- /bin/a" == service.before_start
    service, _ = unit("User=u\nGroup=g\nExecStartPre=/bin/a")
    assert "setpriv --reuid u --regid g --init-groups -- /bin/a" == service.before_start


def test_hooks_run_in_the_directory_of_the_unit(unit: TellUnit) -> None:
    """And outside of its root directory, which is said."""
    service, notes = unit("WorkingDirectory=/srv/a b\nExecStartPre=-/bin/a\nRootDirectory=/r")
    assert "(cd '/srv/a b' && /bin/a) || :" == service.before_start
    assert ["x.service:4: ExecStartPre: runs outside of the root directory"] == notes


def test_main_pid_needs_a_pidfile(unit: TellUnit) -> None:
    """Without one it is empty, which is said."""
    service, notes = unit("Type=forking\nExecStop=/bin/c $MAINPID")
    assert "/bin/c" == service.before_stop.strip()
    assert any("$MAINPID is empty" in note for note in notes)


@pytest.mark.parametrize(
    ("command", "signal"),
    [
        ("/bin/kill -HUP $MAINPID", "HUP"),
        ("/usr/bin/kill -s SIGUSR1 ${MAINPID}", "USR1"),
        ("kill -1 $MAINPID", "HUP"),
        ("/bin/kill --signal USR2 -- $MAINPID", "USR2"),
        ("/bin/kill $MAINPID", "TERM"),
        ("/bin/kill -x $MAINPID", "none"),
        ("/usr/sbin/nginx -s reload", "none"),
    ],
)
def test_reload_is_a_signal(command: str, signal: str, unit: TellUnit) -> None:
    """Any other command is lost, and named."""
    service, notes = unit(f"ExecReload={command}")
    assert (signal, signal == "none") == (service.reload_signal, bool(notes))


def test_reload_of_several_commands_sends_the_signal(unit: TellUnit) -> None:
    """Of sshd's the test before it is lost."""
    service, notes = unit("ExecReload=/bin/x -t\nExecReload=/bin/kill -HUP $MAINPID")
    assert "HUP" == service.reload_signal
    assert ["x.service:4: ExecReload: only HUP is sent: what runs besides is left out"] == notes
    service, _ = unit("ExecReload=/bin/kill $MAINPID\nExecReload=/bin/kill -HUP $MAINPID")
    assert "none" == service.reload_signal


@pytest.mark.parametrize(
    ("mark", "user", "no_new_privs"),
    [("", "daemon", True), ("!!", "daemon", True), ("!", None, True), ("+", None, False)],
)
def test_marked_program_is_run_by_root(
    mark: str, user: str | None, no_new_privs: bool, unit: TellUnit
) -> None:
    """chronyd's is: the user is that of the directories and the hooks."""
    service, notes = unit(
        f"ExecStart={mark}/bin/x\nUser=daemon\nGroup=daemon\nNoNewPrivileges=yes\n"
        "RuntimeDirectory=x\nExecStartPre=/bin/pre"
    )
    assert (user, user, no_new_privs) == (service.user, service.group, service.no_new_privs)
    assert bool(user) == bool(service.login)
    assert ["daemon"] == [each["user"] for each in service.directories]
    assert "--reuid daemon" in str(service.before_start)
    assert bool(user) != any("root runs it" in note for note in notes)


def test_commands_of_two_users_are_told(unit: TellUnit) -> None:
    """A script has one."""
    service, notes = unit("Type=oneshot\nExecStart=/bin/a\nExecStart=+/bin/b\nUser=daemon")
    assert "daemon" == service.user
    assert any("all commands run as the same user" in note for note in notes)
