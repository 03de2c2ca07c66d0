"""A configuration, a service and a real ssd-compute for the tests of the embedded service."""

import importlib.util
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from kit.children import WAIT_TIMEOUT

HERE = Path(__file__).resolve().parent
NEEDED = ("oslo_config", "oslo_log", "oslo_messaging", "oslo_service", "cotyledon", "futurist")

# No reports except those that a test requests, and enough time for slow machines.
PATIENT = {"report_interval": 3600, "rpc_check_timeout": WAIT_TIMEOUT}


@pytest.fixture(autouse=True)
def extra() -> None:
    """Skip every test of this directory, with the reason, without the extra."""
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        pytest.skip(f"the extra compute is not installed: no {', '.join(missing)}")


@pytest.fixture
def load(tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Return a function that loads a configuration file with the given options."""
    from oslo_config import cfg

    from ssd.compute import config

    file = tmp_path / "compute.conf"

    def load(**options: object) -> cfg.ConfigOpts:
        values = {**PATIENT, "host": "node1", "state_path": tmp_path, **options}
        lines = [f"{name} = {value}\n" for name, value in values.items()]
        file.write_text("[DEFAULT]\n" + "".join(lines))
        cfg.CONF.clear()
        return config.load(["--config-file", str(file)])

    yield load
    cfg.CONF.clear()


@pytest.fixture
def serve(load: Callable[..., Any]) -> Iterator[Callable[..., Any]]:
    """Return a function that starts a service with the given options; it is stopped afterwards."""
    from ssd.compute.service import Service

    services: list[Service] = []

    def serve(**options: object) -> Service:
        service = Service.create(load(**options), binary="ssd-compute")
        services.append(service)
        service.start()
        return service

    yield serve
    for service in services:
        service.stop()


class Compute:
    """A real ssd-compute whose log is read line by line."""

    def __init__(
        self, directory: Path, environment: dict[str, str], options: dict[str, Any]
    ) -> None:
        self.state = directory / "node1.state.json"
        self.config = directory / "compute.conf"
        self.configure(**options)
        self.process = subprocess.Popen(
            [sys.executable, "-c", "from ssd.compute.cli import main; raise SystemExit(main())"]
            + ["--config-file", str(self.config)],
            cwd=directory,
            env={**os.environ, "PYTHONPATH": str(HERE), **environment},
            stdout=subprocess.PIPE,  # without a log file oslo.log writes there
            stderr=subprocess.STDOUT,
            text=True,
        )

    def configure(self, **options: object) -> None:
        """Write the configuration file again."""
        values = {**PATIENT, "host": "node1", **options}
        lines = [f"{name} = {value}\n" for name, value in values.items()]
        self.config.write_text("[DEFAULT]\n" + "".join(lines))

    def await_line(self, text: str) -> str:
        """Read the log up to the first line with `text`, and return that line."""
        assert self.process.stdout is not None
        seen = []
        for line in self.process.stdout:
            if text in line:
                return line
            seen.append(line)
        raise AssertionError(f"no {text!r} in the log:\n{''.join(seen)}")

    def signal(self, name: str) -> None:
        """Send a signal by name, such as HUP."""
        self.process.send_signal(signal.Signals[f"SIG{name}"])

    def end(self) -> int:
        """Wait for the end and return the exit status, as Popen does."""
        self.process.communicate(timeout=WAIT_TIMEOUT)
        return self.process.returncode


@pytest.fixture
def compute(tmp_path: Path) -> Iterator[Callable[..., Compute]]:
    """Return a function that starts ssd-compute with the given options in its file."""
    started: list[Compute] = []

    def compute(environment: dict[str, str] | None = None, **options: object) -> Compute:
        started.append(Compute(tmp_path, environment or {}, options))
        return started[-1]

    yield compute
    for one in started:
        one.process.kill()
        one.process.communicate()
