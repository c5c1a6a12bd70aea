"""Running the tools of tools/analysis."""

import runpy
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@pytest.fixture
def tool(monkeypatch, capsys):
    """Run a tool in this process; returns its exit status and what it said."""

    def run(name, *args):
        path = str(ROOT / "tools/analysis" / name)
        monkeypatch.setattr(sys, "argv", [path, *map(str, args)])
        status = 0
        try:
            runpy.run_path(path, run_name="__main__")
        except SystemExit as end:
            status = end.code
        out, err = capsys.readouterr()
        return status, out + err

    return run
