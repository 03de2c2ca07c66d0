"""The table of fields, and the types that checkers see."""

import ast

from conftest import CHECKOUT

from ssd.service.fields import NAMES, TABLES


def test_types_name_the_fields_and_entries_of_the_tables() -> None:
    """``ssd.service.types`` names every field, and every entry of a table, in the same order."""
    tree = ast.parse((CHECKOUT / "ssd/service/types.py").read_text())
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    named = {
        each.name: [node.target.id for node in each.body if isinstance(node, ast.AnnAssign)]
        for each in classes
    }
    tables = {name.title(): list(entries) for name, entries in TABLES.items()}
    tables["Fields"] = list(NAMES)
    assert tables == named
