"""Clean Debians for all tests in here, and the packages that scripts/packages builds for them."""

from collections.abc import Callable, Iterator

import pytest
from kit import packages, roots
from kit.packages import Debian


@pytest.fixture(scope="session")
def debians(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Debian]:
    """Return a function that returns a release's layers, made when it is first asked for."""
    made: dict[str, Debian] = {}

    def debian(release: str) -> Debian:
        if release not in made:
            built = packages.built(release, tmp_path_factory.mktemp("built"))
            made[release] = Debian(release, tmp_path_factory.mktemp(f"debian{release}"), built)
        return made[release]

    return debian


@pytest.fixture(scope="session", params=roots.RELEASES)
def debian(request: pytest.FixtureRequest, debians: Callable[[str], Debian]) -> Debian:
    """Return each release, one after the other."""
    return debians(request.param)


@pytest.fixture
def bare(debian: Debian) -> Iterator[roots.Root]:
    """Yield a clean Debian."""
    with roots.fresh(debian.bare, debian.shared) as root:
        yield root


@pytest.fixture
def needs(debian: Debian) -> Iterator[roots.Root]:
    """Yield a Debian with what our packages depend on."""
    with roots.fresh(debian.needs(), debian.shared) as root:
        yield root


@pytest.fixture
def ours(debian: Debian) -> Iterator[roots.Root]:
    """Yield a Debian with our packages."""
    with roots.fresh(debian.ours(), debian.shared) as root:
        yield root
