"""``ssd-service --status-all`` tells of declared services and init scripts alike."""

import sys
from pathlib import Path

import pytest
from conftest import Run

# The machine's own scripts are out of the way, and two services are declared.
SETTING = """
mkdir /tmp/init.d /tmp/declared; mount --bind /tmp/init.d /etc/init.d; cd /tmp/declared
for name in one three both; do
    printf 'executable = "/bin/sleep"\\nname = "%s"\\n' $name > $name.toml
done
for name in two both; do
    printf '#!/bin/sh\\necho from its script\\nexit 3\\n' > /etc/init.d/$name
    chmod +x /etc/init.d/$name
done
sleep 1000 & echo $! > /run/one.pid; cp /run/one.pid /run/both.pid
mkdir /run/three.pid
"""


@pytest.mark.requires_namespaces
def test_declared_services_and_scripts_are_told_of_in_one_order(in_namespace: Run) -> None:
    """A declaration comes before a script of its name; what nobody can tell is a question."""
    ours = Path(sys.executable).with_name("ssd-service")
    command = f"{SETTING}\n{ours} --directory /tmp/declared --status-all"
    done = in_namespace("sh", "-ec", command)
    assert " [ + ]  both\n [ + ]  one\n [ - ]  two\n" == done.stdout
    assert " [ ? ]  three\n" == done.stderr
    assert 0 == done.returncode


@pytest.mark.requires_namespaces
def test_broken_declaration_is_a_question_with_its_reason(in_namespace: Run) -> None:
    """It says which file it is, before the sign."""
    ours = Path(sys.executable).with_name("ssd-service")
    command = f"{SETTING}\necho x=1 > two.toml\n{ours} --directory /tmp/declared --status-all"
    done = in_namespace("sh", "-ec", command)
    reason = "two: /tmp/declared/two.toml:1: x: unknown field"
    assert f" [ ? ]  three\nssd-service: {reason}\n [ ? ]  two\n" == done.stderr
    assert 0 == done.returncode


@pytest.mark.requires_namespaces
def test_directory_without_scripts_is_no_error(in_namespace: Run) -> None:
    """There is nothing to tell."""
    ours = Path(sys.executable).with_name("ssd-service")
    command = f"{ours} --directory /tmp/none --status-all"
    hidden = "mkdir /tmp/none && mount --bind /tmp/none /etc/init.d"
    done = in_namespace("sh", "-ec", f"{hidden}; {command}")
    assert (0, "", "") == (done.returncode, done.stdout, done.stderr)


@pytest.mark.requires_namespaces
def test_options_are_its_own(in_namespace: Run) -> None:
    """They stand after it."""
    ours = Path(sys.executable).with_name("ssd-service")
    done = in_namespace(ours, "--status-all", "--jobs=none")
    expected = "ssd-service: --status-all: --jobs takes a number from 1 on, and not 'none'\n"
    assert (3, expected) == (done.returncode, done.stderr)
