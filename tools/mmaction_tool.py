"""Run one of mmaction2's tools with FlowZoo imported first.

usage: python tools/mmaction_tool.py NAME [arguments of the tool]
for example: python tools/mmaction_tool.py analysis_tools/get_flops.py CONFIG

The work is mmaction2's, so that options and behavior are the same. Importing flowzoo
before the configuration is read lets ``_base_`` name configs as ``flowzoo::NAME.py``,
and makes tools work that import mmaction2's models at their top.
"""

import os
import runpy
import sys
from pathlib import Path


def wait_passively() -> None:
    """Let torch's threads sleep while they wait for each other, on a CPU.

    They spin otherwise, and beside other busy processes the spinning ones keep from
    the cores the one that all wait for. Has no effect once torch is loaded, and leaves
    alone what the user has set.
    """
    if any(v in os.environ for v in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")):
        return
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1")
    devices = Path("/dev")
    has_gpu = any(devices.glob("nvidia[0-9]*")) or (devices / "kfd").exists()
    if hidden or not has_gpu:
        os.environ["OMP_WAIT_POLICY"] = "PASSIVE"


def run_mmaction_tool(name: str, advice: str = "") -> None:
    """Run ``tools/NAME`` of the installed mmaction2 as the main program.

    ``advice`` says how to continue after Ctrl-C.
    """
    wait_passively()
    import mmaction

    from flowzoo.interrupts import run_tool

    tools = Path(mmaction.__file__).parent / ".mim" / "tools"
    if not tools.is_dir():
        raise SystemExit(
            f"{tools} is missing because mmaction2 was not installed from its wheel: "
            "pip install -c constraints.txt --force-reinstall --no-deps mmaction2"
        )
    path = tools / name
    if not path.is_file():
        known = sorted(str(p.relative_to(tools)) for p in tools.rglob("*.py"))
        raise SystemExit(f"mmaction2 has no tool {name}; it has {', '.join(known)}")
    run_tool(lambda: runpy.run_path(str(path), run_name="__main__"), advice)


if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] in ("-h", "--help"):
        raise SystemExit(__doc__)
    del sys.argv[0]
    run_mmaction_tool(sys.argv[0])
