"""Which processes a program's name means: decided on values."""

import pytest

from ssd.service.lsb.pids import comm_of, means

# program asked for, command line -> whether it is meant (the comm fits already)
DECISIONS = {
    ("nap", ("nap",)): True,
    ("nap", ("/usr/bin/nap", "-d")): True,
    ("/usr/bin/nap", ("/usr/bin/nap",)): True,
    ("/usr/bin/nap", ("nap",)): True,
    ("/usr/bin/nap", ("/opt/nap",)): False,
    ("bin/nap", ("/usr/bin/nap",)): False,
    ("bin/nap", ("bin/nap",)): True,
    ("nap", ("/bin/sh", "/usr/bin/nap")): True,
    ("/usr/bin/nap", ("/usr/bin/python3", "/usr/bin/nap")): True,
    ("/usr/bin/nap", ("/usr/bin/python3", "-E", "/usr/bin/nap")): False,
    ("nap", ("other",)): False,
    ("nap", ()): False,
    ("nap", ("nap: worker process",)): True,
    ("/usr/bin/nap", ("nap: worker process",)): True,
    ("name-of-more-than-fifteen", ("name-of-more-than-fifteen",)): True,
    ("name-of-more-than-fifteen", ("name-of-more-than-others",)): False,
    ("name-of-more-than-fifteen", ("name-of-more: worker",)): False,
}


@pytest.mark.parametrize("case", DECISIONS, ids=str)
def test_command_line_confirms_the_name(case: tuple) -> None:
    """Its first word, or the second of a script; a title only where the name is short."""
    program, argv = case
    assert DECISIONS[case] == means(program.encode(), [word.encode() for word in argv])


@pytest.mark.parametrize(
    ("path", "comm"),
    [
        ("/usr/bin/nap", "nap"),
        ("nap", "nap"),
        ("/usr/bin/name-of-more-than-fifteen", "name-of-more-th"),
        ("/usr/bin/", ""),
    ],
)
def test_kernel_keeps_15_bytes_of_the_last_part(path: str, comm: str) -> None:
    """TASK_COMM_LEN less its NUL."""
    assert comm.encode() == comm_of(path.encode())


@pytest.mark.requires_namespaces
@pytest.mark.requires_root
def test_process_in_another_root_directory_is_another_systems(in_namespace, ssd_path) -> None:
    """As pidof -c has it, for root."""
    script = """
    mkdir -p /run/root/usr
    mount --rbind /usr /run/root/usr
    for name in bin lib lib64; do ln -s usr/$name /run/root/$name; done
    cp /bin/sleep /run/nap && cp /bin/sleep /run/root/nap
    mkfifo /run/ready
    chroot /run/root /bin/sh -c 'echo >&3; exec /nap 100' 3>/run/ready &
    read line </run/ready
    until grep -q ^/nap /proc/$!/cmdline; do :; done  # set last when a program is executed
    "$1" lsb pidofproc nap; echo "status $?"
    /run/nap 100 &
    until grep -q ^/run/nap /proc/$!/cmdline; do :; done
    [ "$("$1" lsb pidofproc nap)" = $! ] && echo ours
    """
    done = in_namespace("sh", "-c", script, "sh", ssd_path.with_name("ssd-service"))
    assert ("status 3\nours\n", "") == (done.stdout, done.stderr)
