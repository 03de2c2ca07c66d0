"""How Sphinx builds these pages; ``scripts/test`` does it, with every warning an error."""

import re
from pathlib import Path

from ssd import __version__

_changelog = Path(__file__).parent.parent.joinpath("CHANGELOG.md").read_text(encoding="utf-8")
_released = re.search(rf"^## \[{re.escape(__version__)}\] - (\S+)$", _changelog, re.MULTILINE)

project = "ssd"
author = "the ssd developers"
version = release = __version__
# The day of the release and not of the build: the same sources give the same pages.
today = _released[1] if _released else ""

extensions = ["myst_parser"]
myst_enable_extensions = ["deflist", "fieldlist"]
myst_heading_anchors = 3
source_suffix = {".md": "markdown"}
root_doc = "index"
# Dashes stay dashes: "--exec" is an option, and nobody can type an en dash and "exec".
smartquotes = False
exclude_patterns = ["_build"]
nitpicky = False

html_theme = "furo"
html_title = f"ssd {release}"
html_static_path: list[str] = []
html_show_copyright = False
html_show_sphinx = False
html_copy_source = False

man_pages = [
    ("reference/command", "ssd", "start and stop daemons", author, 8),
    ("reference/service", "ssd-service", "start, stop and query declared services", author, 8),
    ("reference/supervise", "ssd-supervise", "keep declared services running", author, 8),
    ("reference/initctl", "ssd-initctl", "control Upstart jobs", author, 8),
]


def _navigation(app, docname: str, source: list[str]) -> None:
    """Give index.md its tables of contents: the pages that its sections link to.

    They stand here and not there, so that the page reads well in the repository, too.
    """
    if docname != root_doc:
        return
    front, *sections = re.split(r"^## ", source[0], flags=re.MULTILINE)
    parts = [("Tutorial", front), *((text.partition("\n")[0], text) for text in sections)]
    for caption, text in parts:
        pages = "\n".join(re.findall(r"\]\(([\w/-]+)\.md\)", text))
        source[0] += f"\n```{{toctree}}\n:hidden:\n:caption: {caption}\n\n{pages}\n```\n"


def setup(app) -> None:
    """Connect to Sphinx."""
    app.connect("source-read", _navigation)
