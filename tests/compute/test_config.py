"""The configurations that ssd-compute accepts, and its defaults."""

import pytest


def test_transport_is_in_process_unless_a_broker_is_named(load) -> None:
    """oslo.messaging's own default would look for RabbitMQ on this machine."""
    assert "fake://" == load().transport_url
    assert "rabbit://u:p@broker/" == load(transport_url="rabbit://u:p@broker/").transport_url


def test_exchange_is_not_novas(load) -> None:
    """On a shared broker calls of nova do not reach the embedded service."""
    assert "ssd" == load().control_exchange


def test_stop_gives_up_before_the_init_script_kills(load) -> None:
    """The script waits 30 seconds after TERM; a configured value wins."""
    assert 25 == load().graceful_shutdown_timeout
    assert 7 == load(graceful_shutdown_timeout=7).graceful_shutdown_timeout


@pytest.mark.parametrize(
    "options",
    [
        {"report_interval": 0},
        {"report_interval": "often"},
        {"host": "a/b"},
        {"host": "a b"},
        {"periodic_enable": "perhaps"},
        {"rpc_check_timeout": -1},
    ],
    ids=str,
)
def test_value_out_of_range_is_refused_at_once(load, options) -> None:
    """oslo.config alone would report it at the first use."""
    from oslo_config import cfg

    with pytest.raises(cfg.Error):
        load(**options)


def test_missing_file_is_refused() -> None:
    """A given file must exist."""
    from oslo_config import cfg

    from ssd.compute import config

    with pytest.raises(cfg.ConfigFilesNotFoundError):
        config.load(["--config-file", "/nonexistent/compute.conf"], cfg.ConfigOpts())


def test_check_leaves_the_configuration_alone(load, tmp_path) -> None:
    """It reads the file into an object of its own."""
    from ssd.compute import config

    conf = load(report_interval=5)
    file = tmp_path / "compute.conf"
    file.write_text("[DEFAULT]\nreport_interval = 6\n")
    config.check(["--config-file", str(file)])
    assert 5 == conf.report_interval
