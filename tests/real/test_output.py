"""--output: where it may lead, and what it may be, for a program that writes to it."""

import os
import pty
import tty

import pytest

from .alone import alone, mount
from .processes import end, pids
from .programs import Ear, Program, Tool, recorded, spawn

PIDFILE = "/run/stage/d.pid"


def words(program: Program, output: str, *arguments: str) -> list[str]:
    """Return the words of a background start with an output."""
    return ["--start", "--background", "--make-pidfile", "--pidfile", PIDFILE, "--output", output,
            "--startas", program.path, "--", *(arguments or program.words)]  # fmt: skip


@alone
def test_pipe_with_a_reader_is_written_to_as_any_file(tool: Tool) -> None:
    """The program's descriptor blocks while the pipe is full, as with the original."""
    program = Program()
    reader = Ear("/run/stage/log")
    script = program.script("read x < /proc/self/fdinfo/1; cat /proc/self/fdinfo/1; say $$; stay")
    done = tool(*words(program, "/run/stage/log", *script))
    assert (0, "") == (done.returncode, done.stderr)
    end(program.started())
    reader.line()  # its position
    flags = int(reader.line().split()[1], 8)
    assert (os.O_WRONLY | os.O_APPEND, False) == (
        flags & (os.O_ACCMODE | os.O_APPEND),
        bool(flags & (os.O_NONBLOCK | os.O_NOFOLLOW)),
    )


@alone
def test_pipe_without_a_reader_keeps_nobody_waiting(ssd: Tool) -> None:
    """The start fails with the reason, leaves nothing, and does not block the next one."""
    program, others = Program(), pids()
    os.mkfifo("/run/stage/log")
    done = ssd(*words(program, "/run/stage/log"))
    reason = "this FIFO has no reader; start the reader first"
    said = f"ssd: unable to open --output file '/run/stage/log' ({reason})\n"
    assert (2, "", said) == (done.returncode, done.stdout, done.stderr)
    assert ([], None) == (program.settle(others), recorded(PIDFILE))
    assert 0 == ssd(*words(program, "/dev/null")).returncode
    (daemon,) = program.settle(others)
    end(daemon)


@alone
@pytest.mark.parametrize("output", ["/dev/full", "/dev/null", "/dev/stdout", "/proc/self/fd/1"])
def test_devices_and_open_files_are_outputs(tool: Tool, output: str) -> None:
    """So is the caller's standard output, here a file without a name."""
    program, others = Program(), pids()
    with open("/run/stage/own", "w+") as own:
        os.unlink("/run/stage/own")
        script = program.script("echo here; readlink /proc/self/fd/1; say $$; stay")
        start = spawn(tool.path, *words(program, output, *script), stdout=own)
        daemon = program.started()
        assert (None, 0) == (start.communicate()[0], start.returncode)
        assert [daemon] == program.settle(others)
        own.seek(0)
        expected = "" if output.startswith("/dev/") and output != "/dev/stdout" else "here\n"
        assert expected == own.read().partition("/run")[0]
    end(daemon)


@alone
def test_pipe_of_the_callers_is_an_output(tool: Tool) -> None:
    """/dev/stdout then leads to no path."""
    program, others = Program(), pids()
    script = program.script("echo here; say $$; stay")
    start = spawn(tool.path, *words(program, "/dev/stdout", *script))
    daemon = program.started()
    assert 0 == start.wait()
    assert start.stdout is not None
    assert "here\n" == start.stdout.readline()
    assert [daemon] == program.settle(others)
    end(daemon)
    start.communicate()


@alone
def test_terminal_is_an_output(tool: Tool) -> None:
    """It is written to, and does not become a controlling terminal."""
    os.mkdir("/dev/pts")
    mount("devpts", "/dev/pts", "devpts", data="newinstance,ptmxmode=0666")
    os.symlink("pts/ptmx", "/dev/ptmx")
    master, slave = pty.openpty()
    tty.setraw(slave)
    program = Program()
    script = program.script('read x x x x x x tty x < /proc/self/stat; echo "$tty"; say $$; stay')
    done = tool(*words(program, os.ttyname(slave), *script))
    assert (0, "") == (done.returncode, done.stderr)
    end(program.started())
    assert b"0\n" == os.read(master, 100)


@alone
def test_daemons_user_chooses_no_file_of_roots(tool: Tool) -> None:
    """A link in the user's directory is not followed, and nothing is made at its target."""
    program, others = Program(), pids()
    os.mkdir("/run/nova")
    os.chown("/run/nova", 65534, 65534)
    os.symlink("/run/cron.d-evil", "/run/nova/nova.log")
    done = tool(*words(program, "/run/nova/nova.log"))
    outcome = done.returncode, os.path.exists("/run/cron.d-evil"), len(program.settle(others))
    assert tool.expects(original=(0, True, 1), ssd=(2, False, 0)) == outcome
    reason = (
        "others can write the directory of the symbolic link 'nova.log'; "
        "if you made it, give the path that it leads to"
    )
    said = f"ssd: unable to open --output file '/run/nova/nova.log' ({reason})\n"
    assert tool.expects(original="", ssd=said) == done.stderr
