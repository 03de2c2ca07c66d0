"""Where ssd-service differs from service(8): rows of docs/reference/divergences.md in order."""

from typing import Any

import pytest

from . import machine

# A word that the shell of service(8) takes apart, and a pattern that it replaces.
ODD = ["a b", "/et[c]", ""]
ASKS = {"files": {"/etc/init.d/asks": "#!/bin/sh\nread -r line && echo $line\n"}}

CASES: dict[str, dict[str, Any]] = {
    "words": {"words": ["teller", "start", *ODD]},
    "path": {"words": ["../init.d/teller", "start"]},
    "folder": {"words": [".", "start"]},
    "help": {"words": ["teller", "start", "--help"]},
    "version": {"words": ["teller", "-V"]},
    "dash": {"words": ["-name", "start"]},
    "late-full-restart": {"words": ["teller", "exit-0", "--full-restart"]},
    "broken": {"words": ["no-interpreter", "start"]},
    "input": {"words": ["--status-all"], "bare": True, "input": "line\n", **ASKS},
}  # fmt: skip


@pytest.fixture(scope="module")
def outcomes() -> machine.Outcomes:
    """Return what came of every case, under service(8) and under ssd-service."""
    return machine.compared(CASES)


def told(outcome: dict[str, Any]) -> list[str]:
    """Return the words that the script was given."""
    return [line for line in outcome["stdout"].splitlines() if line.startswith("<")]


@pytest.mark.differential
def test_words_reach_the_script_as_they_are(outcomes: machine.Outcomes) -> None:
    """Row s1: service(8) takes them apart at blanks, and patterns become names of files."""
    assert ["<start>", "<a>", "<b>", "</etc>"] == told(outcomes["words"]["original"])
    assert ["<start>", "<a b>", "</et[c]>", "<>"] == told(outcomes["words"]["ssd"])


@pytest.mark.differential
def test_path_and_directory_are_no_services(outcomes: machine.Outcomes) -> None:
    """Row s2: service(8) runs whatever file the path leads to, and tries to run the folder."""
    assert ["<start>"] == told(outcomes["path"]["original"])
    assert 126 == outcomes["folder"]["original"]["status"]
    ours = outcomes["folder"]["ssd"]
    assert (1, ".: unrecognized service\n") == (ours["status"], ours["stderr"])
    # It is the path of a declaration, from the caller's own directory.
    ours = outcomes["path"]["ssd"]
    reason = "ssd-service: /init.d/teller: No such file or directory\n"
    assert (1, "", reason) == (ours["status"], ours["stdout"], ours["stderr"])


@pytest.mark.differential
@pytest.mark.parametrize("case", ["help", "version"])
def test_options_after_the_name_are_the_scripts(case: str, outcomes: machine.Outcomes) -> None:
    """Row s3: service(8) takes --help and -V for its own wherever they stand."""
    assert [] == told(outcomes[case]["original"])
    assert [f"<{word}>" for word in CASES[case]["words"][1:]] == told(outcomes[case]["ssd"])


@pytest.mark.differential
def test_word_with_a_dash_is_an_option(outcomes: machine.Outcomes) -> None:
    """Row s3: for service(8) it may be a service, and an option that it does not know is one."""
    assert ["<start>"] == told(outcomes["dash"]["original"])
    ours = outcomes["dash"]["ssd"]
    assert (3, "") == (ours["status"], ours["stdout"])
    assert ours["stderr"].startswith("ssd-service: unrecognized option '-name'\n")


@pytest.mark.differential
def test_full_restart_is_of_the_service_that_comes_first(outcomes: machine.Outcomes) -> None:
    """Row s4: service(8) restarts the second word, which is no service but a verb."""
    seen = "/etc/init.d/exit-0 stop\n/etc/init.d/exit-0 start\n"
    assert seen == outcomes["late-full-restart"]["original"]["seen"]
    assert ["<exit-0>", "<--full-restart>"] == told(outcomes["late-full-restart"]["ssd"])


@pytest.mark.differential
def test_script_that_cannot_be_executed_is_explained(outcomes: machine.Outcomes) -> None:
    """Row s5: the status is that of env(1), the sentence says what is missing."""
    original, ours = outcomes["broken"]["original"], outcomes["broken"]["ssd"]
    assert 127 == original["status"] == ours["status"]
    assert original["stderr"].startswith("env: ")
    reason = "the interpreter in its first line does not exist"
    assert f"ssd-service: /etc/init.d/no-interpreter: {reason}\n" == ours["stderr"]


@pytest.mark.differential
def test_script_that_reads_input_gets_none(outcomes: machine.Outcomes) -> None:
    """Row s6: service(8) lends its input to each script, the first one reads it."""
    assert " [ + ]  asks\n" == outcomes["input"]["original"]["stdout"]
    assert " [ - ]  asks\n" == outcomes["input"]["ssd"]["stdout"]
