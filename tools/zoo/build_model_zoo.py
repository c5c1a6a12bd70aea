"""Write model_zoo.md, README.md's table and model-index.yml from the metafiles.

usage: python tools/zoo/build_model_zoo.py [--check]

With --check nothing is written: it exits with 1 where a file differs from what would
be, a config, a checkpoint or its log is missing, or a checkpoint is not the one that
was published.
"""

import argparse
from itertools import groupby
from pathlib import Path

import yaml

from flowzoo.config_lookup import CONFIGS
from flowzoo.interrupts import run_tool
from flowzoo.zoo import Model, models
from flowzoo.zoo.download import REPOSITORY, sha256
from flowzoo.zoo.protocol import exit_on_other_split

ROOT = Path(__file__).resolve().parents[2]
START, END = "<!-- model zoo: start -->", "<!-- model zoo: end -->"

INTRODUCTION = """# Model zoo

Written by `python tools/zoo/build_model_zoo.py` from `configs/*/metafile.yml`; change
those, not this file. `configs/README.md` says how the configs are arranged.

*Protocol* is what the config tests: data, views as frames x height x width, metric.
*Training* is what it starts from, and how many steps, or epochs, of how many samples
follow; it is empty where a config joins networks of other configs for testing.
*Paper* is what the authors published, in which edition and table, and, where the config
is not that experiment, what differs. *Ours* is what was measured with the checkpoint
beside it in the row's protocol, by `python tools/zoo/evaluate.py NAME`; papers do not
always say what theirs was. GFLOPs are 10^9 multiply-adds of one view.
Where *paper* is empty, we know of no number of the authors' for this row: dataset and
protocol are our choice, the latter that of the paper's nearest experiment. Nobody has
trained the rows without a checkpoint to publish them; what was measured with small ones
of them is in `benchmarks/NOTES.md`.

![Top-1 accuracy in the papers against parameters](docs/images/zoo.png)

*The column "paper" against parameters (`python docs/images/make.py zoo`). Protocols
and pretraining differ within a dataset: the rows say how.*
"""


def ours(model: Model) -> str:
    if not model.result:
        return ""
    value = model.result["value"]
    shown = f"{100 * value:.2f} %" if "acc" in model.result["metric"] else f"{value}"
    return f"{shown} ({model.result['metric']})"


def published(model: Model) -> str:
    if not model.paper:
        return ""
    value, source = model.paper["value"], model.paper["source"]
    if isinstance(value, dict):
        value = ", ".join(f"{name} {number}" for name, number in value.items())
    return f"{value} ({source})"


def weights(model: Model) -> str:
    if not model.checkpoint:
        return "none"
    size = model.checkpoint.size / 2**20
    link = f"[{size:.1f} MB](checkpoints/{model.checkpoint.file})"
    return f"{link} `{model.checkpoint.sha256[:8]}` [log]({model.result['log']})"


def table(rows: list[Model]) -> str:
    lines = [
        "| config | dataset | protocol | training | M parameters | GFLOPs | paper "
        "| ours | checkpoint |",
        "| --- " * 9 + "|",
    ]
    for model in rows:
        gflops = model.multiply_adds and f"{model.multiply_adds / 1e9:.3g}"
        cells = (
            f"[`{model.name}`](configs/{model.config})",
            model.dataset,
            f"{model.protocol}; {model.note}" if model.note else model.protocol,
            model.training,
            f"{model.parameters / 1e6:.2f}",
            gflops or "",
            published(model),
            ours(model),
            weights(model),
        )
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def model_zoo(rows: list[Model]) -> str:
    parts = [INTRODUCTION]
    for family, members in groupby(rows, key=lambda model: model.family):
        parts.append(f"## {family}\n\n{table(list(members))}")
    return "\n".join(parts)


def readme(rows: list[Model]) -> str:
    """README.md with the rows that have a checkpoint between the two marks."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    before, rest = text.split(START)
    after = rest.split(END)[1]
    lines = ["| `flowzoo://` | dataset | ours | MB |", "| --- | --- | --- | --- |"]
    for model in rows:
        if model.checkpoint:
            size = model.checkpoint.size / 2**20
            tested = f"{model.dataset}, {model.protocol.split(',')[0]}"
            tested += f"; {model.note}" if model.note else ""
            cells = (f"`{model.name}`", tested, ours(model), f"{size:.1f}")
            lines.append("| " + " | ".join(cells) + " |")
    return f"{before}{START}\n" + "\n".join(lines) + f"\n{END}{after}"


def model_index(rows: list[Model]) -> str:
    """OpenMMLab's format, for mim; it takes no model without weights."""
    entries = [
        {
            "Name": model.name,
            "In Collection": model.family,
            "Config": f"configs/{model.config}",
            "Metadata": {"Training Data": model.dataset},
            "Results": [
                {
                    "Task": "Action Recognition",
                    "Dataset": model.dataset,
                    "Metrics": {model.result["metric"]: model.result["value"]},
                }
            ],
            "Weights": f"flowzoo://{model.name}",
        }
        for model in rows
        if model.checkpoint
    ]
    families = dict.fromkeys(model.family for model in rows if model.checkpoint)
    index = {"Collections": [{"Name": name} for name in families], "Models": entries}
    return "# by tools/zoo/build_model_zoo.py\n" + yaml.safe_dump(
        index, sort_keys=False, allow_unicode=True
    )


def faults(rows: list[Model]) -> list[str]:
    """What is wrong with the metafiles themselves."""
    found = []
    for model in rows:
        if not (CONFIGS / model.config).is_file():
            found.append(f"{model.name}: there is no configs/{model.config}")
        if model.checkpoint:
            path, log = REPOSITORY / model.checkpoint.file, ROOT / model.result["log"]
            if not path.is_file():
                found.append(f"{model.name}: there is no checkpoints/{path.name}")
            elif (path.stat().st_size, sha256(path)) != (
                model.checkpoint.size,
                model.checkpoint.sha256,
            ):
                found.append(f"checkpoints/{path.name}: not the published file")
            if not log.is_file():
                found.append(f"{model.name}: there is no {model.result['log']}")
    listed = {model.config for model in rows}
    for path in sorted([*CONFIGS.glob("*.py"), *CONFIGS.glob("[!_]*/*.py")]):
        config = str(path.relative_to(CONFIGS))
        if config not in listed:
            found.append(f"configs/{config}: no metafile lists it")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="write nothing")
    args = parser.parse_args()
    exit_on_other_split()

    try:
        rows = list(models().values())
    except ValueError as error:
        raise SystemExit(str(error)) from None
    if found := faults(rows):
        raise SystemExit("\n".join(found))
    files = {
        "model_zoo.md": model_zoo(rows),
        "README.md": readme(rows),
        "model-index.yml": model_index(rows),
    }
    for name, text in files.items():
        path = ROOT / name
        if not args.check:
            path.write_text(text, encoding="utf-8")
        elif path.read_text(encoding="utf-8") != text:
            found.append(f"{name} is out of date: run tools/zoo/build_model_zoo.py")
    if found:
        raise SystemExit("\n".join(found))


if __name__ == "__main__":
    run_tool(main)
