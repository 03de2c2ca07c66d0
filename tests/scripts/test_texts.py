"""The texts of the scripts: for the shell that runs them, and for the tools that read them."""

import subprocess

import pytest


@pytest.mark.parametrize("name", ["nova-compute", "nova-compute-declared"])
def test_header_has_what_lsb_asks_for(script, name) -> None:
    """insserv and systemd read it."""
    lines = script.with_name(name).read_text().splitlines()
    begin, end = lines.index("### BEGIN INIT INFO"), lines.index("### END INIT INFO")
    fields = dict(line[2:].split(":", 1) for line in lines[begin + 1 : end] if line[2] != " ")
    assert "nova-compute" == fields["Provides"].strip()
    wanted = {"Required-Start", "Required-Stop", "Default-Start", "Default-Stop"}
    assert {*wanted, "Short-Description", "Description"} <= set(fields)


@pytest.mark.parametrize("name", ["nova-compute", "demo"])
def test_scripts_are_posix_shell(script, name) -> None:
    """For Debian's /bin/sh; test_debian.py runs shellcheck on all of them."""
    done = subprocess.run(["dash", "-n", script.with_name(name)], capture_output=True, text=True)
    assert (0, "", "") == (done.returncode, done.stdout, done.stderr)
