"""On what a process counts as the program that is asked for, decided from its facts alone."""

import os
from collections.abc import Iterable
from pathlib import Path

import pytest

from ssd.evidence import COMMAND_LINE, EXECUTABLE, KERNEL_NAME, SCRIPT, More, meets, more_of
from ssd.matching import Criteria, Match

FILES = {b"/bin/python3": (1, 1), b"/opt/our": (1, 2), b"/srv/food": (1, 3), b"/bin/less": (1, 4),
         b"/srv/link": (1, 3), b"/srv/food.jar": (1, 5), b"/bin/env": (1, 6), b"/bin/java": (1, 7),
         b"/bin/sh": (1, 8), b"/opt/bin/python3": (1, 2)}  # fmt: skip
FOOD, OUR, JAR = FILES[b"/srv/food"], FILES[b"/opt/our"], FILES[b"/srv/food.jar"]


class Stub:
    """A process with this command line; its executable is the file of its first word."""

    def __init__(self, line: str, exe: str | None = None, name: str = "comm") -> None:
        self.line = line.encode().split()
        self.exe = (self.line[0] if exe is None else exe.encode()) if exe != "" else None
        self.comm = name.encode()
        self.neighbour = True

    def runs(self, file: tuple[int, int]) -> bool:
        """Say whether it runs a file."""
        return FILES.get(self.path()) == file

    def path(self) -> bytes:
        """Return the executable."""
        if self.exe is None:
            raise PermissionError
        return self.exe

    def name(self) -> bytes:
        """Return the kernel's name."""
        return self.comm

    def words(self) -> list[bytes]:
        """Return the command line."""
        return self.line

    def files(self, word: bytes) -> Iterable[tuple[int, int]]:
        """Return the file of a word; relative ones are in /srv."""
        self.path()
        path = word if word.startswith(b"/") else b"/srv/" + word
        return [FILES[path]] if path in FILES else []

    def claimed(self, word: bytes) -> Iterable[tuple[int, int]]:
        """Return the file of an absolute path."""
        return [FILES[word]] if word in FILES else []

    def shebang(self, line: bytes) -> bytes:
        """Return the line."""
        return line

    def is_neighbour(self) -> bool:
        """Say whether it is in the namespace."""
        return self.neighbour


def evidence(criteria: Criteria, facts: Stub, line: bytes = b"") -> list[str]:
    """Return the kinds of evidence for which the criteria hold: one or none."""
    kinds = []
    for only in (EXECUTABLE, SCRIPT, COMMAND_LINE, KERNEL_NAME):
        criteria.more = More(True, False, line, only)
        kinds += [only] if meets(criteria, facts) else []
    criteria.more = More(True, False, line)
    assert bool(kinds) == meets(criteria, facts)
    return kinds


# (file, command line, executable if it is another one, #! line) -> evidence
BY_FILE = {
    "the file itself": (FOOD, "x", "/srv/food", "", EXECUTABLE),
    "a script by its path": (FOOD, "/bin/python3 -u /srv/food", None, "", SCRIPT),
    "by a relative path": (FOOD, "/bin/python3 food", None, "", SCRIPT),
    "by a link": (FOOD, "/bin/python3 /srv/link", None, "", SCRIPT),
    "a jar": (JAR, "/bin/java -jar food.jar", None, "", SCRIPT),
    "while it is still env": (FOOD, "/bin/env python3 /srv/food", None, "", SCRIPT),
    "another file": (OUR, "/bin/python3 /srv/food", None, "", None),
    "an argument of the script": (FOOD, "/bin/python3 /srv/other /srv/food", None, "", None),
    "a reader": (FOOD, "/bin/less /srv/food", None, "", None),
    "code": (FOOD, "/bin/python3 -c /srv/food", None, "", None),
    "a module": (FOOD, "/bin/python3 -m food", None, "", None),
    "an unknown interpreter": (FOOD, "/opt/our -x food", None, "", None),
    "the one of #!": (FOOD, "/opt/our -x food", None, "#!/opt/our -x", SCRIPT),
    "another one of #!": (FOOD, "/bin/less food", None, "#!/opt/our", None),
    "the one that env finds": (FOOD, "our food", "/opt/our", "#!/bin/env our", SCRIPT),
    "a renamed one that env finds": (FOOD, "python3 -W error food", "/opt/our",
                                     "#!/bin/env python3", SCRIPT),
    "a renamed one of #!": (FOOD, "/opt/bin/python3 -W error food", "/opt/our",
                            "#!/opt/bin/python3", SCRIPT),
    "by another name": (FOOD, "our food", "/opt/our-1.2", "#!/bin/env our", SCRIPT),
    "env finds another": (FOOD, "/bin/less food", None, "#!/bin/env our", None),
    "env finds none": (FOOD, "/bin/less food", None, "#!/bin/env", None),
    "unreadable, native": (FOOD, "/srv/food -x", "", "", COMMAND_LINE),
    "unreadable, a script": (FOOD, "/bin/python3 -u /srv/food", "", "", COMMAND_LINE),
    "unreadable, a login shell": (FOOD, "-sh /srv/food", "", "", COMMAND_LINE),
    "unreadable, that of #!": (FOOD, "/opt/our /srv/food", "", "#!/opt/our", COMMAND_LINE),
    "unreadable, that of env": (FOOD, "our /srv/food", "", "#!/bin/env our", COMMAND_LINE),
}  # fmt: skip


