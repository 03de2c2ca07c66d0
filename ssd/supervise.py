"""The command ``ssd-supervise``: keep declared services running, or Upstart's jobs."""

import os

from ssd.supervision.cli.options import INITS, JOBS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


def main(argv: "list[str]") -> int:
    """Run the command in a process of its own and return its exit status."""
    if means_jobs(argv[1:], os.path.basename(argv[0])):
        from ssd.upstart.cli import main as run_jobs

        return run_jobs(argv)
    from ssd.supervision.cli import main as run_services

    return run_services(argv)


def means_jobs(words: "Sequence[str]", program: str) -> bool:
    """Tell whether a command line asks for Upstart's jobs, wherever the option stands."""
    before = words[: words.index("--")] if "--" in words else words
    return program in INITS or JOBS in (word.partition("=")[0] for word in before)
