"""Addresses of ports and sockets: their text, and whether something answers."""

import socket
from pathlib import Path

import pytest

from ssd.service import Service
from ssd.service.addresses import AddressError, answers, parse
from ssd.service.errors import DeclarationError


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("8080", (socket.AF_INET, ("127.0.0.1", 8080))),
        ("localhost:1", (socket.AF_INET, ("127.0.0.1", 1))),
        ("10.0.0.1:65535", (socket.AF_INET, ("10.0.0.1", 65535))),
        ("[::1]:80", (socket.AF_INET6, ("::1", 80))),
        ("/run/x.sock", (socket.AF_UNIX, b"/run/x.sock")),
        ("@x", (socket.AF_UNIX, b"\0x")),
    ],
)
def test_address_has_a_family(text: str, address: object) -> None:
    """A port alone is one of this machine; a path, or a name after @, is a Unix socket."""
    assert address == parse(text)


@pytest.mark.parametrize(
    "text",
    ["", "0", "65536", "http", "::1:80", "[127.0.0.1]:80", "example.org:80", "1.2.3:80", "[::1]",
     ":80", "٣", "run/x.sock", "/" + 107 * "x"],
)  # fmt: skip
def test_address_of_another_form_is_rejected(text: str) -> None:
    """Names of hosts too: a resolver may take longer than any timeout."""
    with pytest.raises(AddressError):
        parse(text)


def test_error_of_an_address_names_its_entry() -> None:
    """The key is that of the table, and the words show the forms."""
    with pytest.raises(DeclarationError, match=r"health\.address: .*\[::1\]:8080.* 'http'"):
        Service(name="x", health={"kind": "port", "address": "http"})
    with pytest.raises(DeclarationError, match=r"did you mean health\.address"):
        Service(name="x", health={"kind": "port", "adress": "80"})


def test_port_answers_while_it_listens() -> None:
    """Not before, and not after."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        text = str(bound.getsockname()[1])
        assert not answers(text, 5)
        bound.listen()
        assert answers(text, 5)
    assert not answers(text, 5)


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_SEQPACKET])
def test_socket_answers_while_it_listens(kind: int, tmp_path: Path) -> None:
    """Whatever its type is: one without connections is there once it is bound."""
    path = str(tmp_path / "x.sock")
    assert not answers(path, 5)
    with socket.socket(socket.AF_UNIX, kind) as bound:
        bound.bind(path)
        if kind != socket.SOCK_DGRAM:
            bound.listen()
        assert answers(path, 5)
    assert not answers(path, 5)
