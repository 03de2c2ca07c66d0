"""Whole scripts give the same result with both libraries in every shell."""

import os

import pytest

from . import entry_points

pytestmark = [
    pytest.mark.differential,
    pytest.mark.requires_namespaces,
    pytest.mark.requires_root,
]

# Each runs as a script named init-script in an empty directory, as root of a namespace. $LIBRARY is
# the library, $INTERPRETER the shell; standard error is printed too.
SCENARIOS = {
    "an exit on errors is only for what failed": """
        set -eu
        . "$LIBRARY"
        log_daemon_msg "Starting" nap
        log_progress_msg one
        log_end_msg 0
        log_daemon_msg "Starting several"
        log_progress_msg one
        log_progress_msg two three
        log_end_msg 0
        log_success_msg; log_failure_msg; log_warning_msg
        log_success_msg a; log_failure_msg b c; log_warning_msg d
        log_begin_msg e; log_action_msg f
        log_action_begin_msg g; log_action_cont_msg h; log_action_end_msg 1 i
        log_action_begin_msg; log_action_cont_msg; log_action_end_msg 0
        status=0; pidofproc -p none x || status=$?; echo $status
        status=0; status_of_proc -p none x y || status=$?; echo $status
        status=0; killproc -p none x HUP || status=$?; echo $status
        killproc -p none x
        killproc -p none x TERM
        status=0; get_lsb_header_val none Provides || status=$?; echo $status
        init_is_upstart || echo "no Upstart"
        log_end_msg 3
        echo "not reached"
    """,
    "a missing program ends a script that exits on errors": """
        set -e
        . "$LIBRARY"
        log_begin_msg "reached"
        pidofproc -p none x
        echo "not reached"
    """,
    "missing arguments are allowed where unset variables are errors": """
        set -u
        . "$LIBRARY"
        for call in log_daemon_msg log_progress_msg log_begin_msg log_end_msg log_success_msg \\
            log_failure_msg log_warning_msg log_action_msg log_action_begin_msg \\
            log_action_cont_msg pidofproc; do
            status=0; $call || status=$?
            echo "$call $status"
        done
    """,
    "functions before and after a line are called with its arguments": """
        . "$LIBRARY"
        for line in daemon begin end action action_begin action_end; do
            for when in pre post; do
                eval "log_${line}_msg_$when () { printf '[%s ' $line $when \\"\\$@\\"; echo; }"
            done
        done
        log_daemon_msg a b; log_daemon_msg a; log_daemon_msg
        log_begin_msg c d; log_begin_msg
        log_end_msg 0; log_end_msg 3; echo $?; log_end_msg
        log_action_msg e; log_action_begin_msg f; log_action_cont_msg f; log_action_end_msg 1 g
        log_success_msg h; log_failure_msg i; log_warning_msg j
        status_of_proc -p none k l
    """,
    "a hook may print a line of its own while one is ended": """
        . "$LIBRARY"
        log_end_msg_post () { case $1 in 3) log_success_msg "hook" ;; esac; }
        log_end_msg 3; echo $?
        log_failure_msg x; echo $?
    """,
    "the hooks of init-functions.d are read": """
        mount -t tmpfs none /lib/lsb/init-functions.d
        echo 'log_daemon_msg_post () { echo " <$*>"; }' >/lib/lsb/init-functions.d/50-one
        echo 'log_end_msg () { echo "own $1"; return 5; }' >/lib/lsb/init-functions.d/60-two
        echo 'log_action_msg () { echo broken; }' >/lib/lsb/init-functions.d/70-three.dpkg-old
        . "$LIBRARY"
        log_daemon_msg a b; log_end_msg 3; echo $?; log_action_msg c
    """,
    "systemd's hook hands a script over to systemctl": """
        mkdir -p /run/systemd/system /run/bin
        mount -t tmpfs none /etc/init.d
        printf '#!/bin/sh\necho "systemctl $*"\n' >/run/bin/systemctl
        chmod +x /run/bin/systemctl
        echo '. "$LIBRARY"; echo "$1 was not handed over"; log_end_msg 3' >/etc/init.d/nap
        PATH=/run/bin:$PATH
        for verb in start stop restart status reload other; do
            $INTERPRETER /etc/init.d/nap $verb; echo $?
            SYSTEMCTL_SKIP_REDIRECT=1 $INTERPRETER /etc/init.d/nap $verb; echo $?
        done
    """,
    "the settings of lsb-base-logging.sh are read last": """
        mount -t tmpfs none /etc
        echo 'FANCYTTY=0; log_success_msg () { echo "own $FANCYTTY"; }' >/etc/lsb-base-logging.sh
        FANCYTTY=1
        . "$LIBRARY"
        log_success_msg a; log_failure_msg b
    """,
    "lines need no other program": """
        PATH=/nonexistent
        . "$LIBRARY"
        log_daemon_msg a b; log_end_msg 0; log_failure_msg c; log_action_begin_msg d
        log_action_end_msg 1; log_end_msg 3; echo $?
        init_is_upstart; echo $?
    """,
    "VERBOSE silences the lines of init-d-script": """
        . "$LIBRARY"
        for VERBOSE in yes no ""; do
            vlog_daemon_msg a b; vlog_begin_msg c; vlog_end_msg 0; vlog_end_msg 3; echo $?
            vlog_action_msg d; vlog_action_begin_msg e; vlog_action_end_msg 1; echo $?
            vlog_end_msg; echo $?
        done
    """,
    "Upstart is asked": """
        mount -t tmpfs none /usr/sbin
        . "$LIBRARY"
        init_is_upstart; echo $?
        for said in "init (upstart 1.13)" "systemd 252"; do
            printf '#!/bin/sh\\n[ "$*" = version ] && echo "%s"' "$said" >/usr/sbin/initctl
            chmod +x /usr/sbin/initctl
            init_is_upstart; echo $?
        done
        chmod -x /usr/sbin/initctl
        init_is_upstart; echo $?
    """,
    "a shell's own options and arguments stay": """
        . "$LIBRARY"
        set -- -a -b value rest
        getopts ab: letter; echo "$letter $OPTIND"
        pidofproc -p none x
        status_of_proc -p none x y
        getopts ab: letter; echo "$letter $OPTARG $OPTIND"
        log_daemon_msg one two; log_end_msg 0
        echo "$# $*"
    """,
    "words are joined by spaces whatever IFS is": """
        . "$LIBRARY"
        IFS=:
        log_action_msg a b; log_begin_msg c d; log_failure_msg e f; log_progress_msg g h
    """,
    "a script is a daemon by its own name": """
        . "$LIBRARY"
        mkfifo ready hold
        printf '#!/bin/sh\\necho >ready; read line <hold\\n' >napper
        chmod +x napper
        ./napper & read line <ready
        for name in napper ./napper "$PWD/napper" /opt/napper nap; do
            [ "$(pidofproc "$name")" = $! ] && echo "$name is it"
        done
        sh napper & read line <ready
        [ "$(pidofproc napper)" = $! ] && echo "sh napper is one"
        sh ./other-napper; pidofproc other-napper; echo $?
    """,
    "a script that looks for its own name is not the daemon": """
        printf '#!/bin/sh\n. "$LIBRARY"\npidofproc asker; echo $?\n' >asker
        chmod +x asker
        ./asker
    """,
    "a life": """
        . "$LIBRARY"
        cp /bin/dash nap; mkfifo ready hold
        pid () { read pid <nap.pid && [ "$(pidofproc -p nap.pid "$PWD/nap")" = "$pid" ]; }
        start () {
            log_daemon_msg "Starting" nap
            start_daemon -p nap.pid "$PWD/nap" -c \
                '"$0" -c "echo \\$\\$ >nap.pid; echo >ready; read line <hold; exit 1" &'
            log_end_msg $?
            read line <ready
        }
        start; pid && echo "its pid"; first=$pid
        start_daemon -p nap.pid "$PWD/nap" -c "exit 5"; echo "again $?"
        pid && [ "$first" = "$pid" ] && echo "the same"
        status_of_proc -p nap.pid "$PWD/nap" nap; echo $?
        killproc -p nap.pid "$PWD/nap"; echo "stop $?"
        status_of_proc -p nap.pid "$PWD/nap" nap; echo $?
        killproc -p nap.pid "$PWD/nap" TERM; echo "stop $?"
        status_of_proc -p nap.pid "$PWD/nap" nap; echo $?
        ls
    """,
}


