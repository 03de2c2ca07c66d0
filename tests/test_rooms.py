"""The rooms of the package: imports go one way, and the picture of them is true."""

from pathlib import Path

import pytest
from conftest import CHECKOUT
from kit import rooms

RUN, TYPES = rooms.imports()
PICTURE = CHECKOUT / "docs" / "explanation" / "rooms.svg"


def test_modules_import_each_other_in_no_circle() -> None:
    """Imports inside functions count: no module needs itself, by whatever way."""
    assert [] == [" -> ".join(way) for way in rooms.circles(RUN)]


def upward(graph: rooms.Graph) -> list[str]:
    """Return the imports of a room that stands below the importer's in the table."""
    order = list(rooms.ROOMS)
    return [
        f"{module} -> {target}"
        for module, targets in graph.items()
        for target in sorted(targets)
        if order.index(rooms.room_of(module)) < order.index(rooms.room_of(target))
    ]


def test_rooms_import_downward_only() -> None:
    """A room imports those above it in the table of rooms, which are below it in the picture."""
    assert [] == upward(RUN)


def test_types_lead_out_of_no_room_upward() -> None:
    """What only a type checker reads goes the same way, but for the tables of public names."""
    assert [] == upward({name: TYPES[name] for name in set(TYPES) - rooms.FACADES})


def test_picture_of_the_rooms_is_up_to_date() -> None:
    """docs/explanation/rooms.svg shows the imports of today."""
    drawn = rooms.picture(rooms.between_rooms(RUN))
    assert drawn == PICTURE.read_text(), f"python tests/kit/rooms.py > {PICTURE}"


@pytest.mark.parametrize("inside", [False, True])
def test_circle_is_found(tmp_path: Path, inside: bool) -> None:
    """The test above would see one, at the top of a module or inside a function."""
    package = tmp_path / "ssd"
    (package / "room").mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "a.py").write_text("from ssd.room import b\n")
    text = "from ssd import a\n"
    (package / "room" / "__init__.py").touch()
    (package / "room" / "b.py").write_text(f"def load():\n    {text}" if inside else text)
    run, _ = rooms.imports(package)
    assert ["ssd.a", "ssd.room.b", "ssd.a"] in rooms.circles(run)
