"""Scripts, long names and containers on declared processes: find, start, stop, and the evidence."""

import json
import signal

import pytest

import ssd
from ssd import Command, Match
from ssd.finding import resolve
from ssd.matched_by import matched_by
from ssd.service import Service
from ssd.testing import FakeProcesses, SsdCommand

FOOD = "/usr/bin/food-daemon-of-long-name"
SCRIPT = Match(exec=FOOD, interpreted=True)


@pytest.fixture
def food(fake_processes: FakeProcesses) -> FakeProcesses:
    """Return a machine with a script, which names an interpreter that nobody knows."""
    fake_processes.register(FOOD, interpreter="/opt/our -x")
    return fake_processes


def evidence(table: FakeProcesses, match: Match) -> list[tuple[int, str]]:
    """Return what a Match finds, with the evidence for each."""
    criteria = resolve(match, table)
    return [
        (each.pid, matched_by(match, criteria, each, table))
        for each in ssd.find(match, table=table)
    ]


def test_script_is_started_once_and_stopped(food: FakeProcesses) -> None:
    """A second start finds the first; neither a reader of the script nor its copy is stopped."""
    others = [
        food.add("less", argv=["less", FOOD], exe="/usr/bin/less"),
        food.add("food", argv=["/opt/our", "/srv/food"], exe="/opt/our"),
        food.add("our", argv=["/opt/our", "-c", FOOD], exe="/opt/our-2"),
    ]
    daemon = ssd.start(SCRIPT, Command([FOOD, "-d"]), background=True, table=food)
    assert ["/opt/our", "-x", FOOD, "-d"] == food[daemon.pid].argv
    with pytest.raises(ssd.AlreadyRunning):
        ssd.start(SCRIPT, Command([FOOD]), background=True, table=food)
    assert [] == ssd.find(Match(exec=FOOD), table=food)
    assert [daemon] == ssd.stop(SCRIPT, "TERM/5", table=food)
    assert ["running"] * 3 == [other.state for other in others]
    assert 3 == ssd.status(SCRIPT, table=food)


def test_evidence_is_named(food: FakeProcesses) -> None:
    """For each way in which a process can be the program."""
    relative = food.add("our", argv=["our", "food-daemon-of-long-name"], exe="/opt/our")
    native = food.add("f", exe=FOOD)
    python = food.add("python3", argv=["python3", FOOD], exe="/usr/bin/python3")
    hidden = food.add("f", argv=[FOOD], exe=None)
    relative.directory = "/usr/bin"
    child = relative.fork()
    expected = [(relative.pid, "script"), (native.pid, "executable"), (python.pid, "script"),
                (hidden.pid, "command line"), (child.pid, "script")]  # fmt: skip
    assert expected == evidence(food, SCRIPT)
    named = Match(name="food-daemon-of-long-name", interpreted=True)
    assert [(python.pid, "command line"), (hidden.pid, "command line")] == evidence(food, named)
    native.rename("food-daemon")
    short = Match(name="food-daemon", interpreted=True)
    assert [(native.pid, "name")] == evidence(food, short)
    native.die()
    assert "ended" == matched_by(SCRIPT, resolve(SCRIPT, food), native.identity, food)


@pytest.mark.parametrize(
    ("match", "expected"),
    [
        (Match(exec="/bin/d", name="d", user=0, ppid=1), "executable"),
        (Match(name="d", user=0), "name"),
        (Match(pid=101, user=0), "pid"),
        (Match(ppid=1, user=0, same_namespace=True), "parent"),
        (Match(user=0), "user"),
    ],
)
def test_evidence_without_a_script_is_the_strongest_criterion(
    match: Match, expected: str, fake_processes: FakeProcesses
) -> None:
    """Nothing is looked at."""
    process = fake_processes.add("d", exe="/bin/d").identity
    criteria = resolve(match, fake_processes)
    assert expected == matched_by(match, criteria, process, fake_processes)


