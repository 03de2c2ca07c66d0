"""What setup.cfg cannot express: links for the package index, and packages of fixed bytes."""

import os
import re
import shutil
import tarfile
from gzip import GzipFile
from pathlib import Path

from setuptools import setup
from setuptools.command.sdist import sdist

try:
    from setuptools.command.bdist_wheel import bdist_wheel
except ImportError:  # before setuptools 70.1; an sdist can be built without either
    try:
        from wheel.bdist_wheel import bdist_wheel
    except ImportError:
        bdist_wheel = object

# Where the project is published: the one place that knows. The name is reserved and leads nowhere
# (RFC 2606). Write the real address here, and take "Private :: Do Not Upload" out of setup.cfg.
SOURCE = "https://example.org/ssd"
FILES = f"{SOURCE}/blob/main/"  # what a file's path is appended to

# Without SOURCE_DATE_EPOCH all files have this time, the earliest that a wheel can store.
EPOCH = 315532800  # 1980-01-01
# For the wheel's writer, too, which takes an empty one for a number.
os.environ["SOURCE_DATE_EPOCH"] = os.environ.get("SOURCE_DATE_EPOCH") or str(EPOCH)


def description() -> str:
    """Return the README for the package index, which has no files beside it: links are absolute."""
    text = Path(__file__).with_name("README.md").read_text(encoding="utf-8")
    return re.sub(r"\]\((?![a-z]+:|#)", f"]({FILES}", text)


def plain_mode(mode: int) -> int:
    """Return the permissions of a file without those that a umask decides."""
    return 0o755 if mode & 0o100 else 0o644


class Archive(sdist):
    """An sdist that does not depend on the time, place and user of its build."""

    def make_release_tree(self, base_dir: str, files: list[str]) -> None:
        """Copy the files as they are: setuptools writes setup.cfg anew, without comments."""
        super().make_release_tree(base_dir, files)
        shutil.copyfile("setup.cfg", Path(base_dir, "setup.cfg"))

    def make_archive(self, base_name: str, format: str, **places: object) -> str:
        """Write the archive. Only gztar is known."""
        if format != "gztar":
            raise ValueError(f"{format}: an sdist is a gztar here")
        moment = int(os.environ["SOURCE_DATE_EPOCH"])

        def plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
            member.mtime = moment
            member.uid = member.gid = 0
            member.uname = member.gname = ""
            if not member.issym():
                member.mode = 0o755 if member.isdir() else plain_mode(member.mode)
            return member

        directory = Path(str(places.get("root_dir") or "."), str(places["base_dir"]))
        name = f"{base_name}.tar.gz"
        with (
            open(name, "wb") as file,
            GzipFile("", "wb", fileobj=file, mtime=moment) as packed,
            tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
        ):
            archive.add(directory, arcname=directory.name, filter=plain)  # sorted by name
        return name


class Wheel(bdist_wheel):
    """A wheel that does not depend on the umask, nor on what an earlier build has left."""

    def run(self) -> None:
        """Build from the sources alone: build/lib would add modules that are gone by now."""
        shutil.rmtree(self.get_finalized_command("build").build_lib, ignore_errors=True)
        super().run()

    def write_wheelfile(self, *arguments: object, **options: object) -> None:
        """Write the last file before the archive is made, and give all of them plain modes."""
        super().write_wheelfile(*arguments, **options)
        for file in Path(self.bdist_dir).rglob("*"):
            if file.is_file():
                file.chmod(plain_mode(file.stat().st_mode))


setup(
    long_description=description(),
    long_description_content_type="text/markdown",
    project_urls={
        "Homepage": SOURCE,
        "Documentation": f"{FILES}docs/index.md",
        "Source": SOURCE,
        "Changelog": f"{FILES}CHANGELOG.md",
        "Issues": f"{SOURCE}/issues",
    },
    cmdclass={"sdist": Archive, **({"bdist_wheel": Wheel} if bdist_wheel is not object else {})},
)