def played(run, directory, shell: str, library, scenario: str) -> tuple[int, str]:
    """Run a scenario; return its status, and its output without the name of the directory."""
    directory.mkdir()
    script = directory / "init-script"
    script.write_text(f"exec 2>&1\ncd '{directory}'\n{SCENARIOS[scenario]}")
    environment = {
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        "INTERPRETER": shell,
        "LIBRARY": str(library),
        "SSD_SERVICE": str(entry_points.service()),
    }
    done = run(*shell.split(), script, env=environment)
    return done.returncode, done.stdout.replace(str(directory), "DIRECTORY")


@pytest.mark.parametrize("name", entry_points.SHELLS)
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_script_does_the_same_with_either_library(scenario, name, in_namespace, tmp_path) -> None:
    """The original in dash, this project's library in each shell."""
    if not os.access(entry_points.ORIGINAL, os.R_OK):
        pytest.skip(f"{entry_points.ORIGINAL} is not installed")
    shell = entry_points.shell(name, tmp_path)
    expected = played(in_namespace, tmp_path / "original", "dash", entry_points.ORIGINAL, scenario)
    assert expected == played(
        in_namespace, tmp_path / "ours", shell, entry_points.shell_library(), scenario
    )
    assert expected[1], "the scenario prints nothing"
