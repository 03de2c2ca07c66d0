"""A service in this process, on the in-process transport."""

import gc
import json
import logging
import sys
import threading

import pytest
from kit.children import WAIT_TIMEOUT


def test_service_names_follow_from_argv_and_configuration(load, monkeypatch) -> None:
    """Binary from argv[0], topic from the binary, host and manager from the configuration."""
    from ssd.compute.service import Service

    monkeypatch.setattr(sys, "argv", ["/usr/bin/nova-compute"])
    service = Service.create(load())
    assert ("nova-compute", "compute", "node1") == (service.binary, service.topic, service.host)
    assert "ComputeManager" == type(service.manager).__name__


def test_unknown_manager_is_an_import_error(load) -> None:
    """Before anything is opened."""
    from ssd.compute.service import Service

    with pytest.raises(ImportError):
        Service.create(load(), binary="ssd-compute", manager="nowhere.Manager")


def test_started_service_answers_and_has_reported(serve) -> None:
    """Its own ping was answered before the first report."""
    service = serve()
    assert {"service": "compute", "arg": 7} == service.bus.ping(7, WAIT_TIMEOUT)
    held = json.loads(service.record.file.path.read_text())
    assert ("up", 1, 1) == (held["state"], held["report_count"], held["rpc_answers"])


def test_manager_is_reached_over_rpc(serve) -> None:
    """State and resources arrive unchanged."""
    service = serve()
    state = service.bus.call("get_service_state", WAIT_TIMEOUT)
    assert "node1" == state["host"]
    assert service.bus.call("get_available_resource", WAIT_TIMEOUT)["vcpus"] >= 1


def test_unexposed_method_cannot_be_called(serve) -> None:
    """Internal methods of the manager are not on the queue."""
    from ssd.compute.backend import messaging

    service = serve()
    with pytest.raises(messaging.NoSuchMethod):
        service.bus.call("cleanup_host", WAIT_TIMEOUT)


def test_stopped_service_says_that_it_is_down(serve) -> None:
    """In the last report; then no calls are answered."""
    from ssd.compute.backend import messaging

    service = serve()
    service.stop()
    held = json.loads(service.record.file.path.read_text())
    assert ("down", 2) == (held["state"], held["report_count"])
    with pytest.raises(messaging.MessagingException):
        service.bus.ping(7, 0.2)


def test_stop_leaves_no_thread_behind(load) -> None:
    """Neither of the timers nor of the RPC server."""
    from ssd.compute.service import Service

    before = set(threading.enumerate())
    service = Service.create(load(report_interval=0.05), binary="ssd-compute")
    service.start()
    service.stop()
    del service
    gc.collect()  # a worker of futurist ends when its executor is collected
    for thread in set(threading.enumerate()) - before:
        thread.join(WAIT_TIMEOUT)
        assert not thread.is_alive(), thread


def test_failed_start_closes_everything(load, tmp_path) -> None:
    """Here the first report cannot be written."""
    from ssd.compute.service import Service

    service = Service.create(load(), binary="ssd-compute")
    (tmp_path / "node1.state.json").mkdir()
    with pytest.raises(OSError):
        service.start()
    assert [] == service.tg.timers


def test_reports_go_on_by_themselves(serve) -> None:
    """Every report_interval, after an answered ping."""
    service = serve(report_interval=0.05)
    enough = threading.Event()
    write = service.record.file.write

    def watch(state: dict[str, object]) -> None:
        write(state)
        if state["report_count"] == 4:
            enough.set()

    service.record.file.write = watch
    assert enough.wait(WAIT_TIMEOUT)
    assert service.record.snapshot()["rpc_answers"] >= 4


def test_report_that_fails_is_not_the_last(serve) -> None:
    """A full disk stops the reports only while it is full."""
    service = serve(report_interval=0.05)
    tried = []
    again = threading.Event()

    def fail_once(state: dict[str, object]) -> None:
        tried.append(state)
        if len(tried) == 1:
            raise OSError(28, "No space left on device")
        again.set()

    service.record.file.write = fail_once
    assert again.wait(WAIT_TIMEOUT)


def test_silent_rpc_server_is_logged(serve, caplog) -> None:
    """The report is made, the count of answers stays, and an error is logged."""
    service = serve()
    service.conf.set_override("rpc_check_timeout", 0.1)
    service.bus.close()
    with caplog.at_level(logging.ERROR):
        service.report_state()
    service.conf.clear_override("rpc_check_timeout")
    assert "RPC server does not answer" in caplog.text
    state = service.record.snapshot()
    assert (2, 1) == (state["report_count"], state["rpc_answers"])


def test_reset_applies_the_new_interval_and_keeps_answering(serve) -> None:
    """There is still one timer for the reports."""
    service = serve(periodic_enable=False)
    first = list(service.tg.timers)
    service.conf.set_override("report_interval", 1800)
    service.reset()
    assert 1 == len(service.tg.timers)
    assert first != service.tg.timers
    assert "compute" == service.bus.ping(1, WAIT_TIMEOUT)["service"]
    service.conf.clear_override("report_interval")


def test_failed_last_report_does_not_prevent_a_stop(serve, caplog) -> None:
    """It ends, and the log has the reason."""
    service = serve()
    service.record.file.path.unlink()
    service.record.file.path.mkdir()
    service.stop()
    assert "Cannot write the last report" in caplog.text
    service.record.file.path.rmdir()
