"""A unit that is generated from a declaration is imported as that declaration."""

import string
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ssd.service import Service
from ssd.service.generators import systemd as generator
from ssd.service.importing import systemd
from ssd.service.importing.units.life import AFTER_KILL
from ssd.signals import SIGNAL_NAMES

# One line without control characters, and without blanks at its ends, which systemd strips.
LINE = (
    st.text(st.sampled_from("aB1 é'\"\\$#%=;()[]*~&|<>`!"), min_size=1, max_size=10)
    .map(str.strip)
    .filter(lambda text: text and not text.endswith("\\"))
)
NAME = st.text(st.sampled_from(string.ascii_letters), min_size=1, max_size=4)
WORD = st.text(st.sampled_from("aB1 é'\"\\$#%=;()[]*~&|<>`!-/\t\n\udcff"), max_size=8)
PATH = st.text(st.sampled_from("ab1-$%'\"\\ é"), min_size=1, max_size=8).map(
    lambda text: f"/{text}".rstrip(" \\") + "x"
)
PLAIN_PATH = st.text(st.sampled_from("ab1-"), min_size=1, max_size=4).map("/srv/x{}".format)
SCRIPT = st.lists(WORD, min_size=1, max_size=3).map("\n".join).filter(bool)
SIGNAL = st.sampled_from([name for name in SIGNAL_NAMES if name not in ("KILL", "CONT")])
SECONDS = st.sampled_from([1, 2.5, 30, 3600])
UMASK = st.integers(0, 0o777).filter(lambda number: number != 0o22).map("{:03o}".format)
LIMIT = st.sampled_from([0, 5, "unlimited", "1:2", "1:unlimited"])
FACILITY = st.sampled_from(["$remote_fs", "$network", "$named", "$time", "$portmap"])


@st.composite
def sayable(draw: st.DrawFn) -> dict[str, Any]:
    """Draw the fields of a declaration that a unit can express, and that it says exactly."""

    def some(**optional: st.SearchStrategy[Any]) -> dict[str, Any]:
        return {name: draw(value) for name, value in optional.items() if draw(st.booleans())}

    fields: dict[str, Any] = {
        "name": "x", "kill_mode": draw(st.sampled_from([None, "main", "tree"])),
        "stop_schedule": draw(_schedule()),
        **some(
            description=LINE.filter(lambda text: text != "x"), apparmor_profile=NAME,
            documentation=st.lists(st.sampled_from(["man:x(8)", "https://x/%20\"'"]), min_size=1),
            user=NAME, group=NAME, working_directory=PATH, umask=UMASK, nice=st.integers(-20, 19),
            environment=st.dictionaries(NAME, WORD.filter(lambda word: "\udcff" not in word)),
            pass_environment=st.lists(NAME, min_size=1, max_size=2, unique=True),
            limits=st.dictionaries(st.sampled_from(["nofile", "core", "rttime"]), LIMIT),
            cpu_scheduling=st.sampled_from(["other", "fifo:10", "rr:1"]),
            io_scheduling=st.sampled_from(["best-effort:2", "real-time:0", "idle"]),
            oom_score=st.integers(-1000, 1000), reload_signal=SIGNAL,
            before_start=SCRIPT, after_start=SCRIPT, before_stop=SCRIPT, after_stop=SCRIPT,
            capabilities=st.sampled_from(["^cap_kill", "!cap_chown", "!cap_chown,!^cap_kill"]),
            no_new_privs=st.just(True), securebits=st.just("noroot keep-caps"), login=st.just(True),
            watchdog=SECONDS, after=st.just(["redis", "mail"]),
            required_start=st.lists(FACILITY, min_size=1, max_size=2, unique=True),
            provides=st.just(["x", "also-x"]), manual=st.just(True),
        ),
    }  # fmt: skip
    if "user" in fields:
        fields["login"] = True  # as every user has it under systemd
    outputs = [{}, {"output": draw(PATH)}, {"stdout": "/a", "stderr": "/b"}, {"stderr": "/b"}]
    fields |= draw(st.sampled_from(outputs))
    fields |= draw(_directories(fields.get("user"), fields.get("group")))
    if draw(st.booleans()):
        fields["requires"] = ["db"]
        fields["on_required_failure"] = draw(st.sampled_from(["fail", "ignore", "stop"]))
    if not fields.get("manual") and draw(st.booleans()):
        fields["default_start"] = draw(st.sampled_from([["5"], ["1", "S"]]))
    if fields.get("manual"):
        fields.pop("provides", None)  # a unit that nothing enables has no aliases
    return fields | draw(_process()) | draw(_respawn())


