"""UT-Interaction: representation flow against the same network without the layer.

usage: python benchmarks/ut_interaction.py ROOT [--folds N ...] [--work-dir DIR]
       python benchmarks/ut_interaction.py ROOT --table

ROOT is the folder with the clips of set 1. Every network of NETWORKS is trained once
for each sequence that is left out, by mmengine's Runner and its config in configs/, and
tested on that sequence once, after the last epoch: no clip of it is seen before. Each
result is kept in the work directory when its training ends, so that an interrupted run
continues where it stopped. When all are there, and with --table, the results are
written to benchmarks/results/ut_interaction.{json,md}.
"""

import argparse
import json
import os
import pickle
import platform
import statistics
import time
from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.runner import Runner

from flowzoo.config_lookup import find_config
from flowzoo.datasets.preparation.ut_interaction import (
    list_clips,
    metadata_accuracies,
    prepare_ut_interaction,
)

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
NETWORKS = {
    "with the layer": "repflow_r18_utinteraction",
    "without": "repflow_r18_utinteraction_rgb",
}
LAST = 20  # iterations over which the training loss is averaged at the end


def train(network: str, fold: int, work_dir: Path) -> dict:
    """Train without one sequence, and classify its clips."""
    os.environ["SPLIT"] = str(fold)
    config = Config.fromfile(find_config(f"{network}.py"))
    config.work_dir = str(work_dir / network / str(fold))
    config.randomness = dict(seed=fold)
    # nothing is chosen by looking at the test clips, so there is no validation
    config.val_cfg = config.val_dataloader = config.val_evaluator = None
    dump = work_dir / network / str(fold) / "scores.pkl"
    config.test_evaluator = [
        config.test_evaluator,
        dict(type="DumpResults", out_file_path=str(dump)),
    ]
    start = time.process_time()
    runner = Runner.from_cfg(config)
    runner.train()
    seconds = time.process_time() - start
    scalars = runner.message_hub.log_scalars
    runner.test()
    clips = runner.test_dataloader.dataset
    predictions = pickle.loads(dump.read_bytes())
    return dict(
        network=network,
        fold=fold,
        epochs=runner.max_epochs,
        iterations=runner.max_iters,
        seconds_of_cpu=round(seconds, 1),
        parameters=sum(p.numel() for p in runner.model.parameters()),
        training_loss=round(scalars["train/loss"].mean(LAST), 4),
        training_accuracy=round(scalars["train/top1_acc"].mean(LAST), 4),
        clips=[
            dict(
                clip=Path(clips.get_data_info(i)["filename"]).stem,
                label=prediction["gt_label"].item(),
                predicted=prediction["pred_label"].item(),
            )
            for i, prediction in enumerate(predictions)
        ],
    )


def accuracy(result: dict) -> float:
    clips = result["clips"]
    return 100 * statistics.mean(c["label"] == c["predicted"] for c in clips)


def right_clips(results: list[dict]) -> set[str]:
    clips = [clip for result in results for clip in result["clips"]]
    return {c["clip"] for c in clips if c["label"] == c["predicted"]}


def write_table(done: dict[str, list[dict]], metadata: dict[int, float]) -> None:
    runs = [result for results in done.values() for result in results]
    if len({result["epochs"] for result in runs}) > 1:
        raise SystemExit("the work directory holds runs of different configs")
    folds = [result["fold"] for result in next(iter(done.values()))]
    rows = {
        title: [accuracy(result) for result in results]
        for title, results in done.items()
    }
    rows["image size, frame count and frame rate alone"] = [
        100 * metadata[fold] for fold in folds
    ]
    heads = ["", "mean ± sd", *(f"without {fold}" for fold in folds), "training, %"]
    lines = [f"| {' | '.join(heads)} |", f"| {' | '.join(['---'] * len(heads))} |"]
    for title, values in rows.items():
        fitted = [100 * r["training_accuracy"] for r in done.get(title, [])]
        cells = [
            title,
            f"{statistics.mean(values):.1f} ± {statistics.stdev(values):.1f}",
            *(f"{value:.0f}" for value in values),
            f"{statistics.mean(fitted):.1f}" if fitted else "",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    one, other = map(right_clips, done.values())
    machine = (
        f"{os.cpu_count()} CPU cores ({platform.machine()}), torch {torch.__version__}"
    )
    steps = f"{runs[0]['epochs']} epochs ({runs[0]['iterations']} iterations)"
    text = (
        "Accuracy on the clips of the sequence left out, in per cent; chance is 16.7. "
        f"{steps} from scratch. "
        f"{len(one - other)} clips are right only with the layer, "
        f"{len(other - one)} only without. {machine}. Written by "
        "`python benchmarks/ut_interaction.py ROOT`.\n\n"
    )
    RESULTS.joinpath("ut_interaction.md").write_text(text + "\n".join(lines) + "\n")
    content = dict(
        machine=machine,
        accuracy={
            title: [round(v, 2) for v in values] for title, values in rows.items()
        },
        folds=folds,
        runs=runs,
    )
    RESULTS.joinpath("ut_interaction.json").write_text(
        json.dumps(content, indent=1) + "\n"
    )
    print(text + "\n".join(lines))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("root", type=Path, metavar="ROOT")
    parser.add_argument("--folds", type=int, nargs="+", help="default: all")
    parser.add_argument(
        "--work-dir", type=Path, default=Path("work_dirs/ut_interaction")
    )
    parser.add_argument("--table", action="store_true", help="write the results only")
    args = parser.parse_args()

    os.environ["FLOWZOO_DATA"] = str(args.work_dir)  # where the configs look
    every = prepare_ut_interaction(args.root, args.work_dir / "ut_interaction")
    folds = args.folds or every
    if unknown := set(folds) - set(every):
        parser.error(f"there are no sequences {sorted(unknown)} in {args.root}")
    for fold in folds if not args.table else ():
        for network in NETWORKS.values():
            path = args.work_dir / f"{network}-{fold}.json"
            if not path.exists():
                result = train(network, fold, args.work_dir)
                path.write_text(json.dumps(result))
                print(f"{path.stem}: {accuracy(result):.1f} %", flush=True)
    done = {
        title: [
            json.loads(path.read_text())
            for fold in every
            if (path := args.work_dir / f"{network}-{fold}.json").exists()
        ]
        for title, network in NETWORKS.items()
    }
    missing = [title for title, found in done.items() if len(found) < len(every)]
    if args.table and missing:
        parser.error(f"not all folds are done: {', '.join(missing)}")
    if not missing:
        write_table(done, metadata_accuracies(list_clips(args.root)))


if __name__ == "__main__":
    main()
