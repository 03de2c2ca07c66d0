"""What the text of an init script says by itself."""

from pathlib import Path

import pytest

from ssd.service.importing.script_text import Script, assigned


def test_assigned_expands_what_is_known() -> None:
    """Commands and later values are not."""
    text = 'NAME=web\nPID=/run/$NAME.pid # x\nexport A="${NAME}d"\nB=$(date)\nC=$B\nNAME=other\n'
    assert {"NAME": "web", "PID": "/run/web.pid", "A": "webd"} == assigned(text)


def test_pidfiles_are_named_by_variables() -> None:
    """By their values, or their own names."""
    script = Script("/x", "A=/run/a.pid\nPIDFILE=/run/b\nC=/run/c\nPIDS=12\n")
    assert ["/run/a.pid", "/run/b"] == script.pidfiles()


@pytest.mark.parametrize(
    ("text", "files"),
    [
        (". /etc/default/web-of-test", ["/etc/default/web-of-test"]),
        ("D=/etc/default/web\n[ -r $D ] && . $D", ["/etc/default/web"]),
        ('if x; then . "/etc/$A/web"; fi', ["/etc/$A/web"]),
        ("# . /etc/x\n. /lib/lsb/init-functions\n. /etc/init.d/functions", []),
    ],
)
def test_settings_are_the_files_that_it_reads(text: str, files: list[str]) -> None:
    """Those below /etc, but for the functions of Red Hat."""
    assert files == Script("/etc/init.d/web-of-test", f"#!/bin/sh\n{text}\n").settings()


def test_settings_of_init_d_script_have_its_name() -> None:
    """init-d-script(5) reads them, and not the script."""
    script = Script("/x/nss", "#!/usr/bin/env /lib/init/init-d-script\nDAEMON=/x\n")
    assert ["/etc/default/nss"] == script.settings() or not Path("/etc/default/nss").exists()


def test_missing_programs_are_named_or_tested(tmp_path: Path) -> None:
    """Also by a file that it reads; what is there, or is no program, is none of them."""
    common = tmp_path / "common"
    common.write_text("DAEMON=/absent/sbin/common\n")
    script = Script(
        "/x",
        f"""
        . {common}
        P=/absent/bin/p; Q=/absent/bin/q # no more than one to a line
        DAEMON2=/absent/bin/$NAME
        R=/absent/share/r
        S=/bin/sh
        test -x /absent/sbin/t || exit 0
        [ -f "/absent/sbin/u" ] || exit 5
        [ -x /absent/sbin/v ] && v
        """.replace("; Q=", "\nQ="),
    )
    expected = ["p", "q"]
    found = script.missing()
    assert [*(f"/absent/bin/{name}" for name in expected), "/absent/sbin/common"] == found[:3]
    assert ["/absent/sbin/t", "/absent/sbin/u"] == found[3:]


def test_other_verbs_are_labels_of_the_argument() -> None:
    """Labels of another case are none, and so are the usual verbs."""
    script = Script(
        "/x",
        """
        case "$ENABLED" in yes|no) ;; esac
        while getopts p OPT; do case $OPT in
            p) ;;
        esac; done
        case "$1" in
            start|stop) case $kind in
                queueonly) ;;
                esac ;;
            rotate | "dump-stats") ;;
            *) echo usage ;;
        esac
        """,
    )
    assert ["dump-stats", "rotate"] == script.other_verbs()
