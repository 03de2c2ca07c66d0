"""What can be wrong with a command line."""


class Usage(Exception):
    """A command line that cannot be meant; status 3, or 4 when asked for a status."""


class Unusable(Exception):
    """A value that fails where the original gives up with status 2 (4 for a status)."""
