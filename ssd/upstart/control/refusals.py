"""What the settings of jobs refuse: the texts are those of Upstart's answers."""

from ssd.upstart.errors import JobError


class BadPriority(JobError):
    """A log priority that is none."""

    kind = "bad-priority"

    def __init__(self) -> None:
        super().__init__("The log priority given was not recognised")


class NoVariable(JobError):
    """A variable that is not in the table."""

    kind = "no-variable"

    def __init__(self, name: str) -> None:
        super().__init__(f"No such variable: {name}")
        self.name: str = name


class EmptyVariable(JobError):
    """A variable without a name."""

    kind = "empty-variable"

    def __init__(self) -> None:
        super().__init__("Variable may not be empty string")


class NotPermissible(JobError):
    """The table of the system's jobs, which nobody changes."""

    kind = "not-permissible"

    def __init__(self) -> None:
        super().__init__("Not permissible to modify PID 1 job environment")
