"""Capabilities and securebits as texts; libcap's own tool agrees."""

import shutil
import subprocess

import pytest

from ssd.surroundings import capabilities

CHOWN, KILL, BIND = 1, 1 << 5, 1 << 10
# text -> inheritable, ambient and blocked ones, and the text that libcap prints for it
IAB = {
    "": (0, 0, 0, ""),
    "cap_chown": (CHOWN, 0, 0, "cap_chown"),
    "%cap_chown,^CAP_KILL": (CHOWN | KILL, KILL, 0, "cap_chown,^cap_kill"),
    "^cap_net_bind_service,!cap_kill": (BIND, BIND, KILL, "!cap_kill,^cap_net_bind_service"),
    "!%cap_chown,^^cap_kill": (CHOWN | KILL, KILL, CHOWN, "!%cap_chown,^cap_kill"),
    "!^cap_kill": (KILL, KILL, KILL, "!^cap_kill"),
}
SECUREBITS = {
    "": 0,
    "noroot noroot-locked": 3,
    "no_setuid_fixup,keep-caps": 0x14,
    "no-cap-ambient-raise-locked": 0x80,
    "0x2f": 0x2F,
    "5": 5,
}


@pytest.mark.parametrize("text", IAB)
def test_texts_are_those_of_libcap(text: str) -> None:
    """What is ambient is inheritable, too, and the text comes back in libcap's form."""
    found = capabilities.inheritance(text)
    assert IAB[text] == (found.inheritable, found.ambient, found.blocked, found.text())
    assert found.text() == capabilities.inheritance(found.text()).text()


def test_names_may_lack_their_beginning() -> None:
    """setpriv(1) writes them so."""
    assert "^cap_bpf,^cap_checkpoint_restore" == (
        capabilities.inheritance("^bpf, ^checkpoint_restore").text()
    )
    assert ["cap_chown", "cap_kill"] == capabilities.names(CHOWN | KILL)


def test_libcap_has_the_same_names_and_bits() -> None:
    """Each bit has the name that capsh(1) gives it."""
    capsh = shutil.which("capsh") or shutil.which("capsh", path="/usr/sbin:/sbin")
    if capsh is None:
        pytest.skip("capsh(1) is missing: apt-get install libcap2-bin")
    everything = (1 << len(capabilities.CAPABILITIES)) - 1
    done = subprocess.run([capsh, f"--decode={everything:x}"], capture_output=True, text=True)
    assert capabilities.names(everything) == done.stdout.strip().partition("=")[2].split(",")


@pytest.mark.parametrize("text", ["cap_nothing", "^", "cap_chown,,cap_kill", "cap_chown cap_kill"])
def test_unknown_capability_is_refused_with_its_name(text: str) -> None:
    """With the page that has the names."""
    with pytest.raises(ValueError, match="no capability is named"):
        capabilities.inheritance(text)


def test_securebits_are_names_or_a_number() -> None:
    """systemd's names, setpriv's, or the number that OpenRC takes."""
    assert SECUREBITS == {text: capabilities.securebits(text) for text in SECUREBITS}
    assert ["noroot", "noroot-locked"] == capabilities.securebit_names(3)


@pytest.mark.parametrize("text", ["root", "256", "0xz", "1_0", "noroot 1"])
def test_other_securebits_are_refused(text: str) -> None:
    """A number has no more bits than the kernel."""
    with pytest.raises(ValueError, match="must be"):
        capabilities.securebits(text)
