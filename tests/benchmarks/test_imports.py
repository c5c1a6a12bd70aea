"""What is shipped and what is measured stand without the tests."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def imported(path):
    """The packages that a file imports, wherever it does."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.module.split(".")[0]


@pytest.mark.parametrize(
    "folder", ["benchmarks", "examples", "flowzoo", "kernels", "tools"]
)
def test_nothing_is_imported_from_tests(folder):
    paths = list((ROOT / folder).rglob("*.py"))
    assert paths
    for path in paths:
        assert not {"tests", "helpers", "conftest"} & set(imported(path)), path
