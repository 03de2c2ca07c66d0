"""An init script runs unchanged, and finds ssd where it calls start-stop-daemon."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import Run as Runner
from kit import namespace
from kit.debian import skip_without_oracle

from ssd.service.initscripts.substitution import (
    REWRITABLE,
    interpreted,
    rewritten,
    shell_name,
    sourced,
)
from ssd.service.initscripts.watching import Watch

VERSION = "start-stop-daemon --version"
SCRIPTS = {
    "plain": f"#!/bin/sh\n{VERSION}\n",
    "options": f"#!/bin/sh -eu\nfalse || :\n{VERSION}\n",
    "dash-option": f"#!/bin/sh -\n{VERSION}\n",
    "no first line": f"{VERSION}\n",
    "sets PATH": f"#!/bin/sh\nPATH=/usr/sbin:/usr/bin:/sbin:/bin\n{VERSION}\n",
    "absolute": f"#!/bin/sh\nPATH=/bin\n/sbin/{VERSION} && /usr/sbin/{VERSION} > /dev/null\n",
    "function": f"#!/bin/sh\nPATH=/bin\nf() {{ X=1 /sbin/{VERSION}; }}\nif ! f; then exit 5; fi\n",
    "substitution": f'#!/bin/sh\nPATH=/bin\nx=$({VERSION})\nprintf "%s\\n" "$x"\n',
    "sources": f"#!/bin/sh\nPATH=/usr/sbin:/bin\necho '{VERSION}' > /tmp/sourced\n. /tmp/sourced\n",
    "bash": f"#!/bin/bash\nPATH=/usr/sbin:/bin\n{VERSION}\n",
    "bash absolute": "#!/bin/bash\nset -e\nD=/sbin/start-stop-daemon\n$D --version\n",
    "bash by env": f"#!/usr/bin/env bash\nPATH=/usr/sbin:/bin\n/sbin/{VERSION}\n",
    "bash by env -S": f"#!/usr/bin/env -S bash -e\nPATH=/usr/sbin:/bin\n/sbin/{VERSION}\n",
    "by a script": f"#!/etc/init.d/interpreter\n{VERSION}\n",
    "command -v": "#!/bin/sh\nPATH=/sbin:/bin\nD=$(command -v start-stop-daemon)\n$D --version\n",
    "variable": "#!/bin/sh\nPATH=/usr/sbin:/bin; D=start-stop-daemon\n$D --version\n",
    "absolute variable": "#!/bin/sh\nD=/sbin/start-stop-daemon\n$D --version\n",
    "sh -c": f"#!/bin/sh\nPATH=/usr/sbin:/bin\nsh -c '{VERSION}'\n",
    "absolute in sh -c": f'#!/bin/sh\nPATH=/usr/sbin:/bin\nsh -c "/sbin/{VERSION}"\n',
    "export": f"#!/bin/sh\nexport PATH='/usr/sbin:/bin'\nnice -n 1 {VERSION}\n",
    "for a command": f"#!/bin/sh\nX=1 PATH=/usr/sbin:/bin env Y=1 {VERSION}\n",
    "exec": f"#!/bin/sh\nPATH=/usr/sbin:/bin\nexec {VERSION}\n",
    "xargs": "#!/bin/bash\nPATH=/sbin:/usr/bin\necho --version | xargs start-stop-daemon\n",
    "itself": f'#!/bin/sh\nPATH=/usr/sbin:/bin\n[ "$1" = start ] || exec {VERSION}\n$0 again\n',
    "itself quoted": f'#!/bin/sh -e\nPATH=/usr/sbin:/bin\n[ "$1" = start ] || {VERSION}\n'
    'case $1 in start) true; "${0}" "again"; esac\n',
    "itself by sh": f'#!/bin/sh\nPATH=/usr/sbin:/bin\n[ "$1" = start ] || exec {VERSION}\n'
    "true && sh $0 again\n",
    "itself by its path": f'#!/bin/bash\nPATH=/usr/sbin:/bin\n[ "$1" = start ] || exec {VERSION}\n'
    'if "/etc/init.d/itself by its path" again; then exit 0; fi\nexit 5\n',
    "not sourced": f"#!/bin/bash\nPATH=/usr/sbin:/bin\nmain() {{ {VERSION}; }}\n"
    'if [[ ${BASH_SOURCE[0]} == "$0" && $BASH_SOURCE -ef $0 ]]; then main; fi\n',
    "does not return": f"#!/bin/bash\nPATH=/usr/sbin:/bin\n(return 0 2>/dev/null) || {VERSION}\n",
    "shift": f"#!/bin/sh\nx=$((1<<2))\nPATH=/usr/sbin:/bin\n{VERSION}\n",
    "by a script by env": f"#!/usr/bin/env /etc/init.d/interpreter\n{VERSION}\n",
    "python": f"#!{sys.executable}\nimport os\nos.system('{VERSION}')\n",
}
INTERPRETER = '#!/bin/sh\nscript=$1\nshift\nPATH=/usr/sbin:/bin\n. "$script"\n'
# Prints $0 and its words, each in brackets.
TELLER = '#!/bin/sh\nprintf "<%s>" "$0" "$@"\necho; exit 7\n'

INSIDE = """
mkdir /tmp/init.d && cp -p "$1"/* /tmp/init.d && mount --bind /tmp/init.d /etc/init.d && shift
{before}
exec "$@"
"""


@pytest.fixture
def on_machine(run: Runner, tmp_path: Path):
    """Return a function that runs ssd-service --with-ssd with these scripts in /etc/init.d."""
    if os.geteuid() != 0:
        pytest.skip("requires root")
    ours = str(Path(sys.executable).parent / "ssd-service")

    def on_machine(
        scripts: dict[str, str], *words: str, before: str = ""
    ) -> "subprocess.CompletedProcess[str]":
        directory = tmp_path / "scripts"
        directory.mkdir(exist_ok=True)
        for name, text in scripts.items():
            (directory / name).write_text(text)
            (directory / name).chmod(0o755)
        inside = [
            "sh",
            "-ec",
            INSIDE.format(before=before),
            "sh",
            str(directory),
            ours,
            "--with-ssd",
            *words,
        ]
        path = {"PATH": os.defpath}  # without a directory of ssd
        return run(*namespace.command(inside, keep=[tmp_path]), env=path)

    return on_machine


@pytest.mark.requires_namespaces
@pytest.mark.parametrize("name", SCRIPTS)
def test_script_calls_ssd(name: str, on_machine, ssd_path: Path, run: Runner) -> None:
    """By name or absolute path, with its own PATH, from functions and sourced files."""
    expected = run(ssd_path, "--version").stdout
    done = on_machine({name: SCRIPTS[name], "interpreter": INTERPRETER}, name, "start")
    assert (0, "", expected) == (done.returncode, done.stderr, done.stdout)


@pytest.mark.requires_namespaces
def test_packaged_file_that_sets_path_leads_to_ssd(on_machine, ssd_path: Path, run) -> None:
    """As init-d-script(5), which Debian's scripts source; a file without PATH is not copied."""
    library = f'PATH=/usr/sbin:/bin; export PATH; . /usr/share/two; [ "$1" != x ] || {VERSION}'
    before = f"""
mkdir /tmp/share; echo '{library}' > /tmp/share/one; echo 'echo two' > /tmp/share/two
mount --bind /tmp/share /usr/share"""
    script = '#!/bin/sh\nset x "$@"; SOURCED=true . /usr/share/one\n'
    done = on_machine({"a b": script}, "a b", "start", before=before)
    expected = "two\n" + run(ssd_path, "--version").stdout
    assert (0, "", expected) == (done.returncode, done.stderr, done.stdout)


@pytest.mark.requires_namespaces
def test_script_keeps_its_words_and_status(on_machine) -> None:
    """The script gets its own path and words, and the command returns its exit status."""
    done = on_machine({"teller": TELLER}, "teller", "a b", "$(false)", "'", "", "*")
    assert "</etc/init.d/teller><a b><$(false)><'><><*>\n" == done.stdout
    assert 7 == done.returncode


@pytest.mark.requires_namespaces
def test_link_lies_where_only_root_can_write(on_machine) -> None:
    """Daemons inherit PATH, so the directory must be safe as long as they run."""
    script = "#!/bin/sh\nd=${PATH%%:*}\nstat -c '%a %u %F' $d; readlink $d/start-stop-daemon\n"
    facts, link = on_machine({"x": script}, "x").stdout.splitlines()
    assert "755 0 directory" == facts
    assert str(Path(sys.executable).parent / "ssd") == link


DAEMON = """#!/bin/sh
PATH=/usr/sbin:/usr/bin:/sbin:/bin
export PATH
mkfifo /tmp/end
start-stop-daemon --start --background --make-pidfile --pidfile /run/d.pid --output /run/told \\
    --startas /bin/sh -- -c 'env; echo > /tmp/end'
read told < /tmp/end
cat /run/told
"""


@pytest.mark.requires_namespaces
def test_daemon_inherits_no_trace_of_ssd(on_machine) -> None:
    """PATH is the script's, and no variable is added."""
    told = on_machine({"d": DAEMON}, "d", "start").stdout.splitlines()
    assert "PATH=/usr/sbin:/usr/bin:/sbin:/bin" in told
    assert [] == [line for line in told if "SYSTEMCTL" in line or "ssd" in line.lower()]


SAID = "ssd-service: warning: the original start-stop-daemon was called, not ssd: "
# Cannot be changed: a program other than a shell, with the absolute path of the original. A tool
# that runs long enough to be identified replaces the original.
PYTHON = """#!{python}
import subprocess
subprocess.run(["/usr/sbin/start-stop-daemon", "--stop", "--name", "x"])
"""
LASTS = """
printf '#!/bin/sh\\nsleep 1\\n' > /tmp/tool; chmod 755 /tmp/tool
mount --bind /tmp/tool "$(readlink -f /usr/sbin/start-stop-daemon)"
"""


@pytest.mark.requires_namespaces
def test_calls_of_the_original_are_reported(on_machine) -> None:
    """With the command line, if the kernel reports the process (fanotify(7))."""
    skip_without_oracle()
    script = {"x": PYTHON.format(python=sys.executable)}
    told = set(on_machine(script, "x", "start", before=LASTS).stderr.splitlines())
    call = "/bin/sh /usr/sbin/start-stop-daemon --stop --name x"
    unidentified = "by this script or another process; only root can see which"
    assert {SAID + (call if fanotify() else unidentified)} == told


# Another process uses the original meanwhile; the script waits for it.
MEANWHILE = """#!/bin/sh
echo > /tmp/go; read done < /tmp/done; exit 0
"""
OTHERS = """
mkfifo /tmp/go /tmp/done
( { read go < /tmp/go; /usr/sbin/start-stop-daemon > /dev/null; echo > /tmp/done; } & ) # an orphan
"""


@pytest.mark.requires_namespaces
def test_calls_of_other_processes_are_not_reported(on_machine) -> None:
    """If the kernel reports the process."""
    skip_without_oracle()
    if not fanotify():
        pytest.skip("fanotify(7) is not allowed here")
    done = on_machine({"x": MEANWHILE}, "x", "start", before=LASTS + OTHERS)
    assert (0, "") == (done.returncode, done.stderr)


ENDS = {"kill -TERM $$": -15, "kill -KILL $$": -9, "exit 150": 150, "kill -INT $$": -2}


@pytest.mark.requires_namespaces
@pytest.mark.parametrize("line", ENDS)
def test_command_ends_as_the_script_does(line: str, on_machine) -> None:
    """With the same status or signal; the namespace's shell adds 128 to a signal."""
    status = on_machine({"x": f"#!/bin/sh\n{line}\n"}, "x").returncode
    assert status in (ENDS[line], 128 - ENDS[line])


@pytest.mark.requires_namespaces
def test_signal_reaches_the_script(on_machine) -> None:
    """A supervisor signals ssd-service, and the script handles TERM."""
    script = """#!/bin/sh
trap 'echo heard; exit 5' TERM
kill -TERM $PPID
while :; do sleep 0.1; done
"""
    done = on_machine({"x": script}, "x")
    assert (5, "heard\n") == (done.returncode, done.stdout)


def fanotify() -> bool:
    """Return whether the kernel reports executions to this process."""
    with Watch(["/bin/sh"], os.getpid()) as watch:
        return watch.tells_caller


@pytest.mark.requires_namespaces
def test_unknown_service_is_an_error(on_machine) -> None:
    """With the message and status of service(8)."""
    done = on_machine({"teller": TELLER}, "nobody-knows", "start")
    assert (1, "nobody-knows: unrecognized service\n") == (done.returncode, done.stderr)


LINES = {
    "#!/bin/sh\n": ["/bin/sh"],
    "#! /bin/sh  -e \n": ["/bin/sh", "-e"],
    "#!/bin/sh --\n": ["/bin/sh"],
    "#!/usr/bin/env dash\n": ["/usr/bin/env", "dash"],
    "#!/usr/bin/env -S A=1 bash -e\n": ["/usr/bin/env", "-S A=1 bash -e"],
    "#!/usr/bin/perl -w\n": [],
    "#!\n": [],
    "echo no first line\n": ["/bin/sh"],
    "": ["/bin/sh"],
    "\x7fELF and more": [],
}


@pytest.mark.parametrize("line", LINES)
def test_shell_is_that_of_the_first_line(line: str, tmp_path: Path) -> None:
    """As execve(2) reads it; empty for programs that no shell reads."""
    script = tmp_path / "script"
    script.write_text(line)
    shell, words = interpreted([str(script), "start"])
    assert LINES[line] == shell
    assert not shell or shell_name(shell) in REWRITABLE
    assert [str(script), "start"] == words[-2:]


LINK = "/run/ssd-service/start-stop-daemon"
DIRECTORY = "/run/ssd-service"
ITSELF = "/bin/sh -c ITSELF"

CHANGED = {
    "PATH=/bin": f"PATH={DIRECTORY}:/bin",
    'export PATH="/bin:$HOME"': f'export PATH={DIRECTORY}:"/bin:$HOME"',
    "x=1; PATH=$PATH:/bin y": f"x=1; PATH={DIRECTORY}:$PATH:/bin y",
    "[ -d /x ] && PATH=/x": f"[ -d /x ] && PATH={DIRECTORY}:/x",
    "/sbin/start-stop-daemon -K": f"{LINK} -K",
    "D=/usr/sbin/start-stop-daemon": f"D={LINK}",
    "sh -c '/sbin/start-stop-daemon -K'": f"sh -c '{LINK} -K'",
    "$0 stop": f"{ITSELF} stop",
    '  "$0" "$1"; ${0} start': f'  {ITSELF} "$1"; {ITSELF} start',
    "restart) $0 stop && $0 start;;": f"restart) {ITSELF} stop && {ITSELF} start;;",
    "sh $0 stop; /bin/bash $0 start": f"{ITSELF} stop; {ITSELF} start",
    "if /etc/init.d/x status; then exec $0 stop": f"if {ITSELF} status; then exec {ITSELF} stop",
    "! $0 status || x=$( $0 status )": f"! {ITSELF} status || x=$( {ITSELF} status )",
    "cat <<< word\n$0 stop": f"cat <<< word\n{ITSELF} stop",
    "cat <<X\n$0 stop\nX\n$0 stop": f"cat <<X\n$0 stop\nX\n{ITSELF} stop",
    "x=$((1<<2)); y=$((1 << n))\n$0 stop": f"x=$((1<<2)); y=$((1 << n))\n{ITSELF} stop",
    "echo 'a << b'; cat << X\n$0 stop\nX\nPATH=/b": "echo 'a << b'; cat << X\n$0 stop\nX\n"
    f"PATH={DIRECTORY}:/b",
    "nice $0 stop; setsid /etc/init.d/x start": f"nice {ITSELF} stop; setsid {ITSELF} start",
    "cat <<-'E F'; cat <<\\Y\nPATH=/bin\nY": "cat <<-'E F'; cat <<\\Y\nPATH=/bin\nY",
}
LEFT = (
    "MY_PATH=/bin",
    "LD_LIBRARY_PATH=/lib",
    "PATH= command -V x",
    'echo "PATH=/bin"',
    "$PATH=/x",
    "# PATH=/bin",
    "#!/bin/sh $0 stop",
    'echo "Usage: $0 {start|stop}"',
    "N=${0##*/}",
    "echo $0 start",
    "$0",
    '[ -x "$0" ]',
    "/sbin/start-stop-daemon.real",
    "$ROOT/sbin/start-stop-daemon -K",
    "${R}/sbin/start-stop-daemon",
    "/etc/init.d/xy stop",
    "/etc/init.d/x-y stop",
    "start-stop-daemon -K",
    "/usr/sbin/start-stop-daemon-x",
    "cat <<X\nPATH=/bin\n$0 stop\nX",
    "cat <<-X\n\tPATH=/bin\n\tX",
)


