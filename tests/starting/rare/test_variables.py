"""The variables of a login, and those that are added."""

import os
import pwd

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssd import Command
from ssd.accounts import Account
from ssd.errors import StartFailed, UnknownUser
from ssd.starting.rare import variables


def entry(home: str = "/", shell: str = "/bin/zsh", name: str = "web") -> pwd.struct_passwd:
    """Return an account as getpwnam(3) does."""
    return pwd.struct_passwd((name, "x", 500, 500, "", home, shell))


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (entry(), {b"HOME": b"/", b"SHELL": b"/bin/zsh"}),
        (entry(home="/no/such directory"), {b"HOME": b"/"}),
        (entry(home="/dev/null"), {b"HOME": b"/"}),
        (entry(home="/usr", shell=""), {b"HOME": b"/usr", b"SHELL": b"/bin/sh"}),
    ],
)
def test_login_is_that_of_the_account(
    found: pwd.struct_passwd, expected: dict[bytes, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A home that is missing is "/", a shell that is missing /bin/sh; PATH is not touched."""
    other = entry("/other", "/other", "shares the id")
    monkeypatch.setattr(pwd, "getpwuid", lambda uid: other)
    monkeypatch.setattr(pwd, "getpwnam", lambda name: found)
    account = Account("web", None)
    made = variables.login(account)
    assert expected.items() <= made.items()
    assert (b"web", b"web") == (made[b"USER"], made[b"LOGNAME"])
    assert {b"HOME", b"USER", b"LOGNAME", b"SHELL"} == made.keys()


def test_login_without_a_user_is_the_callers() -> None:
    """init(8) starts scripts without these variables."""
    own = os.fsencode(pwd.getpwuid(os.geteuid()).pw_name)
    assert own == variables.login(Account(None, None))[b"USER"]


def test_login_of_an_unknown_user_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also if the caller itself has no account."""
    monkeypatch.setattr(os, "geteuid", lambda: 123_456_789)
    with pytest.raises(UnknownUser, match="123456789"):
        variables.login(Account(None, None))

    def fail(path: str) -> None:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(variables, "demand_readable", fail)
    with pytest.raises(PermissionError):  # whether it is unknown is not known then
        variables.login(Account(None, None))


NAMES = st.sampled_from([b"HOME", b"USER", b"A", b"NOTIFY_SOCKET"])
SOME = st.dictionaries(NAMES, st.sampled_from([b"", b"1", b"2"]))


@given(base=SOME, added=SOME, last=SOME, login=st.booleans())
def test_later_variables_win(
    base: dict[bytes, bytes], added: dict[bytes, bytes], last: dict[bytes, bytes], login: bool
) -> None:
    """The environment, the login, what is added, and what the start itself needs but HOME."""
    found = dict(base)
    account = Account(None, None)
    variables.settle(Command(["/x"], variables=added, login=login), account, found, last)
    own = {name: text for name, text in last.items() if name != b"HOME"}
    of_login = variables.login(account) if login else {}
    assert {**base, **of_login, **added, **own} == found


def test_variables_that_are_settled_are_not_set_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The start of a supervisor needs no more steps then; a failure names its stage."""
    command = Command(["/x"], variables={"A": "1"}, login=True)
    found: dict[bytes, bytes] = {}
    variables.settle_now(command, found)
    assert (b"1", {}) == (found[b"A"], vars(command))

    def fail(account: Account) -> dict[bytes, bytes]:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(variables, "login", fail)
    with pytest.raises(StartFailed) as caught:
        variables.settle_now(Command(["/x"], login=True), {})
    assert "login" == caught.value.stage
