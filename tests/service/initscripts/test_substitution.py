"""An init script runs as it is, and finds ssd where it calls start-stop-daemon."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import Run as Runner
from kit import namespace
from kit.debian import skip_without_oracle

from ssd.service.initscripts.substitution import SHELLS, interpreted, shell_name
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
# Tells $0 and its words in a form that keeps them apart.
TELLER = '#!/bin/sh\nprintf "<%s>" "$0" "$@"\necho; exit 7\n'

INSIDE = """
mkdir /tmp/init.d && cp -p "$1"/* /tmp/init.d && mount --bind /tmp/init.d /etc/init.d && shift
{before}
exec "$@"
"""


@pytest.fixture
def on_machine(run: Runner, tmp_path: Path):
    """Return a function that runs ssd-service --with-ssd where these scripts are /etc/init.d."""
    if os.geteuid() != 0:
        pytest.skip("requires root")
    ours = str(Path(sys.executable).parent / "ssd-service")

    def on_machine(
        scripts: dict[str, str], *words: str, before: str = ""
    ) -> "subprocess.CompletedProcess[str]":
        folder = tmp_path / "scripts"
        folder.mkdir(exist_ok=True)
        for name, text in scripts.items():
            (folder / name).write_text(text)
            (folder / name).chmod(0o755)
        inside = [
            "sh",
            "-ec",
            INSIDE.format(before=before),
            "sh",
            str(folder),
            ours,
            "--with-ssd",
            *words,
        ]
        path = {"PATH": os.defpath}  # it leads to no ssd
        return run(*namespace.command(inside, keep=[tmp_path]), env=path)

    return on_machine


@pytest.mark.requires_namespaces
@pytest.mark.parametrize("name", SCRIPTS)
def test_script_calls_ssd(name: str, on_machine, ssd_path: Path, run: Runner) -> None:
    """By name or absolute path, with a PATH of its own, from functions and sourced files."""
    expected = run(ssd_path, "--version").stdout
    done = on_machine({name: SCRIPTS[name], "interpreter": INTERPRETER}, name, "start")
    assert (0, "", expected) == (done.returncode, done.stderr, done.stdout)


@pytest.mark.requires_namespaces
def test_packages_file_that_sets_path_leads_to_ssd_too(on_machine, ssd_path: Path, run) -> None:
    """As init-d-script(5) does, which Debian's scripts source; one without PATH is read itself."""
    library = f'PATH=/usr/sbin:/bin; export PATH; . /usr/share/two; [ "$1" != x ] || {VERSION}'
    before = f"""
mkdir /tmp/share; echo '{library}' > /tmp/share/one; echo 'echo two' > /tmp/share/two
mount --bind /tmp/share /usr/share"""
    script = '#!/bin/sh\nset x "$@"; SOURCED=true . /usr/share/one\n'
    done = on_machine({"a b": script}, "a b", "start", before=before)
    expected = "two\n" + run(ssd_path, "--version").stdout
    assert (0, "", expected) == (done.returncode, done.stderr, done.stdout)


@pytest.mark.requires_namespaces
def test_its_words_and_status_are_its_own(on_machine) -> None:
    """The script sees its own path and words, and its exit status is the command's."""
    done = on_machine({"teller": TELLER}, "teller", "a b", "$(false)", "'", "", "*")
    assert "</etc/init.d/teller><a b><$(false)><'><><*>\n" == done.stdout
    assert 7 == done.returncode


@pytest.mark.requires_namespaces
def test_link_lies_where_only_root_can_write(on_machine) -> None:
    """Daemons inherit PATH, so the directory has to be safe for as long as they run."""
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
def test_daemon_inherits_nothing_of_it(on_machine) -> None:
    """PATH is what the script set, and no variable is added."""
    told = on_machine({"d": DAEMON}, "d", "start").stdout.splitlines()
    assert "PATH=/usr/sbin:/usr/bin:/sbin:/bin" in told
    assert [] == [line for line in told if "SYSTEMCTL" in line or "ssd" in line.lower()]


SAID = "ssd-service: warning: start-stop-daemon itself was called, and not ssd: "
# Beyond reach: a program that is no shell, with the absolute path of the original. In its place is
# one that lasts longer than it takes to look who it is.
PYTHON = """#!{python}
import subprocess
subprocess.run(["/usr/sbin/start-stop-daemon", "--stop", "--name", "x"])
"""
LASTS = """
printf '#!/bin/sh\\nsleep 1\\n' > /tmp/tool; chmod 755 /tmp/tool
mount --bind /tmp/tool "$(readlink -f /usr/sbin/start-stop-daemon)"
"""


@pytest.mark.requires_namespaces
def test_what_reaches_the_original_is_told(on_machine) -> None:
    """By its command line, where the kernel tells who it was (fanotify(7))."""
    skip_without_oracle()
    script = {"x": PYTHON.format(python=sys.executable)}
    told = set(on_machine(script, "x", "start", before=LASTS).stderr.splitlines())
    call = "/bin/sh /usr/sbin/start-stop-daemon --stop --name x"
    assert {
        SAID + (call if fanotify() else "by this script or by others, which only root can see")
    } == told


# Others use the original meanwhile; the script waits until they have.
MEANWHILE = """#!/bin/sh
echo > /tmp/go; read done < /tmp/done; exit 0
"""
OTHERS = """
mkfifo /tmp/go /tmp/done
( { read go < /tmp/go; /usr/sbin/start-stop-daemon > /dev/null; echo > /tmp/done; } & ) # an orphan
"""


@pytest.mark.requires_namespaces
def test_what_others_do_is_not_told(on_machine) -> None:
    """Where the kernel tells who it was."""
    skip_without_oracle()
    if not fanotify():
        pytest.skip("fanotify(7) is not allowed here")
    done = on_machine({"x": MEANWHILE}, "x", "start", before=LASTS + OTHERS)
    assert (0, "") == (done.returncode, done.stderr)


ENDS = {"kill -TERM $$": -15, "kill -KILL $$": -9, "exit 150": 150, "kill -INT $$": -2}


@pytest.mark.requires_namespaces
@pytest.mark.parametrize("line", ENDS)
def test_it_ends_as_the_script_does(line: str, on_machine) -> None:
    """By the same signal or status; a shell of the namespace tells 128 and the signal."""
    status = on_machine({"x": f"#!/bin/sh\n{line}\n"}, "x").returncode
    assert status in (ENDS[line], 128 - ENDS[line])


@pytest.mark.requires_namespaces
def test_signal_reaches_the_script(on_machine) -> None:
    """ssd-service is the one that a supervisor knows; TERM is the script's to answer."""
    script = """#!/bin/sh
trap 'echo heard; exit 5' TERM
kill -TERM $PPID
while :; do sleep 0.1; done
"""
    done = on_machine({"x": script}, "x")
    assert (5, "heard\n") == (done.returncode, done.stdout)


def fanotify() -> bool:
    """Tell whether the kernel tells this process of executions."""
    with Watch(["/bin/sh"], os.getpid()) as watch:
        return watch.whose


@pytest.mark.requires_namespaces
def test_unknown_service_is_unknown_here_too(on_machine) -> None:
    """With the sentence and status of service(8)."""
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
def test_shell_of_a_script_is_the_one_of_its_first_line(line: str, tmp_path: Path) -> None:
    """As execve(2) reads it; no words for what no shell reads."""
    script = tmp_path / "script"
    script.write_text(line)
    shell, words = interpreted([str(script), "start"])
    assert LINES[line] == shell
    assert not shell or shell_name(shell) in SHELLS
    assert [str(script), "start"] == words[-2:]
