"""Scripts that a first trace misleads: they ask their programs, and go by the answers."""

import pytest

from ssd.service import DeclarationError

from .conftest import TellScript

STOP = "stop) start-stop-daemon --stop --quiet --retry 4 --exec @daemon ;;"


@pytest.mark.parametrize(
    "text",
    [
        """@daemon -t -c /etc/web.conf || exit 1
        start-stop-daemon --start --oknodo --exec @daemon -- -D --pid /run/web.pid""",
        """if @daemon ping > /dev/null; then echo "runs already"; exit 0; fi
        start-stop-daemon --start --exec @daemon -- -D --pid /run/web.pid""",
        """@daemon status && exit 1
        @daemon -D --pid /run/web.pid &""",
    ],
    ids=["test", "ping", "status"],
)
def test_program_that_is_asked_first_is_no_daemon(text: str, script: TellScript) -> None:
    """A test of the configuration succeeds, and it is not running yet."""
    service, notes = script(f'case "$1" in\nstart) {text} ;;\n{STOP}\nesac')
    assert ["-D", "--pid", "/run/web.pid"] == service.arguments
    assert "/run/web.pid" == service.pidfile or service.background
    assert any(note.startswith("start: runs @dir/daemon ") for note in notes)


def test_daemon_in_the_foreground_stays_one(script: TellScript) -> None:
    """Nothing else is one, whatever the answers: it is told that no signal was seen."""
    service, notes = script('[ "$1" = stop ] || @daemon -D')
    assert ["-D"] == service.arguments
    assert "stop: no signal was seen: the default TERM/30/KILL/5 is declared" in notes


def test_program_is_asked_if_nothing_starts(script: TellScript) -> None:
    """sshd's leaves without the right answer: the program itself gives it, in the sandbox."""
    service, notes = script("""
    for i in 1 2; do /usr/bin/perl -v | grep -q Larry || exit 0; done
    start-stop-daemon --start --background --exec @daemon""")
    assert service.background
    assert 1 == notes.count("start: reads what /usr/bin/perl -v prints, as it is now")
    with pytest.raises(DeclarationError, match="starts no daemon, and ended with status 7"):
        script("/usr/bin/perl -v | grep -q Nobody || exit 7; @daemon")
