"""What can be wrong in a job file, in the words of Upstart."""

from ssd.service.errors import DeclarationError

# The words that init(8) of Upstart prints for each of them.
EXPECTED_TOKEN = "Expected token"
UNEXPECTED_TOKEN = "Unexpected token"
TRAILING_SLASH = "Trailing slash in file"
UNTERMINATED_QUOTE = "Unterminated quoted string"
UNTERMINATED_BLOCK = "Unterminated block"
UNKNOWN_STANZA = "Unknown stanza"
ILLEGAL_INTERVAL = "Illegal interval, expected number of seconds"
ILLEGAL_EXIT = "Illegal exit status, expected integer"
ILLEGAL_SIGNAL = "Illegal signal status, expected integer"
ILLEGAL_UMASK = "Illegal file creation mask, expected octal integer"
ILLEGAL_NICE = "Illegal nice value, expected -20 to 19"
ILLEGAL_OOM = "Illegal oom adjustment, expected -16 to 15 or 'never'"
ILLEGAL_OOM_SCORE = "Illegal oom score adjustment, expected -999 to 1000 or 'never'"
ILLEGAL_LIMIT = "Illegal limit, expected 'unlimited' or integer"
EXPECTED_EVENT = "Expected event"
EXPECTED_OPERATOR = "Expected operator"
EXPECTED_VARIABLE = "Expected variable name before value"
MISMATCHED_PARENS = "Mismatched parentheses"
NUL_BYTE = "NUL byte in file"  # our own: Upstart reads such a file as if it had no text there


class JobFault(DeclarationError):
    """An invalid job file.

    file: its path, or the job's name if it was not read from a file. line: where Upstart would
    report it, which is the last line for a block or quote without an end. reason: one of the
    texts above. nearest: the stanza that was probably meant, or None.
    """

    def __init__(self, reason: str, file: str, line: int, nearest: "str | None" = None) -> None:
        super().__init__(reason, file=file, line=line, nearest=nearest)
