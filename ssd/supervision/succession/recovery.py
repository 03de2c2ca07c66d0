"""Begin again after an error that nobody foresaw: the same process, its program anew.

As process 1 a supervisor that ends takes all services with it. Instead it executes its program
again, which takes the services over by the journal as any successor does; being their parent
still, it learns how each has ended.
"""

import os
from time import monotonic

from ssd.sentences import describe
from ssd.stdio import write
from ssd.supervision.succession.upgrade import program

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd.supervision.cli.loop import Loop

STEADY = 10.0  # seconds; an error that comes sooner would come again at once


def begin_again(
    error: Exception,
    process: "Loop",
    argv: "list[str]",
    directory: str,
    variables: "dict[str, str]",
) -> None:
    """Execute the program again because of an error; return if that is of no use.

    argv, directory, variables: as for an upgrade (``ssd.supervision.succession.upgrade``).
    """
    if process.is_leaving or monotonic() - process.began < STEADY:
        return
    write(2, f"{os.path.basename(argv[0])}: {describe(error)}; it begins again\n")
    limits = process.supervisor.effects.descriptors
    if limits is not None:
        import resource

        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    for fd in process.kept():
        os.set_inheritable(fd, True)
    words = [*program(argv), *argv[1:]]
    os.chdir(directory)
    os.execve(words[0], words, {**os.environ, **variables})
