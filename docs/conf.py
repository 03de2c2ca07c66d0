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

extensions = ["myst_parser", "sphinx.ext.autodoc"]
myst_enable_extensions = ["deflist", "fieldlist"]
myst_heading_anchors = 3
source_suffix = {".md": "markdown"}
root_doc = "index"
# Dashes stay dashes: "--exec" is an option, and nobody can type an en dash and "exec".
smartquotes = False
exclude_patterns = ["_build"]
nitpicky = False

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_default_options = {"members": True, "undoc-members": False}

html_theme = "furo"
html_title = f"ssd {release}"
html_static_path: list[str] = []
html_show_copyright = False
html_show_sphinx = False
html_copy_source = False

man_pages = [
    ("reference/command", "ssd", "start and stop daemons", author, 8),
    ("reference/service", "ssd-service", "start, stop and ask after declared services", author, 8),
]

_ENTRY = re.compile(r"[a-z_][\w, ]*: ")


def _list_entries(app, what, name, obj, options, lines: list[str]) -> None:
    """Make lists of a docstring's ``name: meaning`` paragraphs; the sources need no markup."""
    paragraphs = "\n".join(lines).split("\n\n")
    lines[:] = "\n\n".join(
        _as_list(paragraph) if _ENTRY.match(paragraph) else paragraph for paragraph in paragraphs
    ).split("\n")


def _as_list(paragraph: str) -> str:
    """Write ``name: meaning`` lines as a definition list; the lines between continue one."""
    items = []
    for line in paragraph.split("\n"):
        if _ENTRY.match(line):
            name, _, line = line.partition(": ")
            items.append(f"``{name}``")
        items.append(f"    {line.strip()}")
    return "\n".join(items)


def _skip_slots(app, what, name, obj, skip, options) -> bool | None:
    """Leave out bare ``__slots__``: the class's docstring has told of them."""
    # Sphinx hands over a mark of its own in their place, named differently over the years.
    return True if repr(obj).strip("<>").startswith("SLOTS") else None


def setup(app) -> None:
    """Connect to Sphinx."""
    app.connect("autodoc-process-docstring", _list_entries)
    app.connect("autodoc-skip-member", _skip_slots)
