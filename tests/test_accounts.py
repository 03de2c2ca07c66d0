"""Users and groups: which of them are known, and which changes a start needs."""

import pytest

from ssd.accounts import Account, changes
from ssd.errors import UnknownGroup, UnknownUser

ALL = ["group", "groups", "user", "user"]  # the last is the proof
# uid and gid of the account, uid and gid of the caller -> stages of the changes
CHANGES: dict[tuple[int | None, int | None, int | None, int | None], list[str]] = {
    (None, None, 0, 0): [],
    (None, 5, 0, 0): ["group"],
    (None, 5, 0, 5): [],
    (1000, 1000, 0, 0): ALL,
    (1000, 1000, None, None): ALL,
    (1000, 1000, 0, 1000): ["groups", "user", "user"],
    (1000, 1000, 1000, 5): ["group", "groups"],
    (1000, 1000, 1000, None): ["group", "groups"],
    (1000, 1000, 1000, 1000): [],
}


@pytest.mark.parametrize("case", CHANGES)
def test_changes_are_only_those_that_are_needed(case: tuple[int | None, ...]) -> None:
    """An id of None, which is not the same everywhere in the process, is always changed."""
    account = Account(None, None)
    account.uid, account.gid, uid, gid = case
    assert CHANGES[case] == [stage for stage, *_ in changes(account, uid, gid)]  # type: ignore[index]


@pytest.mark.parametrize("user", ["root", "0", 0])
def test_user_without_a_group_gets_that_of_the_account(user: str | int) -> None:
    """A number counts as a uid, in a text, too."""
    account = Account(user, None)
    assert (0, "root", 0, "") == (account.uid, account.user, account.gid, account.group_name)


@pytest.mark.parametrize("group", ["4321", 4321])
def test_group_number_need_not_be_known(group: str | int) -> None:
    """As by the original, only a name is looked up."""
    account = Account(None, group)
    assert (None, 4321, "4321") == (account.uid, account.gid, account.group_name)


@pytest.mark.parametrize("user", ["no-such-user", "4294967294", "9" * 30])
def test_unknown_user_is_an_error(user: str) -> None:
    """So is a number without an account."""
    with pytest.raises(UnknownUser) as caught:
        Account(user, None)
    assert user == caught.value.user


def test_unknown_group_is_an_error() -> None:
    """It carries the name."""
    with pytest.raises(UnknownGroup) as caught:
        Account(None, "no-such-group")
    assert "no-such-group" == caught.value.group
