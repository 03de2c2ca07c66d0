"""The user and the groups of a job's processes."""

from pathlib import Path

import pytest

from ssd.upstart.processes import identities
from ssd.upstart.processes.identities import Files, Machine, Unknown, find

PASSWD = "root:x:0:0:root:/root:/bin/sh\nnova:x:990:990::/var/lib/nova:/bin/false\nodd\n"
GROUP = "root:x:0:\nadm:x:4:syslog,nova\nnova:x:990:\nnovasup:x:991:nova\nempty\n"
ROOT, USER = (0, 0), (1000, 1000)


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Files:
    """Return accounts of files of their own."""
    for name, text in (("passwd", PASSWD), ("group", GROUP)):
        (tmp_path / name).write_text(text)
        monkeypatch.setattr(identities, name.upper(), str(tmp_path / name))
    return Files()


@pytest.mark.parametrize(
    "setuid, setgid, own, strict, expected",
    [
        (None, None, ROOT, False, (None, None, [0])),
        ("nova", None, ROOT, False, (990, 990, [990, 4, 991])),
        ("nova", None, ROOT, True, (990, 990, [0, 4, 991])),
        ("nova", "root", ROOT, False, (990, 0, [0, 4, 991])),
        (None, "nova", ROOT, False, (None, 990, [990])),
        (None, "nova", ROOT, True, (None, 990, [990])),
        (None, None, USER, False, (None, None, None)),
        ("nova", None, USER, False, (990, 990, None)),
    ],
)
def test_identity_is_that_of_the_stanzas(
    files: Files, setuid: str, setgid: str, own: "tuple[int, int]", strict: bool, expected: object
) -> None:
    """With setuid alone the groups are the user's; Upstart adds group 0 instead of its own."""
    found = find(files, setuid, setgid, own, strict)
    assert expected == (found.uid, found.gid, found.groups)


@pytest.mark.parametrize(
    "setuid, setgid, step",
    [("990", None, "user"), ("nobody", None, "user"), (None, "none", "group")],
)
def test_unknown_name_is_named(files: Files, setuid: str, setgid: str, step: str) -> None:
    """A number is no name."""
    with pytest.raises(Unknown) as caught:
        find(files, setuid, setgid, ROOT)
    assert (step, "") == (caught.value.step, caught.value.reason)


@pytest.mark.parametrize(
    "missing, step", [("passwd", "own user"), ("group", "own group")]
)  # fmt: skip
def test_root_without_databases_starts_nothing(
    files: Files, tmp_path: Path, missing: str, step: str
) -> None:
    """A new root needs both; the kernel's reason says which is missing."""
    (tmp_path / missing).unlink()
    with pytest.raises(Unknown) as caught:
        find(files, None, None, ROOT)
    assert (step, "No such file or directory") == (caught.value.step, caught.value.reason)


@pytest.mark.parametrize(
    "setuid, setgid, missing, step",
    [("none", None, "passwd", "named user"), (None, "none", "group", "named group")],
)
def test_name_without_a_database_is_not_unknown(
    files: Files, tmp_path: Path, setuid: str, setgid: str, missing: str, step: str
) -> None:
    """Nobody can tell."""
    (tmp_path / missing).unlink()
    with pytest.raises(Unknown) as caught:
        find(files, setuid, setgid, ROOT)
    assert (step, "No such file or directory") == (caught.value.step, caught.value.reason)


class Absent(Machine):
    """Accounts that a network has, which does not answer."""

    def name_of(self, uid: int) -> "str | None":
        """Wait for ever."""
        raise TimeoutError

    groups_of = has_group = name_of  # type: ignore[assignment]


def test_jobs_of_root_wait_for_no_network(files: Files) -> None:
    """Root is in the files of the machine; where it is not, its account is looked for."""
    found = find(Absent(), None, None, ROOT)
    assert [0] == found.groups
    with pytest.raises(TimeoutError):
        find(Absent(), None, None, (0, 4242))


def test_number_without_an_account_is_told(files: Files, tmp_path: Path) -> None:
    """The file is there, and has no entry for it."""
    (tmp_path / "passwd").write_text("nova:x:990:990:::\n")
    with pytest.raises(Unknown) as caught:
        find(files, None, None, ROOT)
    assert f"not in {tmp_path}/passwd" == caught.value.reason


def test_machine_and_its_files_say_the_same() -> None:
    """Of root, whom every machine has."""
    said = [
        (each.user("root"), each.name_of(0), each.group("root"), each.has_group(0))
        for each in (Machine(), Files())
    ]
    assert said[0] == said[1] == ((0, 0), "root", 0, True)


def test_machine_knows_nobody_of_a_strange_name() -> None:
    """The four questions have an answer for that."""
    machine, name, number = Machine(), "no such name", 2**31 - 7
    nobody = (machine.user(name), machine.name_of(number), machine.group(name))
    assert ((None, None, None), False) == (nobody, machine.has_group(number))


def test_machines_groups_begin_with_the_given_one() -> None:
    """As getgrouplist(3) has them."""
    assert 4242 == Machine().groups_of("root", 4242)[0]
