"""events, log, signal, update and upgrade of ssd-service."""

import json
import subprocess
from pathlib import Path

import pytest
from kit import namespace
from kit.children import ended
from kit.supervise import NAP, declare

from ssd.supervision.client.asking_words import USAGES, Usage, Words, is_service
from supervision.asked import Asked

pytestmark = pytest.mark.requires_namespaces


@pytest.mark.parametrize(
    ("first", "rest", "names", "flags", "number"),
    [
        ("events", [], [], set(), None),
        ("events", ["-n", "3", "--follow", "--json"], [], {"--follow", "--json"}, 3),
        ("log", ["web"], ["web"], set(), None),
        ("log", ["-f", "-n5", "web"], ["web"], {"--follow"}, 5),
        ("log", ["web", "-n", "0"], ["web"], set(), 0),
        ("signal", ["web", "HUP"], ["web", "HUP"], set(), None),
        ("update", [], [], set(), None),
    ],
)
def test_words_are_understood_in_any_order(first, rest, names, flags, number) -> None:
    """Names, flags and a number."""
    words = Words(first, rest)
    assert (names, flags, number) == (words.names, words.flags, words.number)


@pytest.mark.parametrize(
    "line",
    [
        "log", "log a b", "log -n", "log web -n", "log web -n x", "log web -n -1", "log web --json",
        "signal web", "signal web HUP now", "signal web HUP -f", "events web", "events --frob",
        "update now", "upgrade -f", "log web -n 99999999999",
    ],
)  # fmt: skip
def test_wrong_words_are_refused(line: str) -> None:
    """LSB's status 2, with the usage."""
    first, *rest = line.split()
    with pytest.raises(Usage):
        Words(first, rest)


def test_usage_is_printed(command: Path, tmp_path: Path, run) -> None:
    """Whether or not a supervisor runs."""
    for first, usage in USAGES.items():
        done = run(command, f"--directory={tmp_path}", first, "a", "b", "c")
        assert (2, f"Usage: ssd-service {usage}\n") == (done.returncode, done.stderr)


def test_word_is_a_service_if_a_verb_follows(tmp_path: Path) -> None:
    """One that is declared: the word was a name before it was a word."""
    declare(tmp_path, {"log": NAP})
    found = {
        line: is_service(str(tmp_path), line.split()[0], line.split()[1:])
        for line in ("log start", "log --full-restart", "log web", "log", "events start")
    }
    assert {"log start": True, "log --full-restart": True, "log web": False, "log": False,
            "events start": False} == found  # fmt: skip


def test_words_of_a_supervisor_need_one(command: Path, tmp_path: Path, run) -> None:
    """Status 7: it does not run."""
    for words in (["events"], ["update"], ["upgrade"], ["log", "nap", "--follow"]):
        done = run(command, f"--directory={tmp_path}", *words)
        expected = (7, f"ssd-service: no supervisor has {tmp_path}\n")
        assert expected == (done.returncode, done.stderr)


def test_events_are_lines_with_their_time(asked: Asked) -> None:
    """Or JSON, one object a line."""
    asked.expect(0, "nap", "restart")
    lines = asked.expect(0, "events", "-n", "5").splitlines()
    told = [line[20:].partition(" (")[0] for line in lines]
    pid = asked.running.pid_of("nap")
    assert ["nap is stopping", "nap was ended by SIGTERM", "nap is starting"] == told[:3]
    assert [f"nap runs as process {pid}", "nap is ready"] == told[3:]
    (line,) = asked.expect(0, "events", "-n1", "--json").splitlines()
    assert ("nap", "ready") == tuple(json.loads(line)[key] for key in ("name", "event"))


def follow(asked: Asked, *words: str) -> "subprocess.Popen[str]":
    """Run ssd-service in the namespace of the supervisor, with a pipe."""
    user = [] if asked.is_root else ["--user", "--preserve-credentials"]
    enter = ["nsenter", *user, "--mount", "--pid", f"--target={asked.running.pid}"]
    argv = [*enter, *map(str, asked.argv), *words]
    return subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def let_go(following: "subprocess.Popen[str]") -> None:
    """Close the pipes of a command that the end of the namespace ends."""
    following.kill()
    following.wait()
    for pipe in (following.stdout, following.stderr):
        assert pipe is not None
        pipe.close()


def test_events_are_followed(asked: Asked) -> None:
    """Those that were asked for, and then each as it comes."""
    following = follow(asked, "events", "--follow", "-n1")
    assert following.stdout is not None
    assert " is ready\n" in following.stdout.readline()
    asked.expect(0, "nap", "stop")
    said = [following.stdout.readline()[20:].partition(" (")[0].strip() for _ in range(3)]
    assert ["nap is stopping", "nap was ended by SIGTERM", "nap has stopped"] == said
    let_go(following)