@st.composite
def _schedule(draw: st.DrawFn) -> str:
    first, seconds = draw(SIGNAL), draw(st.integers(0, 99))
    last = draw(st.sampled_from(["KILL", "USR1", ""]))
    endless = draw(st.booleans())
    if endless and not last:
        return f"{first}/forever/999999999"
    return f"{first}/{seconds}/{last}/{AFTER_KILL}" if last else f"{first}/{seconds}"


@st.composite
def _directories(draw: st.DrawFn, user: str | None, group: str | None) -> dict[str, Any]:
    """Draw directories: one that systemd makes itself, then one that a command makes."""
    owner = {key: name for key, name in (("user", user), ("group", group)) if name}
    found = []
    if draw(st.booleans()):
        path = draw(st.sampled_from(["/run/x", "/var/lib/x y", "/var/log/x%", "/var/cache/a/b"]))
        found.append({"path": path, "mode": draw(st.sampled_from(["0755", "0700"])), **owner})
    if draw(st.booleans()):
        path = draw(PLAIN_PATH)
        other = draw(st.sampled_from([{}, {"user": "a"}, {"user": "a", "group": "b"}]))
        found.append({"path": path, "mode": draw(st.sampled_from(["0755", "2750"])), **other})
    return {"directories": found} if found else {}


@st.composite
def _process(draw: st.DrawFn) -> dict[str, Any]:
    made: dict[str, Any] = {}
    kinds = [None, {"kind": "command", "command": ["/bin/a", "$b"], "timeout": 7}]
    if draw(st.booleans()):
        made |= {"executable": draw(PATH), "arguments": draw(st.lists(WORD, max_size=3))}
    else:
        made |= {"script": draw(SCRIPT), "arguments": draw(st.lists(WORD, max_size=1))}
    form = draw(st.sampled_from(["plain", "task", "forking"]))
    if form == "task":
        made["task"] = True
    elif form == "forking":
        made |= {"background": False, "pidfile": draw(st.sampled_from(["/run/y.pid", "none"]))}
        if made["pidfile"] != "none":
            kinds.append({"kind": "pidfile", "timeout": 5})
    else:
        kinds.append({"kind": "notify", "timeout": draw(SECONDS)})
    readiness = draw(st.sampled_from(kinds))
    return {**made, "readiness": readiness} if readiness else made


@st.composite
def _respawn(draw: st.DrawFn) -> dict[str, Any]:
    when = draw(st.sampled_from(["never", "failure"]))
    if when == "never":
        return {}
    first = draw(st.sampled_from([0, 0.1, 2]))
    grown = draw(st.sampled_from([first, 30])) if first else first
    table = {"when": when, "delay": first, "backoff": first, "delay_max": grown}
    table["limit"] = draw(st.integers(0, 20))
    table["interval"] = draw(st.sampled_from([1, 60])) if table["limit"] else 5
    table["normal_exit"] = draw(st.sampled_from([[], [3, "INT"]]))
    return {"respawn": table}


@given(fields=sayable())
def test_generated_unit_is_imported_as_the_declaration(
    fields: dict[str, Any], tmp_path_factory: Any
) -> None:
    """Field by field, for all that a unit can say."""
    service = Service(**fields)
    text = generator.generate(service).text()
    file = Path(tmp_path_factory.getbasetemp(), "x.service")
    file.write_text(text, errors="surrogateescape")
    made = systemd.read(str(file), directories=())
    assert service.to_dict() == made.services[0].to_dict(), text
