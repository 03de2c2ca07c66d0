"""What a shell reads in place of a script that runs under ssd."""

import pytest

from ssd.service.initscripts.substitution import rewritten, sourced

LINK = "/run/ssd-service/start-stop-daemon"
DIRECTORY = "/run/ssd-service"
AGAIN = "/bin/sh -c AGAIN"

CHANGED = {
    "PATH=/bin": f"PATH={DIRECTORY}:/bin",
    'export PATH="/bin:$HOME"': f'export PATH={DIRECTORY}:"/bin:$HOME"',
    "x=1; PATH=$PATH:/bin y": f"x=1; PATH={DIRECTORY}:$PATH:/bin y",
    "[ -d /x ] && PATH=/x": f"[ -d /x ] && PATH={DIRECTORY}:/x",
    "/sbin/start-stop-daemon -K": f"{LINK} -K",
    "D=/usr/sbin/start-stop-daemon": f"D={LINK}",
    "sh -c '/sbin/start-stop-daemon -K'": f"sh -c '{LINK} -K'",
    "$0 stop": f"{AGAIN} stop",
    '  "$0" "$1"; ${0} start': f'  {AGAIN} "$1"; {AGAIN} start',
    "restart) $0 stop && $0 start;;": f"restart) {AGAIN} stop && {AGAIN} start;;",
    "sh $0 stop; /bin/bash $0 start": f"{AGAIN} stop; {AGAIN} start",
    "if /etc/init.d/x status; then exec $0 stop": f"if {AGAIN} status; then exec {AGAIN} stop",
    "! $0 status || x=$( $0 status )": f"! {AGAIN} status || x=$( {AGAIN} status )",
    "cat <<< word\n$0 stop": f"cat <<< word\n{AGAIN} stop",
    "cat <<X\n$0 stop\nX\n$0 stop": f"cat <<X\n$0 stop\nX\n{AGAIN} stop",
    "x=$((1<<2)); y=$((1 << n))\n$0 stop": f"x=$((1<<2)); y=$((1 << n))\n{AGAIN} stop",
    "echo 'a << b'; cat << X\n$0 stop\nX\nPATH=/b": "echo 'a << b'; cat << X\n$0 stop\nX\n"
    f"PATH={DIRECTORY}:/b",
    "nice $0 stop; setsid /etc/init.d/x start": f"nice {AGAIN} stop; setsid {AGAIN} start",
    "cat <<-'E F'; cat <<\\Y\nPATH=/bin\nY": "cat <<-'E F'; cat <<\\Y\nPATH=/bin\nY",
}
LEFT = (
    "MY_PATH=/bin",
    "LD_LIBRARY_PATH=/lib",
    "PATH= command -V x",
    'echo "PATH=/bin"',
    "$PATH=/x",
    "# PATH=/bin",
    "#!/bin/sh $0 stop",
    'echo "Usage: $0 {start|stop}"',
    "N=${0##*/}",
    "echo $0 start",
    "$0",
    '[ -x "$0" ]',
    "/sbin/start-stop-daemon.real",
    "$ROOT/sbin/start-stop-daemon -K",
    "${R}/sbin/start-stop-daemon",
    "/etc/init.d/xy stop",
    "/etc/init.d/x-y stop",
    "start-stop-daemon -K",
    "/usr/sbin/start-stop-daemon-x",
    "cat <<X\nPATH=/bin\n$0 stop\nX",
    "cat <<-X\n\tPATH=/bin\n\tX",
)


BASH = {
    '[[ "${BASH_SOURCE[0]}" == "$0" ]]': '[[ "${0}" == "$0" ]]',
    "d=${BASH_SOURCE%/*} n=$BASH_SOURCE": "d=${0%/*} n=$0",
    "${BASH_SOURCE[0]:-x} ${BASH_SOURCE[0]##*/}": "${0:-x} ${0##*/}",
    "${BASH_SOURCE[1]} ${#BASH_SOURCE[@]} ${BASH_SOURCE[@]}": None,
    "$BASH_SOURCES ${BASH_SOURCES} # $BASH_SOURCE": "$BASH_SOURCES ${BASH_SOURCES} # $0",
    "# $BASH_SOURCE": None,
    "(return 0 2>/dev/null) && x || main": "(exit 1) && x || main",
    "if ! ( return &> /dev/null ); then": "if ! (exit 1); then",
    "f || (echo no; return 1); (return 1)": None,
}
SOURCED = {
    "set x; Y=true . /lib/init/y": ["/lib/init/y"],
    "[ -r /usr/lib/y ] && . /usr/lib/y\nif source /usr/lib/y; then . /usr/share/z/y.sh; fi": [
        "/usr/lib/y", "/usr/share/z/y.sh",
    ],
    "# . /lib/y\n. /etc/default/y\n. $d/lib/y\n. /lib/$y\n. ./lib/y\necho . /lib/y": [],
}  # fmt: skip


@pytest.mark.parametrize("text", BASH)
def test_script_of_bash_is_not_told_that_it_is_sourced(text: str) -> None:
    """BASH_SOURCE would name the text; other shells know no such variable."""
    assert (BASH[text] or text) == rewritten(text, LINK, "/etc/init.d/x", AGAIN, bash=True)
    assert text == rewritten(text, LINK, "/etc/init.d/x", AGAIN)


@pytest.mark.parametrize("text", SOURCED)
def test_packages_file_may_be_read_from_a_copy(text: str) -> None:
    """Where the script sources it by its path. What a script may write itself is left alone."""
    assert SOURCED[text] == sourced(text)
    copies = dict.fromkeys(sourced(text), "/run/copy")
    expected = text
    for path in copies:
        for word in (". ", "source "):
            expected = expected.replace(word + path, word + "/run/copy")
    assert expected == rewritten(text, LINK, "/etc/init.d/x", AGAIN, copies)


@pytest.mark.parametrize("text", CHANGED)
def test_what_leads_away_from_ssd_is_changed(text: str) -> None:
    """An assignment to PATH, an absolute path, and the script where it is a command."""
    assert CHANGED[text] == rewritten(text, LINK, "/etc/init.d/x", AGAIN)


@pytest.mark.parametrize("text", LEFT)
def test_nothing_else_is(text: str) -> None:
    """Not what is printed, nor other names."""
    assert text == rewritten(text, LINK, "/etc/init.d/x", AGAIN)
