"""Test checkpoints of the zoo, and compare with the numbers in its table.

usage: python tools/zoo/evaluate.py NAME [NAME ...] | --all [--work-dir DIR]

Exits with 1 where a number differs from the metafile's.
"""

# ruff: noqa: E402
import argparse
import runpy
from pathlib import Path

# Before torch is loaded.
runpy.run_path(str(Path(__file__).parents[1] / "mmaction_tool.py"))["wait_passively"]()

from flowzoo.config_lookup import find_config
from flowzoo.interrupts import run_tool
from flowzoo.zoo import find, models
from flowzoo.zoo.evaluate import evaluate
from flowzoo.zoo.index import find_checkpoint
from flowzoo.zoo.protocol import exit_on_other_split


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--all", action="store_true", help="every trained model")
    parser.add_argument("--work-dir", type=Path, default=Path("work_dirs/zoo"))
    args = parser.parse_args()
    exit_on_other_split()
    trained = [m.name for m in models().values() if m.checkpoint]
    names = trained if args.all else args.names
    if not names:
        parser.error(f"name a model or give --all; trained are: {', '.join(trained)}")

    try:
        for name in names:
            find_checkpoint(name)
    except LookupError as error:
        parser.error(error.args[0])

    lines = []
    for number, name in enumerate(names, 1):
        print(f"{number} of {len(names)}: {name}", flush=True)
        model = find(name)
        metric, published = model.result["metric"], model.result["value"]
        metrics = evaluate(
            find_config(model.config), f"flowzoo://{name}", args.work_dir / name
        )
        verdict = "as published" if metrics[metric] == published else "DIFFERS"
        lines.append(f"{name}: {metric} {metrics[metric]}, {published} {verdict}")
    print("\n".join(lines))
    if any(line.endswith("DIFFERS") for line in lines):
        raise SystemExit(1)


if __name__ == "__main__":
    run_tool(main)
