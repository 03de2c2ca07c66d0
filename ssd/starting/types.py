"""The types of the rare fields of a Command, for type checkers only."""

import os
from collections.abc import Mapping
from typing import TypedDict

Text = str | bytes | os.PathLike[str]


class RareFields(TypedDict, total=False):
    """The rare fields as keywords; ``ssd.starting.rare`` says what they mean."""

    login: bool
    variables: Mapping[str, Text] | Mapping[bytes, Text]
    oom_score_adj: int | None
    capabilities: str | None
    no_new_privs: bool
    securebits: str | None
    stdout: Text | None
    stderr: Text | None
    logger: Text | Mapping[str, object] | None
    tree: bool


class CommandFields:
    """The rare fields as attributes of a Command."""

    login: bool  # whether it gets HOME, USER, LOGNAME and SHELL as login(1) sets them
    variables: dict[bytes, bytes]  # added last, over all others
    oom_score_adj: int | None  # proc(5): None keeps the caller's
    capabilities: str | None  # cap_text_formats(7), an IAB tuple; None keeps the kernel's rules
    no_new_privs: bool  # prctl(2), PR_SET_NO_NEW_PRIVS
    securebits: str | None  # names or a number: capabilities(7)
    stdout: bytes | None
    stderr: bytes | None
    logger: dict[str, object] | None
    tree: bool  # whether it gets a marker by which a stop of its tree finds all of it
