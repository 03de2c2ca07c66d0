"""The cgroups of jobs, with a machine's hierarchies as plain directories."""

import os
from pathlib import Path

import pytest
from conftest import Run

from ssd import cgroups
from ssd.upstart.processes import controllers
from ssd.upstart.processes.controllers import Cgroups
from upstart.processes.scene import ENVIRONMENT, Job, play


class Machine:
    """A machine with the controller memory of version 1, cpuset too, and io of version 2."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = root
        self.told: list[tuple[str, str]] = []
        self.cgroups = Cgroups(lambda *said: self.told.append(said))
        rows = []
        for name in ("memory", "cpuset"):
            (root / name / "us").mkdir(parents=True)
            rows.append(f"1 1 0:1 / {root}/{name} rw - cgroup cgroup rw,{name}")
        (root / "cpuset/us/cpuset.cpus").write_text("0-1\n")
        (root / "cpuset/us/cpuset.mems").write_text("0\n")
        (root / "new/us").mkdir(parents=True)
        (root / "new/us/cgroup.controllers").write_text("io memory\n")
        (root / "mountinfo").write_text("\n".join(rows) + "\n")
        (root / "cgroup").write_text("3:cpuset:/us\n2:memory:/us\n0::/us\n")
        monkeypatch.setattr(cgroups, "MOUNTS", str(root / "mountinfo"))
        monkeypatch.setattr(controllers, "OWN", str(root / "cgroup"))
        own = cgroups.Cgroup(os.fsencode(root / "new/us"))
        monkeypatch.setattr(cgroups, "own", lambda: own)

    def prepare(self, *lines: str, name: str = "foo", instance: str = "") -> "list[str]":
        """Return the files that take the pid of a job's process, below the root."""
        job = Job(name, instance, exec="true", cgroups=list(lines))
        found = self.cgroups.prepare(job, dict(ENVIRONMENT))  # type: ignore[arg-type]
        return [os.path.relpath(path, self.root) for path in found]


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """Return a machine."""
    return Machine(tmp_path, monkeypatch)


@pytest.mark.parametrize(
    "line, name, instance, expected",
    [
        ("memory", "foo", "", "memory/us/upstart/foo"),
        ("memory", "net/x", "a/b", "memory/us/upstart/net_x-a_b"),
        ("memory other/$UPSTART_JOB", "foo", "", "memory/us/other/foo"),
        ("memory $UPSTART_CGROUP/sub", "foo", "1", "memory/us/upstart/foo-1/sub"),
        ("io", "foo", "", "new/us/upstart/foo"),
    ],
)
def test_cgroup_is_below_the_supervisors_own(
    machine: Machine, line: str, name: str, instance: str, expected: str
) -> None:
    """Of the controller's hierarchy; it has the job's name unless the stanza has another."""
    assert [f"{expected}/cgroup.procs"] == machine.prepare(line, name=name, instance=instance)
    assert ([], True) == (machine.told, (machine.root / expected).is_dir())


@pytest.mark.parametrize("name", ["", "$UPSTART_CGROUP "])
def test_setting_is_written(machine: Machine, name: str) -> None:
    """With a name before it or without; the process enters one cgroup once."""
    there = machine.root / "memory/us/upstart/foo"
    there.mkdir(parents=True)
    (there / "memory.limit_in_bytes").touch()
    found = machine.prepare("memory", f"memory {name}limit_in_bytes 5")
    assert ["memory/us/upstart/foo/cgroup.procs"] == found
    assert "5" == (there / "memory.limit_in_bytes").read_text()


def test_setting_of_version_1_has_its_name_in_version_2(machine: Machine) -> None:
    """Where the kernel has that controller there."""
    (machine.root / "cgroup").write_text("0::/us\n")
    there = machine.root / "new/us/upstart/foo"
    there.mkdir(parents=True)
    (there / "memory.max").touch()
    (machine.root / "new/us/cgroup.subtree_control").touch()
    machine.prepare("memory limit_in_bytes 5")
    assert "5" == (there / "memory.max").read_text()
    assert "+memory" == (machine.root / "new/us/cgroup.subtree_control").read_text()


def test_new_cpuset_has_the_processors_above_it(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without any, no process can enter."""
    mkdir = os.mkdir

    def with_files(path: str, mode: int) -> None:
        mkdir(path, mode)
        for name in ("cpuset.cpus", "cpuset.mems"):
            Path(path, name).touch()

    monkeypatch.setattr(controllers.os, "mkdir", with_files)
    machine.prepare("cpuset")
    there = machine.root / "cpuset/us/upstart/foo"
    assert ["0-1", "0"] == [(there / f"cpuset.{each}").read_text() for each in ("cpus", "mems")]


@pytest.mark.parametrize(
    "line, reason",
    [("blkio", "the kernel has no such controller"),
     ("memory $NONE", "Unknown parameter: NONE"),
     ("memory no_such_key 1", "No such file or directory")],
)  # fmt: skip
def test_impossible_cgroup_is_told(machine: Machine, line: str, reason: str) -> None:
    """The job runs without it, and with the others."""
    assert ["cpuset/us/cgroup.procs"] == machine.prepare(line, "cpuset .")
    assert [("warn", f"foo: cgroup {line}: {reason}")] == machine.told


def test_cgroup_of_an_ended_job_is_removed(machine: Machine) -> None:
    """Unless somebody is in it."""
    machine.prepare("memory")
    job = Job(exec="true")
    (machine.root / "memory/us/upstart/foo/in_use").mkdir()
    machine.cgroups.leave(job)  # type: ignore[arg-type]
    assert (machine.root / "memory/us/upstart/foo").is_dir()
    (machine.root / "memory/us/upstart/foo/in_use").rmdir()
    machine.cgroups.leave(job)  # type: ignore[arg-type]
    assert [] == os.listdir(machine.root / "memory/us/upstart")


@pytest.mark.skipif(os.geteuid() != 0, reason="requires root")
def test_process_joins_or_says_why_not(in_namespace: Run) -> None:
    """It runs in both cases. The cgroup is a plain file here."""
    program = """
s = Scene()
joined = ['/run/procs', '/run/none/procs']
type(s.processes._cgroups).prepare = lambda self, job, environment: joined
Path('/run/procs').touch()
job = Job(exec='true', cgroups=['memory'])
show([s.run(job), Path('/run/procs').read_text(), s.told])
"""
    told = ["warn", "cannot join /run/none/procs: No such file or directory"]
    assert [0, "0", [told]] == play(in_namespace, program)


@pytest.mark.skipif(os.geteuid() != 0, reason="requires root")
def test_process_is_in_a_real_cgroup(in_namespace: Run) -> None:
    """Where this machine lets root make one."""
    program = """
s = Scene()
job = Job(f'test-{os.getppid()}-{time.time_ns()}', exec='sleep 300', cgroups=['pids max 7'])
c = s.start(job)
text = Path(f'/proc/{c.pid}/cgroup').read_text()
c.signal(9)
s.end(job, c)
left = [each for each, _, found in os.walk('/sys/fs/cgroup') if each.endswith(job.file.name)]
show([s.told, f'/upstart/{job.file.name}' in text, left])
"""
    told, joined, left = play(in_namespace, program)
    if told:
        pytest.skip(f"no cgroup can be made here: {told}")
    assert (True, []) == (joined, left)
