"""The rooms of the package, which imports which, and their picture in docs/explanation.

usage: python tests/kit/rooms.py > docs/explanation/rooms.svg
"""

import ast
from collections.abc import Iterable, Iterator, Mapping
from html import escape
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent.parent / "ssd"

# Room -> what it answers for, and the modules in it: a module belongs to the longest name that
# begins its own. A room may import those above it in this table, and no other.
ROOMS: dict[str, tuple[str, str]] = {
    "ground": ("values, errors, pure decisions", "ssd"),
    "processes": ("who runs: one contract, two tables", "ssd.processes"),
    "pidfile": ("read, write, remove, lock", "ssd.pidfile"),
    "finding": ("from a Match to processes", "ssd.finding ssd.matched_by"),
    "logs": ("output of services into files", "ssd.logs"),
    "starting": ("from a Command to a running program", "ssd.starting"),
    "stopping": (
        "signals by a Schedule",
        "ssd.stopping ssd.stops ssd.trees ssd.cgroups ssd.pidfile_removal",
    ),
    "children": ("ssd.start, from any thread", "ssd.children"),
    "aio": ("start and stop under asyncio", "ssd.aio ssd.loops"),
    "sentences": ("errors in words", "ssd.sentences"),
    "answers": (
        "what a command did, told and drawn",
        "ssd.answers",
    ),
    "cli": ("the command ssd", "ssd.cli ssd.__main__"),
    "service": ("one declaration of a service", "ssd.service"),
    "sources": ("read a declaration", "ssd.service.sources"),
    "generators": ("write it for other inits", "ssd.service.generators"),
    "importing": ("declarations from other supervisors", "ssd.service.importing"),
    "initscripts": ("scripts that are no declaration", "ssd.service.initscripts"),
    "verbs": ("start, stop, status of a service", "ssd.service.verbs"),
    "lsb": ("functions for init scripts", "ssd.service.lsb"),
    "supervision": ("services that are kept running", "ssd.supervision"),
    "upstart": ("Upstart's jobs and their events", "ssd.upstart"),
    "supervise": ("the command ssd-supervise", "ssd.supervise"),
    "service/cli": (
        "the command ssd-service",
        "ssd.service.cli ssd.service.group ssd.service.help ssd.service.interpreting "
        "ssd.service.telling",
    ),
    "compute": ("nova-compute's manager, embedded", "ssd.compute"),
    "testing": ("fake processes, checks, fixtures", "ssd.testing"),
}
# These name their contents for type checkers only, and load them on use (PEP 562).
FACADES = {"ssd", "ssd.service", "ssd.service.lsb", "ssd.supervision", "ssd.testing", "ssd.upstart"}

Graph = dict[str, set[str]]


def modules(package: Path = PACKAGE) -> dict[str, Path]:
    """Return the file of each module of the package, by its dotted name."""
    found = {}
    for file in sorted(package.rglob("*.py")):
        parts = [package.name, *file.relative_to(package).with_suffix("").parts]
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file
    return found


def imports(package: Path = PACKAGE) -> tuple[Graph, Graph]:
    """Return which modules import which at run time, in functions too, and for types alone."""
    files = modules(package)
    run: Graph = {name: set() for name in files}
    types: Graph = {name: set() for name in files}
    for name, file in files.items():
        tree = ast.parse(file.read_text())
        only_types = {node for block in _type_blocks(tree) for node in ast.walk(block)}
        for node in ast.walk(tree):
            graph = types if node in only_types else run
            graph[name] |= {target for target in _targets(node, files) if target != name}
    return run, {name: targets - run[name] for name, targets in types.items()}


def _type_blocks(tree: ast.Module) -> Iterator[ast.stmt]:
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            yield from node.body


def _targets(node: ast.AST, known: Iterable[str]) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names if alias.name in known)
    elif isinstance(node, ast.ImportFrom) and node.module in known:
        for alias in node.names:
            whole = f"{node.module}.{alias.name}"
            yield whole if whole in known else node.module


def circles(graph: Mapping[str, set[str]]) -> list[list[str]]:
    """Return a way back to itself for each node that has one, the shortest first."""
    found = (_way(graph, node) for node in graph)
    return sorted((way for way in found if way), key=len)


def _way(graph: Mapping[str, set[str]], goal: str) -> list[str]:
    ways = [[target] for target in sorted(graph[goal])]
    seen = set(graph[goal])
    for way in ways:
        if way[-1] == goal:
            return [goal, *way]
        for target in sorted(graph[way[-1]] - seen):
            seen.add(target)
            ways.append([*way, target])
    return []


def room_of(module: str) -> str:
    """Return the room that a module is in."""
    names = [(name, room) for room, (_, members) in ROOMS.items() for name in members.split()]
    within = [(name, room) for name, room in names if f"{module}.".startswith(f"{name}.")]
    return max(within, key=lambda pair: len(pair[0]))[1]


def between_rooms(graph: Mapping[str, set[str]]) -> Graph:
    """Return which room imports which others."""
    found: Graph = {room: set() for room in ROOMS}
    for module, targets in graph.items():
        found[room_of(module)] |= {room_of(target) for target in targets} - {room_of(module)}
    return found


def _without_detours(graph: Graph) -> Graph:
    """Leave out each arrow whose end can be reached by others."""
    reach: Graph = {}
    for room in ROOMS:  # a room imports those above it in the table
        reach[room] = set(graph[room]).union(*(reach[target] for target in graph[room]))
    return {
        room: targets - set[str]().union(*(reach[target] for target in targets))
        for room, targets in graph.items()
    }


WIDTH, HEIGHT, ACROSS, DOWN = 236, 46, 254, 92  # of a box, and from one box to the next


def picture(graph: Graph) -> str:
    """Draw the rooms as SVG: each is above all that it imports."""
    floors: dict[str, int] = {}
    for room in ROOMS:
        floors[room] = 1 + max((floors[target] for target in graph[room]), default=-1)
    rows = [[room for room in ROOMS if floors[room] == floor] for floor in set(floors.values())]
    width = max(map(len, rows)) * ACROSS
    places = {}
    for floor, row in enumerate(rows):
        for column, room in enumerate(row):
            left = (width - len(row) * ACROSS) // 2 + column * ACROSS + (ACROSS - WIDTH) // 2
            places[room] = (left, (len(rows) - 1 - floor) * DOWN + 10)
    arrows = [
        f'<path d="M{places[room][0] + WIDTH // 2} {places[room][1] + HEIGHT} '
        f'L{places[target][0] + WIDTH // 2} {places[target][1]}" stroke="#8a8f98"/>'
        for room, targets in _without_detours(graph).items()
        for target in sorted(targets)
    ]
    boxes = [_box(room, *place) for room, place in places.items()]
    size = f'width="{width}" height="{len(rows) * DOWN - 26}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif">'
    return "\n".join([head, *arrows, *boxes, "</svg>", ""])


def _box(room: str, left: int, top: int) -> str:
    middle = left + WIDTH // 2
    return (
        f'<rect x="{left}" y="{top}" width="{WIDTH}" height="{HEIGHT}" rx="4" '
        'fill="#eef3ee" stroke="#3a7d44"/>'
        f'<text x="{middle}" y="{top + 20}" text-anchor="middle" font-size="14">{room}</text>'
        f'<text x="{middle}" y="{top + 37}" text-anchor="middle" font-size="11" fill="#555">'
        f"{escape(ROOMS[room][0])}</text>"
    )


if __name__ == "__main__":
    print(picture(between_rooms(imports()[0])), end="")
