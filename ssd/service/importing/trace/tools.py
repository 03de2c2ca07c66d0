"""What the programs that init scripts call are: a table by their names.

A name counts only in the directories of the system; anything else may be a daemon.
"""

SYSTEM = ("/bin", "/sbin", "/usr/bin", "/usr/sbin")
SHELLS = ("sh", "dash", "ash", "bash", "ksh", "ksh93", "mksh", "zsh", "busybox")
STARTERS = ("start-stop-daemon", "ssd")

# They run as they are. In the sandbox they change nothing. unix_chkpwd(8) is what su runs: PAM.
PLAIN = frozenset(
    "[ arch awk b2sum base64 basename bc cat checkproc chgrp chmod chown cksum clear cmp column "
    "comm cp cut date dc df diff dircolors dirname dpkg dpkg-architecture dpkg-divert dpkg-query "
    "dpkg-statoverride du echo egrep env expand "
    "expr factor false fgconsole fgrep file find flock fmt fold free fuser gawk getconf getent "
    "getopt grep groups gunzip gzip head hostid hostname id install join jq kill killall "
    "killall5 killproc last less ln locale logger logname ls lsb_release lsof mawk md5sum mkdir "
    "mkfifo mknod mktemp more mountpoint mv nawk netstat nl nologin nproc numfmt od paste pathchk "
    "pgrep pidof pidofproc pkill pr printenv printf ps pstree pwd pwdx readlink realpath rev rm "
    "rmdir run-parts savelog sed seq sha1sum sha256sum shuf sort split ss stat stty sum sync "
    "systemd-detect-virt tac tail tee tempfile test top touch tput tr true truncate tsort tty "
    "uname uniq unix_chkpwd unlink uptime users usleep vmstat w wc which which.debianutils who "
    "whoami xargs xxd yes zcat".split()
)
# They run, too, and then another program: as another user, in another place, or later.
# Those that no other program is called like count in any directory.
LAUNCHERS = frozenset(
    "capsh chroot chrt daemon daemonize ionice linux32 linux64 nice nohup nsenter numactl "
    "prlimit setarch setsid stdbuf taskset time timeout unbuffer".split()
)
CHANGERS = frozenset(
    "chpst doas envdir envuidgid gosu runuser s6-setuidgid setpriv setuidgid softlimit su "
    "su-exec sudo".split()
)
# They would change the machine: they do nothing and succeed.
ANSWERED = frozenset(
    "addgroup adduser chkconfig dbus-send depmod dmsetup ethtool "
    "groupadd halt hwclock ifconfig ifdown ifup initctl insmod insserv invoke-rc.d ip ip6tables "
    "iptables iptables-restore kexec ldconfig losetup modprobe mount nft plymouth poweroff "
    "quotaon rc-service reboot resolvconf restorecon rmmod route service shutdown swapoff "
    "swapon sysctl systemctl systemd-tmpfiles telinit tune2fs udevadm umount update-rc.d "
    "useradd usermod wall".split()
)
# Interpreters, which run a text at once with these options, and else a program: a daemon.
INTERPRETERS = {
    "python": "-c", "perl": "-e", "ruby": "-e", "php": "-r", "node": "-e", "lua": "-e",
    "pypy": "-c", "tclsh": "", "java": "", "mono": "", "erl": "", "guile": "-c", "nodejs": "-e",
}  # fmt: skip


def is_tool(path: str, names: "frozenset[str]") -> bool:
    """Tell whether a path is a program of the system with one of these names."""
    directory, _, name = path.rpartition("/")
    return directory in SYSTEM and name in names


def runs(path: str) -> bool:
    """Tell whether a program runs as it is, and is no daemon."""
    return is_tool(path, PLAIN | LAUNCHERS) or path.rpartition("/")[2] in CHANGERS


def is_shell(path: str) -> bool:
    """Tell whether a path is a shell."""
    return path.rpartition("/")[2] in SHELLS


def runs_text(path: str, words: "list[str]") -> bool:
    """Tell whether an interpreter is only to run a text that is among its words."""
    name = path.rpartition("/")[2].rstrip("0123456789.")
    option = INTERPRETERS.get(name)
    if not option:
        return False
    for word in words[1:]:
        if word[:1] != "-":
            return False
        if word[:2] != "--" and option[1] in word:  # perl -ne
            return True
    return False
