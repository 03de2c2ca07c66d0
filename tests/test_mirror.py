"""The tests mirror the package, and their names begin with their subject."""

import ast
from collections.abc import Iterator
from pathlib import Path

from conftest import CHECKOUT, TESTS

# Module -> the file that tests it, where none has its name: the module serves another one, or is
# seen only through the command that runs it.
TESTED_THROUGH = {
    "__main__.py": "scripts/test_entry_points.py",
    "_version.py": "test_project.py",
    "cli/status.py": "cli/test_cli.py",
    "compute/__init__.py": "compute/test_cli.py",
    "compute/backend.py": "compute/test_service.py",
    "compute/rpc.py": "compute/test_service.py",
    "cli/settling.py": "cli/test_added.py",
    "denials.py": "test_sentences.py",
    "environment.py": "children/test_children.py",
    "homes.py": "supervision/test_places.py",
    "logs/program.py": "logs/test_logger.py",
    "loops.py": "test_aio.py",
    "match_values.py": "test_validation.py",
    "pickling.py": "test_errors.py",
    "planted.py": "starting/test_output.py",
    "pidfile/overwriting.py": "pidfile/test_writing.py",
    "processes/contract.py": "testing/test_conformance.py",
    "processes/psutil_errors.py": "processes/test_psutil_faults.py",
    "processes/psutil_starts.py": "processes/test_psutil_faults.py",
    "processes/queues.py": "processes/test_kqueue.py",
    "service/__init__.py": "service/test_declaration.py",
    "service/declaring.py": "service/test_declaration.py",
    "service/generators/__init__.py": "service/generators/test_sheet.py",
    "service/generators/systemd_privileges.py": "service/generators/test_systemd.py",
    "service/help.py": "service/test_cli.py",
    "service/importing/__init__.py": "service/importing/test_cli.py",
    "service/importing/functions.py": "service/importing/test_sysv.py",
    "service/importing/trace/__init__.py": "service/importing/trace/test_running.py",
    "service/importing/trace/calls.py": "service/importing/test_sysv.py",
    "service/importing/trace/kernel.py": "service/importing/trace/test_running.py",
    "service/importing/trace/sandbox.py": "service/importing/trace/test_running.py",
    "service/importing/trace/tools.py": "service/importing/trace/test_answers.py",
    "service/importing/trace/tracer.py": "service/importing/trace/test_running.py",
    "service/importing/imported.py": "service/importing/test_supervisord.py",
    "service/interpreting.py": "service/test_cli.py",
    "service/initscripts/__init__.py": "service/initscripts/test_cli.py",
    "service/importing/units/__init__.py": "service/importing/test_systemd.py",
    "service/initscripts/program.py": "service/initscripts/test_status_all.py",
    "service/initscripts/script.py": "service/initscripts/test_cli.py",
    "service/initscripts/systemctl.py": "service/initscripts/test_cli.py",
    "service/lsb/__init__.py": "service/lsb/test_cli.py",
    "service/rare_commands.py": "service/test_commands.py",
    "service/rare_kinds.py": "service/test_kinds.py",
    "service/sources/listing.py": "service/sources/test_sources.py",
    "service/sources/executed.py": "service/sources/test_shell.py",
    "service/sources/shell_writer.py": "service/sources/test_shell.py",
    "service/sources/whole_toml.py": "service/sources/test_toml.py",
    "service/sources/zipped.py": "scripts/test_ssd_service.py",
    "service/verbs/fleet_outcomes.py": "service/test_telling.py",
    "service/verbs/hearing.py": "service/verbs/test_outcomes.py",
    "service/verbs/plans.py": "service/verbs/test_outcomes.py",
    "service/verbs/psutil_details.py": "service/verbs/test_status_json.py",
    "service/verbs/showing.py": "service/verbs/test_performing.py",
    "service/verbs/side_by_side.py": "service/verbs/test_fleet.py",
    "signal_names.py": "test_signals.py",
    "service/streams.py": "service/test_commands.py",
    "service/verbs/unused.py": "service/verbs/test_starting.py",
    "service/types.py": "service/test_fields.py",
    "surroundings/__init__.py": "cli/test_surroundings.py",
    "starting/__init__.py": "real/test_races.py",
    "starting/become.py": "real/test_identity.py",
    "starting/command_checks.py": "starting/test_command.py",
    "account_names.py": "test_accounts.py",
    "starting/foreground.py": "real/test_identity.py",
    "starting/leftovers.py": "children/test_start_failures.py",
    "starting/detach.py": "children/test_start_failures.py",
    "starting/fork_exec.py": "children/test_direct.py",
    "starting/holding.py": "service/verbs/test_until_ready.py",
    "starting/notify.py": "real/test_readiness.py",
    "starting/notify_directories.py": "real/test_readiness.py",
    "starting/rare/__init__.py": "starting/test_command.py",
    "starting/rare/steps.py": "starting/rare/test_privileges.py",
    "starting/rare/scheduling.py": "cli/test_values.py",
    "starting/types.py": "starting/test_command.py",
    "supervision/cli/refusal.py": "supervision/cli/test_cli.py",
    "supervision/cli/selection.py": "supervision/cli/test_declared.py",
    "service/verbs/executing.py": "service/verbs/test_performing.py",
    "supervision/succession/checking.py": "supervision/succession/test_upgrade.py",
    "supervision/cli/foreground.py": "supervision/cli/test_cli.py",
    "supervision/succession/handed.py": "supervision/succession/test_upgrade.py",
    "supervision/cli/loop.py": "supervision/cli/test_cli.py",
    "supervision/effects/held.py": "supervision/effects/test_spawning.py",
    "supervision/cli/help.py": "supervision/cli/test_options.py",
    "stops.py": "test_stopping.py",
    "supervision/control/__init__.py": "supervision/control/test_server.py",
    "supervision/locks.py": "supervision/test_places.py",
    "supervision/succession/past.py": "supervision/succession/test_journal.py",
    "supervision/readiness/probes.py": "supervision/readiness/test_gate.py",
    "supervision/effects/hooks.py": "supervision/test_unit.py",
    "supervision/control/json_reader.py": "supervision/control/test_json_text.py",
    "supervision/client/alone.py": "supervision/client/test_asking_words.py",
    "supervision/client/asking_all.py": "supervision/client/test_asking.py",
    "supervision/client/rows.py": "supervision/client/test_asking.py",
    "supervision/readiness/__init__.py": "supervision/readiness/test_gate.py",
    "supervision/succession/__init__.py": "supervision/succession/test_successor.py",
    "upstart/__init__.py": "upstart/test_jobs.py",
    "upstart/classes.py": "upstart/test_jobs.py",
    "upstart/contract.py": "upstart/processes/test_processes.py",
    "upstart/errors.py": "upstart/test_jobs.py",
    "upstart/following/__init__.py": "upstart/following/test_follower.py",
    "upstart/files/__init__.py": "upstart/files/test_directory.py",
    "upstart/events/__init__.py": "upstart/events/test_emissions.py",
    "upstart/succession/__init__.py": "upstart/succession/test_resumption.py",
    "upstart/succession/checking.py": "upstart/succession/test_upgraded.py",
    "upstart/control/__init__.py": "upstart/control/test_requests.py",
    "upstart/control/refusals.py": "upstart/control/test_variables.py",
    "testing/child.py": "testing/test_conformance.py",
    "testing/expectations.py": "testing/test_conformance.py",
    "testing/facts.py": "test_matched_by.py",
    "testing/rare_checks.py": "testing/test_conformance.py",
    "testing/finding_checks.py": "testing/test_conformance.py",
    "testing/handle_checks.py": "testing/test_conformance.py",
    "testing/handles.py": "testing/test_fake.py",
    "testing/kin.py": "testing/test_conformance.py",
    "testing/kin_checks.py": "testing/test_conformance.py",
    "testing/listener.py": "testing/test_daemons.py",
    "testing/process.py": "testing/test_fake.py",
    "upstart/initctl/commands.py": "upstart/initctl/test_initctl.py",
}

