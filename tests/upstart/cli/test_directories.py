"""Where jobs and their logs are."""

from ssd.upstart.cli.directories import defaults, logs


def test_root_has_one_directory(monkeypatch) -> None:
    """Whatever the variables of a user are."""
    monkeypatch.setenv("XDG_CONFIG_HOME", "/c")
    monkeypatch.setenv("XDG_CACHE_HOME", "/k")
    assert ["/etc/init"] == defaults(0, "/root")
    assert "/var/log/upstart" == logs(0, "/root")


def test_users_own_directories_come_first(monkeypatch) -> None:
    """Then those of the machine."""
    for name in ("XDG_CONFIG_HOME", "XDG_CONFIG_DIRS", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    expected = ["/h/.config/upstart", "/h/.init", "/etc/xdg/upstart", "/usr/share/upstart/sessions"]
    assert expected == defaults(7, "/h")
    assert "/h/.cache/upstart" == logs(7, "/h")


def test_variables_of_a_user_count_if_they_are_paths(monkeypatch) -> None:
    """A relative path is ignored (XDG Base Directory Specification)."""
    monkeypatch.setenv("XDG_CONFIG_HOME", "/c")
    monkeypatch.setenv("XDG_CONFIG_DIRS", "/x:y:/z")
    monkeypatch.setenv("XDG_CACHE_HOME", "k")
    assert ["/c/upstart", "/h/.init", "/x/upstart", "/z/upstart"] == defaults(7, "/h")[:-1]
    assert "/h/.cache/upstart" == logs(7, "/h")