def test_unreadable_process_is_not_a_dead_one(food: FakeProcesses) -> None:
    """Its command line names no file: the status is unknown, and it is not signalled."""
    food.caller_uid = 1000
    vague = food.add("our", argv=["our", "./food"], exe="/opt/our")
    clear = food.add("our", argv=["our", FOOD], exe="/opt/our")
    assert [(clear.pid, "command line")] == evidence(food, SCRIPT)
    with pytest.raises(ssd.ProcessUnreadable):
        ssd.status(Match(pid=vague.pid, exec=FOOD, interpreted=True), table=food)
    vague.die()
    assert 3 == ssd.status(Match(pid=vague.pid, exec=FOOD, interpreted=True), table=food)


def test_containers_are_left_alone(fake_processes: FakeProcesses) -> None:
    """A stop by executable, name or user, only if it says so; children share the namespace."""
    ours = fake_processes.add("nginx", exe="/usr/sbin/nginx", uid=33)
    theirs = fake_processes.add("nginx", exe="/usr/sbin/nginx", uid=33)
    theirs.contained = True
    child = theirs.fork()
    for criteria in ({"exec": "/usr/sbin/nginx"}, {"name": "nginx"}, {"user": 33}):
        both = ssd.find(Match(**criteria), table=fake_processes)
        assert [ours.identity, theirs.identity, child.identity] == both
        found = ssd.find(Match(**criteria, same_namespace=True), table=fake_processes)
        assert [ours.identity] == found
    match = Match(exec="/usr/sbin/nginx", same_namespace=True)
    assert [ours.identity] == ssd.stop(match, "TERM/5", table=fake_processes)
    assert ("running", []) == (theirs.state, theirs.signals)


def test_command_says_on_what_it_went(food: FakeProcesses, ssd_command: SsdCommand) -> None:
    """Only with --verbose, --status and --interpreted; a long name is fine then."""
    pid = food.add("our", argv=["our", FOOD], exe="/opt/our").pid
    script = ("--exec", FOOD, "--interpreted")
    said = f"{FOOD} (pid {pid}) matched by its script\n"
    assert (0, said, "") == ssd_command("--status", "--verbose", *script)
    assert (0, "", "") == ssd_command("--status", *script)
    assert (0, f"{pid}\n", "") == ssd_command("--pidof", "--verbose", *script)
    assert (3, "", "") == ssd_command("--status", "--verbose", "--exec", FOOD)
    name = ("--name", FOOD[9:], "--same-namespace")
    done = ssd_command("--status", *name)
    assert (3, True) == (done.exit_status, "or add --interpreted" in done.stderr)
    food[pid].exe = "/usr/bin/python3"
    assert (0, "", "") == ssd_command("--status", *name, "--interpreted")
    done = ssd_command("--status", "--user", "root", "--interpreted")
    assert "ssd: --interpreted is only relevant with --exec or --name\n" in done.stderr
    assert (0, "", "") == ssd_command("--stop", "--retry=5", *script)
    assert [(pid, signal.SIGTERM)] == [(sent.pid, sent.signum) for sent in food.signals]
    assert 3 == ssd_command("--status", *script).exit_status


def test_answer_has_the_evidence(food: FakeProcesses, ssd_command: SsdCommand) -> None:
    """Of each process, also of one that the stop has ended."""
    pid = food.add("our", argv=["our", FOOD], exe="/opt/our").pid
    food.add("f", exe=FOOD)
    for command, kinds in (("--status", ["script", "executable"]),
                           ("--stop", ["script", "executable"])):  # fmt: skip
        done = ssd_command(command, "--json", "--exec", FOOD, "--interpreted")
        answer = json.loads(done.stdout)
        assert kinds == [each["matched_by"] for each in answer["processes"]]
    assert pid == answer["processes"][0]["pid"]


def test_declaration_has_fields_for_both() -> None:
    """The program counts, too, and may be a script; nothing changes if there is none."""
    both = {"match_interpreted": True, "same_namespace": True}
    service = Service(name="food", executable="/usr/bin/food", **both)
    expected = Match(
        pidfile="/run/food.pid", exec="/usr/bin/food", interpreted=True, same_namespace=True
    )
    assert expected == service.match()
    alone = Service(name="food", script="exec food", **both)
    assert Match(pidfile="/run/food.pid", same_namespace=True) == alone.match()
    named = Service(name="food", script="exec food", process_name="food", match_interpreted=True)
    assert Match(pidfile="/run/food.pid", name="food", interpreted=True) == named.match()
