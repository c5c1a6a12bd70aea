"""What the steps of gpu_check.py have brought back, in one file.

    python benchmarks/gpu_check_report.py FOLDER WHEELS [--name gpu_check_dry_run]

FOLDER holds what each step has written, in tests/, bench/ and train/; WHEELS what
'wheels' has packed. Writes benchmarks/results/NAME.json, and prints a table.
"""

import argparse
import json
import xml.etree.ElementTree as ElementTree
from collections import Counter
from pathlib import Path

import gpu_check
import timing

ENDS = "failure", "error", "skipped"  # passed is none of these


def count_tests(path: Path) -> dict[str, object]:
    """Tests of a JUnit file by how they ended; names of those that failed."""
    ends, failed, reasons = Counter(), [], Counter()
    for case in ElementTree.parse(path).iter("testcase"):
        ended = next((c for c in case if c.tag in ENDS), None)
        if ended is None:
            ends["passed"] += 1
        elif ended.tag == "skipped":
            ends["skipped"] += 1
            reasons[ended.get("message")] += 1
        else:
            ends["failed"] += 1
            failed.append(f"{case.get('classname')}.{case.get('name')}")
    return {**ends, "failures": failed, "reasons of skips": reasons}


def summarize(folder: Path) -> dict[str, object]:
    """Of one step: its commands, and what comes back."""
    step = json.loads((folder / "timeline.json").read_text())
    sizes = gpu_check.what_comes_back(folder)
    step["seconds"] = round(sum(c.get("seconds", 0) for c in step["commands"]))
    step["comes back, bytes"] = sizes
    step["MiB"] = round(sum(sizes.values()) / 2**20, 1)
    for path in sorted(folder.glob("*.xml")):
        step[path.stem] = count_tests(path)
    return step


def row(name: str, step: dict) -> str:
    """A row of the table in NOTES.md."""
    commands = [
        f"`{c['command']}` {c.get('seconds', 0):.0f} s"
        + ("" if c["ended"] in (0, 1) else " (stopped)")
        for c in step["commands"]
    ]
    back = f"{len(step['comes back, bytes'])} files, {step['MiB']} MiB"
    return f"| {name} | {', '.join(commands)} | {step['seconds']} s | {back} |"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("wheels", type=Path)
    parser.add_argument("--name", default="gpu_check_dry_run")
    args = parser.parse_args()
    steps = {name: summarize(args.folder / name) for name in gpu_check.STEPS}
    result = {"travels, MiB": gpu_check.what_travels(args.wheels), "steps": steps}
    timing.write(timing.RESULTS / f"{args.name}.json", result)
    print("| step | commands | time | comes back |\n| --- | --- | --- | --- |")
    for name, step in steps.items():
        print(row(name, step))


if __name__ == "__main__":
    main()
