"""The types of the rare fields of a Command, for type checkers only."""

from typing import TypedDict


class RareFields(TypedDict, total=False):
    """The rare fields as keywords; ``ssd.starting.rare`` says what they mean."""


class CommandFields:
    """The rare fields as attributes of a Command."""

    rare: "dict[str, object]"
