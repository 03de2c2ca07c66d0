"""The commands of docs/howto/fleet.md, in its order, on six hosts over ssh."""

import json
import re
import shlex
from pathlib import Path

import pytest
from conftest import CHECKOUT
from kit import pages
from kit.ansible import Ansible
from kit.ssh_hosts import Fleet

pytestmark = [pytest.mark.fleet, pytest.mark.requires_root]

PAGE = (CHECKOUT / "docs/howto/fleet.md").read_text()
SERVICE = 'executable = "/bin/sleep"\narguments = ["1000"]\nstop_schedule = "TERM/30/KILL/5"\n'
# Nova's hooks need nova; without them the playbook is the same. A soak takes its time.
WITHOUT_NOVA = ["drain_tasks=", "resume_tasks=", "soak=0"]


def texts() -> list[str]:
    """Return the text blocks of the page, also those within a list."""
    blocks = re.findall(r"^( *)```text\n(.*?)^ *```$", PAGE, re.MULTILINE | re.DOTALL)
    return ["\n".join(line.removeprefix(indent) for line in text.splitlines())
            for indent, text in blocks]  # fmt: skip


def commands() -> list[list[str]]:
    """Return each command line of Ansible on the page, but for that which a report ends with."""
    lines = [line for text in texts() for line in text.splitlines()]
    return [shlex.split(line) for line in lines if re.match(r"ansible(-playbook)? ", line)]


@pytest.fixture
def place(fleet: Fleet, tmp_path: Path) -> Path:
    """Return a directory with the page's ansible.cfg and an inventory with its group."""
    (settings,) = [text for _, info, text in pages.blocks(PAGE) if info == "ini"]
    ours = f"ssh_args = -F {fleet.ssh_config} "
    (tmp_path / "ansible.cfg").write_text(settings.replace("ssh_args = ", ours))
    hosts = fleet.inventory.read_text().strip()
    (tmp_path / "hosts").write_text(f"[compute]\n{hosts}\n")
    return tmp_path


@pytest.mark.slow
def test_commands_of_the_page_work(fleet: Fleet, place: Path, collections: Path) -> None:
    """Each ends well, and the rollouts restart whom the page says."""
    for host in fleet:
        for name in ("nova-compute", "web"):
            host.declare(f"{name}.toml", SERVICE)
            host.run("ssd-service", name, "start", check=True)
    ansible = Ansible(fleet, collections)
    variables = ansible.environment(ANSIBLE_CONFIG=str(place / "ansible.cfg"))
    found = commands()
    assert 5 == sum(words[0] == "ansible" for words in found), "a command is not seen"
    for words in found:
        extra = []
        if words[0] == "ansible-playbook":
            extra = [word for each in WITHOUT_NOVA for word in ("-e", f"rolling_restart_{each}")]
        done = fleet.run(*words, *extra, cwd=place, env=variables)
        assert 0 == done.returncode, f"{words}\n{done.stdout}{done.stderr}"
    report = json.loads((place / "rollout-nova-compute/report.json").read_text())
    assert (["h1", "h2", "h3"], {"restarted"}) == (
        [each["host"] for each in report["hosts"]],
        {each["result"] for each in report["hosts"]},
    )


def test_commands_on_one_host_work(fleet: Fleet) -> None:
    """As root there."""
    host = fleet["h1"]
    host.declare("nova-compute.toml", SERVICE)
    lines = [line.split("  ")[0] for line in texts()[0].splitlines()]
    assert 3 == len(lines)
    for line in lines:
        done = host.run(line)
        assert 0 == done.returncode, f"{line}\n{done.stdout}{done.stderr}"
    assert "running" == json.loads(done.stdout)["state"]
