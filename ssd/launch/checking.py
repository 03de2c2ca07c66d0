"""Check a Command that a program has made; the command line's own options are checked already."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd.launch.command import Command

ID_MAX = 2**32 - 2  # (uid_t) -1 means "leave it" to setresuid(2)
UMASK_MAX = 0o777  # umask(2) takes no more
INT_MAX = 2**31 - 1  # nice(2) takes an int


def check(command: "Command") -> None:
    """Raise ValueError, which names the field, for what cannot be meant.

    That is a number that is none or is out of range, a NUL byte, which would end a text
    early for the kernel, and a variable's name that no environment can hold (environ(7)).
    """
    umask = command.umask
    if umask is not None and not (_is_whole(umask) and 0 <= umask <= UMASK_MAX):
        raise ValueError(f"umask is a number from 0 to 0o777, not {umask!r}")
    if not (_is_whole(command.nice) and abs(command.nice) <= INT_MAX):
        raise ValueError(f"nice is a whole number, not {command.nice!r}")
    for label, who in (("user", command.user), ("group", command.group)):
        if not (who is None or isinstance(who, str) or _is_whole(who) and 0 <= who <= ID_MAX):
            raise ValueError(f"{label} is a name or a number from 0 to {ID_MAX}, not {who!r}")
    for name in command.environment or {}:
        if not name or b"=" in name:
            raise ValueError(
                f"environment has no variable named {name!r}: empty, or with a = in it"
            )
    for label, texts in _texts(command).items():
        for text in texts:
            if b"\0" in text:
                raise ValueError(f"{label} has a NUL byte in it: {text!r}")


def _texts(command: "Command") -> dict[str, list[bytes]]:
    """Return the texts of each field that the kernel will see."""
    environment = command.environment or {}
    return {
        "argv": command.argv,
        "directory": [command.directory],
        "root": [command.root or b""],
        "output": [command.output or b""],
        "environment": [text for pair in environment.items() for text in pair],
    }


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