@pytest.mark.parametrize("case", BY_FILE)
def test_file_is_found_by_one_kind_of_evidence(case: str) -> None:
    """The executable, the script of a known interpreter or that of #!, or the command line."""
    file, line, exe, shebang, expected = BY_FILE[case]
    found = evidence(Criteria(file=file), Stub(line, exe), shebang.encode())
    assert ([] if expected is None else [expected]) == found


@pytest.mark.parametrize(
    "line",
    ["/bin/less /srv/food", "/bin/python3 food", "/bin/python3 -m /srv/food", "x", ""],
)
def test_unreadable_process_that_names_no_file_stays_unreadable(line: str) -> None:
    """Its command line proves nothing: it must not count as another program."""
    with pytest.raises(PermissionError):
        meets(Criteria(file=FOOD, more=More(True)), Stub(line, ""))


BY_NAME = {
    "the kernel's name": ("comm", "/bin/python3 /srv/food", None, KERNEL_NAME),
    "the first word": ("a-very-long-daemons-name", "/srv/a-very-long-daemons-name", None,
                       COMMAND_LINE),
    "the script": ("food", "/bin/python3 -u ../srv/food", None, COMMAND_LINE),
    "the module": ("food.main", "/bin/python3 -m food.main", None, COMMAND_LINE),
    "the class": ("org.Food", "/bin/java -cp x org.Food", None, COMMAND_LINE),
    "the jar": ("food.jar", "/bin/java -jar /srv/food.jar", None, COMMAND_LINE),
    "a script, unreadable": ("food", "python3 /srv/food", "", COMMAND_LINE),
    "a script of a login shell, unreadable": ("food", "-sh /srv/food", "", COMMAND_LINE),
    "a reader's argument": ("food", "/bin/less /srv/food", None, None),
    "a reader's argument, unreadable": ("food", "/bin/less /srv/food", "", None),
    "no command line": ("food", "", "/bin/less", None),
    "only a part": ("foo", "/bin/python3 /srv/food", None, None),
}  # fmt: skip


@pytest.mark.parametrize("case", BY_NAME)
def test_name_is_the_kernels_or_the_programs_own(case: str) -> None:
    """Of any length; a class and a module in full."""
    name, line, exe, expected = BY_NAME[case]
    found = evidence(Criteria(name=name.encode()), Stub(line, exe))
    assert ([] if expected is None else [expected]) == found


def test_file_and_name_must_both_hold() -> None:
    """The evidence is that for the file."""
    facts = Stub("/bin/python3 /srv/food")
    assert [SCRIPT] == evidence(Criteria(file=FOOD, name=b"food"), facts)
    assert [] == evidence(Criteria(file=FOOD, name=b"other"), facts)
    assert [] == evidence(Criteria(file=OUR, name=b"food"), facts)


def test_program_that_executes_another_meanwhile_is_no_script() -> None:
    """It was an interpreter, and its command line is that of a reader already."""
    facts = Stub("/bin/less /srv/food")
    seen = [b"/bin/python3", b"/bin/python3", b"/bin/less"]
    facts.path = lambda: seen.pop(0) if len(seen) > 1 else seen[0]  # type: ignore[method-assign]
    assert not meets(Criteria(file=FOOD, more=More(True)), facts)


@pytest.mark.parametrize("interpreted", [True, False])
def test_namespace_is_asked_of_what_holds_otherwise(interpreted: bool) -> None:
    """File and name keep their meaning; a container's process does not hold."""
    facts = Stub("/srv/food", name="food")
    more = More(interpreted, same_namespace=True)
    for criteria, expected in (
        (Criteria(name=b"food", more=more), True),
        (Criteria(file=FOOD, name=b"food", more=more), True),
        (Criteria(file=FOOD, name=b"other", more=more), False),
        (Criteria(file=OUR, more=more), False),
    ):
        facts.neighbour = True
        assert expected == meets(criteria, facts)
        facts.neighbour = False
        assert not meets(criteria, facts)


def test_rare_part_has_the_beginning_of_a_script(tmp_path: Path) -> None:
    """256 bytes, as the kernel reads them; none of a directory, a pipe or a missing file."""
    script = tmp_path / "food"
    script.write_text("#!/opt/our\n" + "x" * 300)
    more = more_of(Match(exec=script, interpreted=True, same_namespace=True))
    assert (True, True, 256) == (more.interpreted, more.same_namespace, len(more.line))
    assert "More(interpreted=True, same_namespace=True)" == repr(more)
    os.mkfifo(tmp_path / "pipe")  # nobody will write into it
    for path in (tmp_path, tmp_path / "pipe", tmp_path / "none"):
        assert b"" == more_of(Match(exec=path, interpreted=True)).line
    assert b"" == more_of(Match(exec=script, same_namespace=True)).line
