"""The services that are supervised: each is dash, and then sleep.

A service proves that it runs by a line in a FIFO, its name and its pid, before all else.
"""

from pathlib import Path

SAY = 'echo "$1 $$" >SAID; '

# What a service does. $1 is its name; SAID and GO are FIFOs, COUNT a file.
TEXTS = {
    "idle": SAY + "exec sleep 1000000",
    "obedient": SAY + "exec sleep 1000000",
    # A program inherits that TERM is ignored.
    "stubborn": "trap '' TERM; setsid sh -c 'echo \"$0 child $$\" >SAID; exec sleep 1000000' "
    '"$1" & ' + SAY + "exec sleep 1000000",
    "crash": SAY + "exit 1",
    # Fails five times, and then works.
    "sixth": 'starts=$(cat COUNT 2>/dev/null); echo "x$starts" >COUNT; '
    + SAY + '[ "$starts" = xxxxx ] || exit 1; exec sleep 1000000',
    # Waits until it is told how many lines to write, again and again.
    "seq": SAY + 'while read last <GO; do seq "$last"; echo "$1 done" >SAID; done',
    # Numbers its lines; says at TERM how many they were.
    "writer": "trap 'echo \"$1 done $$ $i\" >SAID; exit' TERM; i=0; " + SAY
    + 'while :; do i=$((i+1)); echo "$$ $i"; sleep 0.01; done',
    # Leaves a child to process 1, which ends soon.
    "orphaning": "trap 'echo \"$1 term\" >SAID; exit' TERM; (sleep 0.1 &); " + SAY
    + "while :; do sleep 1000000 & wait; done",
}  # fmt: skip


class Workload:
    """One service: what it does, and what is asked of its supervisor."""

    def __init__(self, name: str, kind: str, place: Path, log: bool = False) -> None:
        self.name = name
        self.log = log  # whether its output is kept
        text = TEXTS[kind]
        for word in ("SAID", "GO", "COUNT"):
            text = text.replace(word, str(place / word.lower()))
        self.script = f"set -- {name}\n{text}\n"
        self.patient = kind == "sixth"  # it must not be given up after five failures
        self.killed = kind == "idle"  # the rows kill it, which must not count as its failure


def crowd(kind: str, count: int, place: Path, log: bool = False) -> list[Workload]:
    """Make services of one kind."""
    return [Workload(f"{kind}{number}", kind, place, log) for number in range(count)]
