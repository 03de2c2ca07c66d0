"""What setup.cfg cannot express: a description without dead links, and an sdist of fixed bytes."""

import gzip
import os
import re
import tarfile
from pathlib import Path

from setuptools import setup
from setuptools.command.sdist import sdist

# Without SOURCE_DATE_EPOCH all files have this time, the earliest that a wheel can store.
EPOCH = 315532800  # 1980-01-01


def description() -> str:
    """Return the README with names of files in place of links, for the package index."""
    text = Path(__file__).with_name("README.md").read_text(encoding="utf-8")
    return re.sub(r"\[([^]]+)\]\(([^):#]+)(?:#[^)]*)?\)", r"\1 (\2)", text)


class Reproducible(sdist):
    """An sdist that does not depend on the time, place and user of its build."""

    def make_archive(self, base_name: str, format: str, **places: object) -> str:
        """Write the archive. Only gztar is known."""
        if format != "gztar":
            raise ValueError(f"{format}: an sdist is a gztar here")
        moment = int(os.environ.get("SOURCE_DATE_EPOCH", EPOCH))

        def plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
            member.mtime = moment
            member.uid = member.gid = 0
            member.uname = member.gname = ""
            if not member.issym():
                member.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
            return member

        directory = Path(str(places.get("root_dir") or "."), str(places["base_dir"]))
        name = f"{base_name}.tar.gz"
        with (
            open(name, "wb") as file,
            gzip.GzipFile("", "wb", fileobj=file, mtime=moment) as packed,
            tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
        ):
            archive.add(directory, arcname=directory.name, filter=plain)  # sorted by name
        return name


setup(
    long_description=description(),
    long_description_content_type="text/markdown",
    cmdclass={"sdist": Reproducible},
)
