"""Read the cases: one file of data, in groups that share a set-up.

A group may give any key of a case as a default; tables (targets, files, caller) are merged key by
key. `run` is one command line or a list of them, in the words of a shell; `{with}` in it stands
for the case's own `with`. `limit` is the time in seconds after which a command counts as hanging,
`least` the time that it must wait at least, and `calm` the time that its processes may take to come
to rest; all other waits may take a minute or more. Placeholders are described in inside/words.py.
"""

import tomllib
from dataclasses import dataclass, field, fields
from pathlib import Path

DATA = Path(__file__).with_name("cases.toml")
WAIT_TIMEOUT = 300.0  # seconds for a command that must not hang


@dataclass(frozen=True)
class Case:
    """One thing to do on both sides."""

    id: str
    rule: str
    run: list[str]
    gives: list[int | str] = field(default_factory=list)
    targets: dict[str, dict] = field(default_factory=dict)
    files: dict[str, dict | str] = field(default_factory=dict)
    caller: dict = field(default_factory=dict)
    limit: float = 1.0
    least: float = 0.0
    calm: float = 60.0
    compare: list[str] = field(default_factory=list)
    divergence: str = ""
    later: str = ""  # the version of dpkg whose original no longer does this
    oracle: dict = field(default_factory=dict)
    ssd: dict = field(default_factory=dict)

    def patience(self, side: str) -> float:
        """Return the seconds after which a command of a side counts as hanging."""
        hangs = "hung" in [*self.gives, getattr(self, side).get("gives")]
        return self.limit if hangs else WAIT_TIMEOUT


_KEYS = {entry.name for entry in fields(Case)} | {"with"}
_MERGED = ("targets", "files", "caller")


def load(path: Path = DATA) -> list[Case]:
    """Return all cases in the order of the file.

    Raises ValueError for an unknown key or an id that was used before.
    """
    found: dict[str, Case] = {}
    with path.open("rb") as file:
        groups = tomllib.load(file)
    for group, content in groups.items():
        for entry in content.pop("cases"):
            case = merge(group, content, entry)
            if case.id in found:
                raise ValueError(f"two cases are called {case.id}")
            found[case.id] = case
    return list(found.values())


def merge(group: str, shared: dict, entry: dict) -> Case:
    """Return the case that `entry` describes, with the defaults of its group."""
    unknown = (shared.keys() | entry.keys()) - _KEYS
    if unknown:
        raise ValueError(f"unknown keys in group {group}: {sorted(unknown)}")
    whole = {**shared, **entry}
    for key in _MERGED:
        whole[key] = {**shared.get(key, {}), **entry.get(key, {})}
    own = whole.pop("with", "")
    whole["id"] = f"{group}-{whole['id']}"
    whole["run"] = [line.replace("{with}", own) for line in listed(whole["run"])]
    whole["gives"] = listed(whole.get("gives", []))
    return Case(**whole)


def listed(value) -> list:
    """Return `value` as a list, a single one as a list of one."""
    return value if isinstance(value, list) else [value]
