"""An init script runs as it is, and finds ssd where it calls start-stop-daemon."""

import os
import subprocess
import sys
from pathlib import Path

import namespace
import pytest
from conftest import Run as Runner

from ssd.service.initscripts.substitution import SHELLS, interpreted, shell_name

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
    "python": f"#!{sys.executable}\nimport os\nos.system('{VERSION}')\n",
}
INTERPRETER = '#!/bin/sh\nscript=$1\nshift\nPATH=/usr/sbin:/bin\n. "$script"\n'
# Tells $0 and its words in a form that keeps them apart.
TELLER = '#!/bin/sh\nprintf "<%s>" "$0" "$@"\necho; exit 7\n'

INSIDE = """
mkdir /tmp/init.d && cp -p "$1"/* /tmp/init.d && mount --bind /tmp/init.d /etc/init.d && shift
exec "$@"
"""


@pytest.fixture
def on_machine(run: Runner, tmp_path: Path):
    """Return a function that runs ssd-service --with-ssd where these scripts are /etc/init.d."""
    if os.geteuid() != 0:
        pytest.skip("requires root")
    ours = str(Path(sys.executable).parent / "ssd-service")

    def on_machine(scripts: dict[str, str], *words: str) -> "subprocess.CompletedProcess[str]":
        folder = tmp_path / "scripts"
        folder.mkdir(exist_ok=True)
        for name, text in scripts.items():
            (folder / name).write_text(text)
            (folder / name).chmod(0o755)
        inside = ["sh", "-ec", INSIDE, "sh", str(folder), ours, "--with-ssd", *words]
        path = {"PATH": os.defpath}  # it leads to no ssd
        return run(*namespace.command(inside, keep=[tmp_path]), env=path)

    return on_machine


@pytest.mark.requires_namespaces
@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_calls_ssd(name: str, on_machine, ssd_path: Path, run: Runner) -> None:
    """By name or absolute path, with a PATH of its own, from functions and sourced files."""
    expected = run(ssd_path, "--version").stdout
    done = on_machine({name: SCRIPTS[name], "interpreter": INTERPRETER}, name, "start")
    assert (0, "", expected) == (done.returncode, done.stderr, done.stdout)


@pytest.mark.requires_namespaces
def test_its_words_and_status_are_its_own(on_machine) -> None:
    """The script sees its own path and words, and its exit status is the command's."""
    done = on_machine({"teller": TELLER}, "teller", "a b", "$(false)", "'", "", "*")
    assert "</etc/init.d/teller><a b><$(false)><'><><*>\n" == done.stdout
    assert 7 == done.returncode


@pytest.mark.requires_namespaces
def test_the_link_lies_where_only_root_can_write(on_machine) -> None:
    """Daemons inherit PATH, so the directory has to be safe for as long as they run."""
    script = "#!/bin/sh\nd=${PATH%%:*}\nstat -c '%a %u %F' $d; readlink $d/start-stop-daemon\n"
    facts, link = on_machine({"x": script}, "x").stdout.splitlines()
    assert "755 0 directory" == facts
    assert str(Path(sys.executable).parent / "ssd") == link


@pytest.mark.requires_namespaces
def test_an_unknown_service_is_unknown_here_too(on_machine) -> None:
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
def test_the_shell_of_a_script_is_the_one_of_its_first_line(line: str, tmp_path: Path) -> None:
    """As execve(2) reads it; no words for what no shell reads."""
    script = tmp_path / "script"
    script.write_text(line)
    shell, words = interpreted([str(script), "start"])
    assert LINES[line] == shell
    assert not shell or shell_name(shell) in SHELLS
    assert [str(script), "start"] == words[-2:]