def test_log_is_shown_and_followed(asked: Asked) -> None:
    """Until its reader has seen enough."""
    declare(asked.directory, {"talk": 'script = "seq 20; exec sleep 1000"\n'})
    assert "started: talk\n" in asked.expect(0, "update")
    asked.running.until("talk runs as process")
    following = follow(asked, "log", "talk", "--follow", "-n", "20")
    assert following.stdout is not None
    assert [f"{number}\n" for number in range(1, 21)] == [
        following.stdout.readline() for _ in range(20)
    ]
    assert "19\n20\n" == asked.expect(0, "log", "-n", "2", "talk")
    asked.expect(0, "talk", "restart")
    assert "1\n" == following.stdout.readline()
    following.stdout.close()
    asked.expect(0, "talk", "restart")
    assert following.stderr is not None
    assert ("", 0) == (following.stderr.read(), following.wait(60))
    following.stderr.close()
    assert "" == asked.expect(0, "log", "nap")
    done = asked("log", "nosuch")
    assert (6, True) == (done.returncode, "nosuch: unrecognized service" in done.stderr)


def test_log_without_a_supervisor_is_its_file(command: Path, tmp_path: Path, run) -> None:
    """As a supervisor left it."""
    declare(tmp_path, {"web": f'{NAP}[log]\npath = "{tmp_path}/web.log"\n'})
    done = run(command, f"--directory={tmp_path}", "log", "web")
    expected = (1, f"ssd-service: {tmp_path}/web.log: there is no log\n")
    assert expected == (done.returncode, done.stderr)
    (tmp_path / "web.log").write_text("one\ntwo\n")
    done = run(command, f"--directory={tmp_path}", "log", "-n1", "web")
    assert (0, "two\n") == (done.returncode, done.stdout)


def test_signal_is_sent(asked: Asked) -> None:
    """By name, with or without SIG, or number."""
    for given in ("CONT", "SIGCONT", "18"):
        assert "Signalling A nap: nap.\n" == asked.expect(0, "signal", "nap", given)
    done = asked("signal", "nap", "FOO")
    assert (1, "ssd-service: there is no signal FOO\n") == (done.returncode, done.stderr)
    asked.expect(0, "nap", "stop")
    assert "nap: nap is not running failed!\n" in asked.expect(7, "signal", "nap", "CONT")


def test_signal_without_a_supervisor_is_sent_here(command, tmp_path, run) -> None:
    """To the process that the pidfile names."""
    pidfile = tmp_path / "web.pid"
    declare(tmp_path, {"web": f'{NAP}pidfile = "{pidfile}"\n'})
    ask = [command, f"--directory={tmp_path}"]
    done = run(*ask, "signal", "web", "TERM")
    assert (7, "ssd-service: web is not running\n") == (done.returncode, done.stderr)
    run(*ask, "web", "start")
    with ended(int(pidfile.read_text())):
        assert 1 == run(*ask, "signal", "web", "FOO").returncode
        assert 0 == run(*ask, "signal", "web", "SIGKILL").returncode


def test_update_says_what_it_does(asked: Asked) -> None:
    """Or which file is broken, and then nothing is changed."""
    assert "unchanged: 5\n" == asked.expect(0, "update")
    before = asked.running.pid_of("nap")
    declare(asked.directory, {"late": NAP, "broken": "x = 1\n"})
    done = asked("update")
    fault = f"ssd-service: {asked.directory}/broken.toml:1: x: unknown field"
    assert 6 == done.returncode
    assert [True, True] == [
        done.stderr.startswith(fault),
        done.stderr.endswith("\nssd-service: nothing is changed\n"),
    ]
    (asked.directory / "broken.toml").unlink()
    (asked.directory / "gone.toml").unlink()
    declare(asked.directory, {"file": f'name = "named"\nnice = 1\n{NAP}'})
    said = asked.expect(0, "update")
    assert "started: late\nchanged: named\nstopped: gone\nunchanged: 3\n" == said
    assert before == asked.running.pid_of("nap")
    asked.running.until("late runs as process")
    assert asked.expect(0, "late", "start").startswith("Starting late: late")


FOLLOWED = """
mkfifo /tmp/said; exec 3<> /tmp/said
{supervise} --directory={d} >&3 3>&- & supervisor=$!
until case $line in *"nap runs as"*) ;; *) false ;; esac; do read -r line <&3; done
mkfifo /tmp/events; exec 4<> /tmp/events
{service} --directory={d} events --follow -n 1 >&4 3>&- 4>&- & following=$!
read -r line <&4
kill $1 $supervisor
wait $following; echo "status $?"
"""


@pytest.mark.parametrize(("signal", "said"), [("-TERM", "ends before"), ("-KILL", "ended before")])
def test_end_of_the_supervisor_ends_what_is_followed(command, tmp_path, signal, said) -> None:
    """It is an error: nobody knows what else has happened."""
    declare(tmp_path / "d", {"nap": NAP})
    supervisor = command.with_name("ssd-supervise")
    text = FOLLOWED.format(supervise=supervisor, service=command, d=tmp_path / "d")
    argv = namespace.command(["sh", "-c", text, "sh", signal], keep=[tmp_path / "d"])
    done = subprocess.run(argv, capture_output=True, text=True)
    assert "status 1\n" == done.stdout
    assert f" {said} it ha" in done.stderr