BASH = {
    '[[ "${BASH_SOURCE[0]}" == "$0" ]]': '[[ "${0}" == "$0" ]]',
    "d=${BASH_SOURCE%/*} n=$BASH_SOURCE": "d=${0%/*} n=$0",
    "${BASH_SOURCE[0]:-x} ${BASH_SOURCE[0]##*/}": "${0:-x} ${0##*/}",
    "${BASH_SOURCE[1]} ${#BASH_SOURCE[@]} ${BASH_SOURCE[@]}": None,
    "$BASH_SOURCES ${BASH_SOURCES} # $BASH_SOURCE": "$BASH_SOURCES ${BASH_SOURCES} # $0",
    "# $BASH_SOURCE": None,
    "(return 0 2>/dev/null) && x || main": "(exit 1) && x || main",
    "if ! ( return &> /dev/null ); then": "if ! (exit 1); then",
    "f || (echo no; return 1); (return 1)": None,
}
SOURCED = {
    "set x; Y=true . /lib/init/y": ["/lib/init/y"],
    "[ -r /usr/lib/y ] && . /usr/lib/y\nif source /usr/lib/y; then . /usr/share/z/y.sh; fi": [
        "/usr/lib/y", "/usr/share/z/y.sh",
    ],
    "# . /lib/y\n. /etc/default/y\n. $d/lib/y\n. /lib/$y\n. ./lib/y\necho . /lib/y": [],
}  # fmt: skip