# A name begins with its subject, not with an article, a question word or a preposition.
NO_SUBJECT = set(
    "a an the what who whoever whom whose which where when if it its of by for in on there".split()
)
LONGEST = 60  # characters


def functions() -> Iterator[tuple[Path, str]]:
    """Yield the name of every test function, with its file."""
    for file in sorted(TESTS.rglob("test_*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                if node.name.startswith("test_"):
                    yield file.relative_to(TESTS), node.name


def own_test(module: Path) -> Path:
    """Return the test file of a module's name: of a package its own, in its directory."""
    if module.name == "__init__.py":
        return TESTS / module.parent / f"test_{module.parent.name or 'ssd'}.py"
    return TESTS / module.parent / f"test_{module.name}"


def test_every_module_has_a_test_of_its_name_or_a_row() -> None:
    """tests/ROOM/test_MODULE.py tests ssd/ROOM/MODULE.py, or TESTED_THROUGH names the file."""
    package = CHECKOUT / "ssd"
    modules = {file.relative_to(package) for file in package.rglob("*.py")}
    without = {str(module) for module in modules if not own_test(module).exists()}
    assert without == set(TESTED_THROUGH)
    assert [] == [file for file in TESTED_THROUGH.values() if not (TESTS / file).exists()]


def test_names_of_tests_begin_with_their_subject() -> None:
    """test_pidfile_..., test_every_option_...; not test_what_is_... or test_the_..."""
    wrong = [f"{file}::{name}" for file, name in functions() if name.split("_")[1] in NO_SUBJECT]
    assert [] == wrong


def test_names_of_tests_are_short() -> None:
    """Fewer than 60 characters: the sentence is the docstring's."""
    assert [] == [f"{file}::{name}" for file, name in functions() if len(name) >= LONGEST]
