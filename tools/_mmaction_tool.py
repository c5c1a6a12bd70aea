"""Run one of mmaction2's tools with FlowZoo imported first.

The work is mmaction2's, so that options and behaviour are the same. Importing flowzoo
before the configuration is read lets ``_base_`` name configs as ``flowzoo::NAME.py``.
"""

import runpy
from pathlib import Path

import mmaction

import flowzoo  # noqa: F401


def run_mmaction_tool(name: str) -> None:
    """Run ``tools/NAME`` of the installed mmaction2 as the main program."""
    path = Path(mmaction.__file__).parent / ".mim" / "tools" / name
    if not path.exists():
        raise FileNotFoundError(
            f"{path} is missing: this mmaction2 was not installed from its wheel; "
            "run 'pip install -c constraints.txt --force-reinstall --no-deps mmaction2'"
        )
    runpy.run_path(str(path), run_name="__main__")
