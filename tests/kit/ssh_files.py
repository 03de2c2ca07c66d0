"""What the hosts of ssh_hosts need in files: keys, users, settings, and Debian's sshd.

The packages are only unpacked, into the layer that the hosts have above the machine's root.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from kit import debian

CHECKOUT = Path(__file__).resolve().parent.parent.parent
PACKAGES = ("openssh-server", "openssh-sftp-server", "sudo")
HIDDEN = ("/tmp", "/run", "/root", "/home")  # a host has its own

_SSHD = """
Port 22
ListenAddress 0.0.0.0
HostKey /etc/ssh/ssh_host_ed25519_key
AuthorizedKeysFile /etc/ssh/authorized_keys
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
UseDNS no
PermitRootLogin prohibit-password
MaxStartups 200
MaxSessions 200
PrintMotd no
Subsystem sftp /usr/lib/openssh/sftp-server
"""
_SSH = """
Host *
    IdentityFile {directory}/key
    IdentitiesOnly yes
    UserKnownHostsFile {directory}/known_hosts
    GlobalKnownHostsFile /dev/null
    StrictHostKeyChecking yes
    BatchMode yes
    ConnectTimeout 5
    ServerAliveInterval 2
    ServerAliveCountMax 3
"""
_ANSIBLE = """
[defaults]
forks = 20
gathering = explicit
timeout = 5
retry_files_enabled = false
[ssh_connection]
pipelining = true
ssh_args = -F {directory}/ssh_config -o ControlMaster=auto -o ControlPersist=60s
"""
_VARIABLES = """
[all:vars]
ansible_user=root
ansible_python_interpreter=/usr/bin/python3
"""


@dataclass(frozen=True)
class Kind:
    """What a host has: ssd of the test environment, or only python3.

    ``python``: an interpreter that is its /usr/bin/python3 instead of the machine's.
    ``variables``: what that interpreter needs to find its libraries.
    ``keep``: directories of the machine that it sees and may write, at the same paths.
    """

    ssd: bool = True
    python: Path | None = None
    keep: tuple[Path, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)


SSD = Kind()
BARE = Kind(ssd=False)


def address(number: int) -> str:
    """Return the address of a host, by its place in the fleet: 0, 1, ..."""
    return f"192.0.2.{11 + number}"  # RFC 5737 gives this network to examples


def write(directory: Path, kinds: Mapping[str, Kind]) -> None:
    """Write all that hosts of these kinds and their controller need into a directory."""
    directory.chmod(0o755)
    _key(directory / "key")
    _packages(directory)
    known, inventory = [], []
    for number, (name, kind) in enumerate(kinds.items()):
        settings = directory / "hosts" / name
        (settings / "mounted").mkdir(parents=True)
        (settings / "address").write_text(f"{address(number)}\n")
        (settings / "paths").write_text("".join(f"{line}\n" for line in _paths(kind)))
        public = _root(settings / "root", name, address(number), kind)
        known.append(f"{address(number)} {public}\n")
        inventory.append(f"{name} ansible_host={address(number)}\n")
    (directory / "known_hosts").write_text("".join(known))
    (directory / "inventory").write_text("".join([*inventory, _VARIABLES]))
    (directory / "ssh_config").write_text(_SSH.format(directory=directory))
    (directory / "ansible.cfg").write_text(_ANSIBLE.format(directory=directory))


def _root(root: Path, name: str, at: str, kind: Kind) -> str:
    """Write the files that one host has alone; return its public key."""
    for directory in ("etc/ssh", "usr/local/bin", "usr/bin"):
        (root / directory).mkdir(parents=True)
    (root / "etc/hostname").write_text(f"{name}\n")
    (root / "etc/hosts").write_text(f"127.0.0.1 localhost\n{at} {name}\n")
    if kind.python:
        _python(root / "usr/bin/python3", kind)
    for program in sorted(Path(sys.executable).parent.glob("ssd*")) if kind.ssd else ():
        (root / "usr/local/bin" / program.name).symlink_to(program)
    key = root / "etc/ssh/ssh_host_ed25519_key"
    _key(key)
    return " ".join(key.with_suffix(".pub").read_text().split()[:2])


def _python(file: Path, kind: Kind) -> None:
    """Make /usr/bin/python3: a link, or a script for an interpreter that is only unpacked."""
    libraries = kind.variables.get("LD_LIBRARY_PATH")
    if libraries is None or kind.python is None:
        file.symlink_to(str(kind.python))
    else:
        call = f'LD_LIBRARY_PATH={libraries} exec {kind.python} "$@"'
        file.write_text(f"#!/bin/sh\n{call}\n")
        file.chmod(0o755)


def _key(file: Path) -> None:
    words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "test", "-f", str(file)]
    subprocess.run(words, check=True, stdin=subprocess.DEVNULL)


def _paths(kind: Kind) -> Iterator[str]:
    """Yield what a host sees of the machine besides its root, and what it must not see."""
    own = [CHECKOUT, Path(sys.prefix).resolve()]
    if not kind.ssd:
        yield from (f"hide {path}" for path in own)
    else:
        base = Path(sys.base_prefix).resolve()
        yield from (f"ro {path}" for path in ([*own, base] if _hidden(base) else own))
    above = 2 if "LD_LIBRARY_PATH" in kind.variables else 1  # TREE/usr/bin/python, or TREE/bin/...
    for python in {kind.python, kind.python.resolve()} if kind.python else ():
        if _hidden(python):
            yield f"ro {python.parents[above]}"
    yield from (f"rw {path}" for path in kind.keep)


def _hidden(path: Path) -> bool:
    return any(path.is_relative_to(directory) for directory in HIDDEN)


def _packages(directory: Path) -> None:
    """Make the layer that all hosts have above the machine's root: packages, users, keys."""
    unpacked, layer = debian.unpack(*PACKAGES), directory / "packages"
    for top in unpacked.iterdir():  # the older packages have /lib, which is a link to usr/lib
        place = Path(f"/{top.name}").resolve().relative_to("/")
        unneeded = shutil.ignore_patterns("share", "systemd", "init.d", "sv")
        shutil.copytree(top, layer / place, symlinks=True, ignore=unneeded, dirs_exist_ok=True)
    shell = "/bin/bash" if os.path.exists("/bin/bash") else "/bin/sh"
    users = {
        "passwd": f"root:x:0:0:root:/root:{shell}\n"
        "sshd:x:990:65534::/run/sshd:/usr/sbin/nologin\n"
        f"operator:x:2000:2000::/home/operator:{shell}\n",
        "shadow": "root:*:19000::::::\nsshd:*:19000::::::\noperator:*:19000::::::\n",
        "group": "operator:x:2000:\n",
    }
    for name, lines in users.items():
        added = {line.partition(":")[0] for line in lines.splitlines()}
        machine = Path("/etc", name).read_text().splitlines(keepends=True)
        kept = [line for line in machine if line.partition(":")[0] not in added]
        (layer / "etc" / name).write_text("".join([lines, *kept]))
    (layer / "etc/shadow").chmod(0o600)
    (layer / "etc/sudoers.d/operator").write_text("operator ALL=(ALL) NOPASSWD: ALL\n")
    (layer / "etc/ssh/sshd_config").write_text(_SSHD)
    shutil.copy(directory / "key.pub", layer / "etc/ssh/authorized_keys")
