"""Ask Debian's zsh for its offers: it completes a line on a terminal of its own."""

import atexit
import functools
import os
import pty
import shutil
import subprocess
import tempfile
from pathlib import Path

from kit import debian
from kit.children import WAIT_TIMEOUT, shown

# All offers go through compadd, which can put the matches into an array instead
# (zshmodules(1)); calls that use that option themselves offer nothing.
_SETTINGS = r"""
module_path=($root/usr/lib/*/zsh/*(/))
fpath=($completions $root/usr/share/zsh/functions/**/*(/))
autoload -Uz compinit && compinit -u -d $dump
compadd() {
    local -a __options=("${(@)@[1,(i)(-|--)]}")
    if (( ! ${#${(M)__options:#-[OAD]}} )); then
        local -a __offered
        builtin compadd -A __offered "$@"
        (( $#__offered )) && print -rl -- $__offered >> $answer
    fi
    builtin compadd "$@"
}
offer() { zle complete-word; BUFFER=exit; zle accept-line; }
zle -N offer
bindkey '^I' offer
"""


@functools.cache
def dump(completions: Path) -> Path:
    """Return where compinit(1) keeps what it has read of a thousand files, for the next shell.

    It reads them anew if there are more or fewer.
    """
    directory = tempfile.mkdtemp(prefix="ssd-zsh-")
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    return Path(directory, "dump")


def complete(completions: Path, directory: Path, line: str) -> list[str]:
    """Return the offers of zsh at the end of a command line; ``directory`` is for its files."""
    root = debian.unpack("zsh")
    (directory / ".zshrc").write_text(_SETTINGS)
    answer = directory / "answer"
    answer.write_text("")
    environment = {**debian.environment(root), "TERM": "dumb",
                   "ZDOTDIR": str(directory), "root": str(root), "answer": str(answer),
                   "completions": str(completions), "dump": str(dump(completions))}  # fmt: skip
    ours, theirs = pty.openpty()
    argv = ["zsh", "-d", "-i"]
    shell = subprocess.Popen(argv, stdin=theirs, stdout=theirs, stderr=theirs, env=environment,
                             cwd=directory, start_new_session=True)  # fmt: skip
    os.close(theirs)
    said = b""
    try:
        with open(ours, "r+b", buffering=0) as terminal:
            terminal.write(line.encode() + b"\t")
            said = shown(ours)
        status = shell.wait(WAIT_TIMEOUT)
    finally:
        if shell.poll() is None:
            shell.kill()
            shell.wait()
    assert 0 == status, said.decode(errors="replace")
    return list(dict.fromkeys(answer.read_text().split("\n")[:-1]))
