"""Answers in JSON are compared with their schema, docs/reference/answer.schema.json."""

import json
from pathlib import Path
from typing import Any

FILE = Path(__file__).resolve().parent.parent.parent / "docs/reference/answer.schema.json"
SCHEMA: dict[str, Any] = json.loads(FILE.read_text())
TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}


def faults(value: object, schema: dict[str, Any] = SCHEMA, where: str = "answer") -> list[str]:
    """Return how a value differs from a schema; only the words that the file uses are known."""
    if "$ref" in schema:  # "#/$defs/NAME"
        schema = SCHEMA["$defs"][schema["$ref"].rpartition("/")[2]]
    wanted = schema.get("type", [])
    kinds = [wanted] if isinstance(wanted, str) else wanted
    allowed = tuple(kind for name in kinds for kind in TYPES[name])
    if allowed and not isinstance(value, allowed):
        return [f"{where}: {value!r} is not {' or '.join(kinds)}"]
    if value not in schema.get("enum", [value]) or value != schema.get("const", value):
        return [f"{where}: {value!r} is not allowed"]
    found: list[str] = []
    if isinstance(value, dict):
        found += [f"{where}: no {key}" for key in schema.get("required", ()) if key not in value]
        for key, inner in schema.get("properties", {}).items():
            found += faults(value[key], inner, f"{where}.{key}") if key in value else []
    if isinstance(value, list) and "items" in schema:
        for index, each in enumerate(value):
            found += faults(each, schema["items"], f"{where}[{index}]")
    return found


def answer(text: str) -> dict[str, Any]:
    """Read an answer, and check it."""
    told: dict[str, Any] = json.loads(text)
    assert [] == faults(told)
    return told
