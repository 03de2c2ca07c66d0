"""Fixtures of the tests with hosts that are reached by ssh."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from kit import ansible, ssh_hosts
from kit.nova_answers import bring  # noqa: F401 - for test_nova_host and test_nova_migration
from kit.rollouts import Rollout


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ssh_hosts.Fleet]:
    """Yield six hosts with ssd, h1 to h6, for one module of tests."""
    with ssh_hosts.fleet(tmp_path_factory.mktemp("fleet")) as made:
        yield made


@pytest.fixture(scope="session")
def collections(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the directory with the collection of this checkout, built and installed."""
    return ansible.install_collection(tmp_path_factory.mktemp("collection"))


@pytest.fixture
def rollout(fleet: ssh_hosts.Fleet, collections: Path, tmp_path: Path) -> Iterator[Rollout]:
    """Yield rollouts of a service that runs on each of six hosts."""
    made = Rollout(ansible.Ansible(fleet, collections), tmp_path)
    yield made
    made.close()
