"""Where ssd-service differs from service(8): rows of docs/reference/divergences.md in order."""

from typing import Any

import pytest

from . import machine

# A word that the shell of service(8) splits, and a pattern that it expands.
ODD = ["a b", "/et[c]", ""]
ASKS = {"files": {"/etc/init.d/asks": "#!/bin/sh\nread -r line && echo $line\n"}}

CASES: dict[str, dict[str, Any]] = {
    "words": {"words": ["teller", "start", *ODD]},
    "path": {"words": ["../init.d/teller", "start"]},
    "directory": {"words": [".", "start"]},
    "help": {"words": ["teller", "start", "--help"]},
    "version": {"words": ["teller", "-V"]},
    "dash": {"words": ["-name", "start"]},
    "late-full-restart": {"words": ["teller", "exit-0", "--full-restart"]},
    "broken": {"words": ["no-interpreter", "start"]},
    "input": {"words": ["--status-all"], "bare": True, "input": "line\n", **ASKS},
}  # fmt: skip


@pytest.fixture(scope="module")
def outcomes() -> machine.Outcomes:
    """Return the outcome of every case, with service(8) and with ssd-service."""
    return machine.compared(CASES)


def told(outcome: dict[str, Any]) -> list[str]:
    """Return the words that the script got."""
    return [line for line in outcome["stdout"].splitlines() if line.startswith("<")]


@pytest.mark.differential
def test_words_reach_the_script_as_they_are(outcomes: machine.Outcomes) -> None:
    """Row s1: service(8) splits them at blanks, and expands patterns to file names."""
    assert ["<start>", "<a>", "<b>", "</etc>"] == told(outcomes["words"]["original"])
    assert ["<start>", "<a b>", "</et[c]>", "<>"] == told(outcomes["words"]["ssd"])


@pytest.mark.differential
def test_path_and_directory_are_no_services(outcomes: machine.Outcomes) -> None:
    """Row s2: service(8) runs any file that the path leads to, and tries to run a directory."""
    assert ["<start>"] == told(outcomes["path"]["original"])
    assert 126 == outcomes["directory"]["original"]["status"]
    ours = outcomes["directory"]["ssd"]
    assert (1, ".: unrecognized service\n") == (ours["status"], ours["stderr"])
    # It is the path of a declaration, relative to the caller's directory.
    ours = outcomes["path"]["ssd"]
    reason = "ssd-service: /init.d/teller: No such file or directory\n"
    assert (1, "", reason) == (ours["status"], ours["stdout"], ours["stderr"])


@pytest.mark.differential
@pytest.mark.parametrize("case", ["help", "version"])
def test_options_after_the_name_are_the_scripts(case: str, outcomes: machine.Outcomes) -> None:
    """Row s3: service(8) interprets --help and -V anywhere."""
    assert [] == told(outcomes[case]["original"])
    assert [f"<{word}>" for word in CASES[case]["words"][1:]] == told(outcomes[case]["ssd"])


@pytest.mark.differential
def test_word_with_a_dash_is_an_option(outcomes: machine.Outcomes) -> None:
    """Row s3: service(8) takes an unknown option for a service."""
    assert ["<start>"] == told(outcomes["dash"]["original"])
    ours = outcomes["dash"]["ssd"]
    assert (3, "") == (ours["status"], ours["stdout"])
    assert ours["stderr"].startswith("ssd-service: unrecognized option '-name'\n")


@pytest.mark.differential
def test_full_restart_is_of_the_first_word(outcomes: machine.Outcomes) -> None:
    """Row s4: service(8) restarts the second word, which is a verb."""
    seen = "/etc/init.d/exit-0 stop\n/etc/init.d/exit-0 start\n"
    assert seen == outcomes["late-full-restart"]["original"]["seen"]
    assert ["<exit-0>", "<--full-restart>"] == told(outcomes["late-full-restart"]["ssd"])


@pytest.mark.differential
def test_script_that_cannot_be_executed_is_explained(outcomes: machine.Outcomes) -> None:
    """Row s5: the status is that of env(1), the message names the missing part."""
    original, ours = outcomes["broken"]["original"], outcomes["broken"]["ssd"]
    assert 127 == original["status"] == ours["status"]
    assert original["stderr"].startswith("env: ")
    reason = "the interpreter in its first line does not exist"
    assert f"ssd-service: /etc/init.d/no-interpreter: {reason}\n" == ours["stderr"]


@pytest.mark.differential
def test_script_that_reads_input_gets_none(outcomes: machine.Outcomes) -> None:
    """Row s6: service(8) passes its input to the scripts, and the first one reads it."""
    assert " [ + ]  asks\n" == outcomes["input"]["original"]["stdout"]
    assert " [ - ]  asks\n" == outcomes["input"]["ssd"]["stdout"]
