"""A program of supervisord: expansions, and its processes."""

import pytest

from ssd.service import DeclarationError

from .conftest import Tell


def test_processes_have_numbers(imported: Tell) -> None:
    """In the command, the environment and the log, where their own variables count too."""
    services, _ = imported(
        "[program:w]\nnumprocs=2\nnumprocs_start=8\nprocess_name=%(program_name)s_%(process_num)02d\n"
        'environment=N="%(process_num)d"\ncommand=/bin/echo %(ENV_N)s of %(numprocs)d\n'
        "stdout_logfile=/tmp/%(program_name)s-%(ENV_N)s.log\n"
    )
    assert ["w_08", "w_09"] == [*services]
    last = services["w_09"]
    assert (["9", "of", "2"], {"N": "9"}) == (last.arguments, last.environment)
    assert "/tmp/w-9.log" == last.log["path"]


def test_variables_of_supervisord_reach_its_programs(imported: Tell) -> None:
    """Those of the environment by their name, those of [supervisord] as variables too."""
    services, _ = imported(
        'environment=A="%(ENV_HOME)s",B=b\n[program:x]\n'
        "command=/bin/echo %(ENV_A)s %(group_name)s\n"
        "environment=B=own\n",
        HOME="/h",
    )
    assert ["/h", "x"] == services["x"].arguments
    assert {"A": "/h", "B": "own"} == services["x"].environment


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[program:x]\nuser=me\n", r"s\.conf:2: command: must name a program"),
        ("[program:x]\ncommand=a\nnumprocs=2\n", r"s\.conf:2: process_name: must have"),
        ("[program:x]\ncommand=%(ENV_NONE)s\n", r"s\.conf:3: command: %\(ENV_NONE\)s is unknown"),
        ("[program:x]\ncommand=a\nstopsignal=X\n", r"s\.conf:4: stopsignal: must be a signal"),
    ],
)
def test_program_that_supervisord_refuses_is_refused(text, message, imported: Tell) -> None:
    """With file, line and option."""
    with pytest.raises(DeclarationError, match=message):
        imported(text)


def test_note_about_all_processes_is_made_once(imported: Tell) -> None:
    """A hundred processes have one line of warning."""
    text = "[program:w]\ncommand=cat\nnumprocs=100\nprocess_name=w%(process_num)d\n"
    services, notes = imported(text)
    assert (100, 1) == (len(services), len(notes))
