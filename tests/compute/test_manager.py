"""The compute manager without a service."""

import inspect

import pytest


@pytest.fixture
def manager(load):
    """Return a manager without a record."""
    from ssd.compute.manager import ComputeManager

    return ComputeManager(load(), "node1")


@pytest.fixture
def record(tmp_path):
    """Return the record of a service that has not reported yet."""
    from ssd.compute.record import ServiceRecord, StateFile

    return ServiceRecord(StateFile(tmp_path / "s"), host="node1", binary="b", topic="compute")


def test_manager_exposes_only_the_rpc_interface(manager) -> None:
    """A caller on the queue cannot reach internal methods."""
    methods = inspect.getmembers(manager, inspect.ismethod)
    exposed = {name for name, method in methods if getattr(method, "exposed", False)}
    assert {"get_host_uptime", "get_available_resource", "get_service_state"} == exposed


def test_resources_are_those_of_the_host(manager) -> None:
    """Whole numbers, and used resources do not exceed the total."""
    found = manager.get_available_resource({})
    assert found["vcpus"] >= 1
    assert 0 < found["memory_mb_used"] <= found["memory_mb"]
    assert 0 <= found["local_gb_used"] <= found["local_gb"]


def test_host_has_been_up_for_some_time(manager) -> None:
    """In seconds."""
    assert manager.get_host_uptime({}) > 1


def test_manager_looks_at_the_host_at_once(manager, record) -> None:
    """The periodic task runs without a delay of a minute."""
    manager.init_host(record)
    idle = manager.periodic_tasks({})
    assert {"vcpus", "memory_mb"} <= set(record.snapshot()["resources"])
    assert 0 < idle <= 60


def test_reload_looks_at_the_host_again(manager, record) -> None:
    """The next report has all changes."""
    manager.init_host(record)
    record.update(resources=None)
    manager.reset()
    assert record.snapshot()["resources"]["vcpus"] >= 1


def test_state_is_the_services_record(manager, record) -> None:
    """Empty without a service."""
    assert {} == manager.get_service_state({})
    manager.init_host(record)
    assert record.snapshot() == manager.get_service_state({})