@pytest.mark.parametrize("text", BASH)
def test_script_of_bash_does_not_see_that_it_is_sourced(text: str) -> None:
    """BASH_SOURCE would name the copy; other shells have no such variable."""
    assert (BASH[text] or text) == rewritten(text, LINK, "/etc/init.d/x", ITSELF, bash=True)
    assert text == rewritten(text, LINK, "/etc/init.d/x", ITSELF)


@pytest.mark.parametrize("text", SOURCED)
def test_packaged_file_is_sourced_from_a_copy(text: str) -> None:
    """If the script sources it by its path. Files that a script may write stay unchanged."""
    assert SOURCED[text] == sourced(text)
    copies = dict.fromkeys(sourced(text), "/run/copy")
    expected = text
    for path in copies:
        for word in (". ", "source "):
            expected = expected.replace(word + path, word + "/run/copy")
    assert expected == rewritten(text, LINK, "/etc/init.d/x", ITSELF, copies)


@pytest.mark.parametrize("text", CHANGED)
def test_text_that_leads_away_from_ssd_is_changed(text: str) -> None:
    """An assignment to PATH, an absolute path, and the script itself as a command."""
    assert CHANGED[text] == rewritten(text, LINK, "/etc/init.d/x", ITSELF)


@pytest.mark.parametrize("text", LEFT)
def test_other_text_is_left_alone(text: str) -> None:
    """Printed text, and other names."""
    assert text == rewritten(text, LINK, "/etc/init.d/x", ITSELF)
