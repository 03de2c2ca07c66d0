"""Cases of our own beside the recorded ones: data/siblings.txt as the harness has its cases.

A case begins with ``=== NAME``. ``--- FILE`` begins a file of jobs, in which %STAGE stands for a
stage that writes into /srv/out; ``--- rec EVENT ...`` makes jobs that write such events of job foo
into /srv/events. Then come the steps: ``$ LINE`` runs a line of shell (``$~`` and ``$*`` leave out
what depends on the moment), with what it prints after ``>`` (or, as it is, after ``>`` without a
blank), its errors after ``!``, and its exit status after ``?``. ``@ STEP -> ANSWER`` is any other
step, in JSON.
"""

import json
from pathlib import Path
from typing import Any

FILE = Path(__file__).parents[1] / "data" / "siblings.txt"
STAGES = ("pre-start", "post-start", "pre-stop", "post-stop")
STAGE = """{0} script
  echo {0} $UPSTART_JOB/$UPSTART_INSTANCE >> /srv/out
end script
"""
RECORDER = """start on {0} JOB=foo
task
script
  echo $UPSTART_EVENTS: $(env | grep -E '^(JOB|INSTANCE|RESULT|PROCESS|EXIT_STATUS|EXIT_SIGNAL)=' | sort) >> /srv/events
end script
"""  # noqa: E501
BLUR = {"$ ": {}, "$~": {"blur": 1}, "$*": {"blur": "all"}}

Case = dict[str, Any]


def read(text: str) -> list[Case]:
    """Return the cases: name, jobs, steps, and the answers, each with the kind of its step."""
    return [_case(part) for part in f"\n{text}".split("\n=== ")[1:]]


def _case(text: str) -> Case:
    name, *lines = text.splitlines()
    case: Case = {"name": name, "jobs": {}, "steps": [], "answers": []}
    file = ""
    for line in lines:
        if line.startswith("--- rec "):
            for event in line.split()[2:]:
                case["jobs"][f"rec-{event}.conf"] = RECORDER.format(event)
        elif line.startswith("--- "):
            file = line[4:]
            case["jobs"][file] = ""
        elif case["steps"] or line.startswith(("$", "@")):
            _step(case, line)
        elif file:
            stage = line.removeprefix("%")
            wanted = line.startswith("%") and stage in STAGES
            case["jobs"][file] += STAGE.format(stage) if wanted else f"{line}\n"
    return case


def _step(case: Case, line: str) -> None:
    """Add a step, or to what the last one answers."""
    if line[:2] in BLUR:
        options = [BLUR[line[:2]]] if BLUR[line[:2]] else []
        case["steps"].append(["run", line[2:].strip(), *options])
        case["answers"].append(["run", {"rc": 0, "out": "", "err": ""}])
    elif line.startswith("@ "):
        step, _, answer = line[2:].rpartition(" -> ")
        case["steps"].append(json.loads(step))
        case["answers"].append([case["steps"][-1][0], json.loads(answer)])
    elif line.startswith("? "):
        case["answers"][-1][1]["rc"] = int(line[2:])
    elif line[:1] in (">", "!"):
        stream = "out" if line[0] == ">" else "err"
        case["answers"][-1][1][stream] += (
            line[1:].removeprefix(" " if line[1:3] != "  " else "") + "\n"
        )
    else:
        assert not line, f"{case['name']}: {line}"
