"""Which normalization of MotionNet's losses trains better: the published one or ours.

    python benchmarks/motionnet_objective.py
    python benchmarks/motionnet_objective.py --videos FOLDER --chairs FOLDER
    python benchmarks/motionnet_objective.py --network MotionNet --iterations 400 \\
        --learning-rates 1e-4 3e-4 --objectives published elements
    python benchmarks/motionnet_objective.py --table

The first line trains TinyMotionNet on pairs of frames of MotionShapes with each
objective and three seeds, without labels, and measures the end-point error on the
validation split during training and on the test split at its end. The second
continues each of these networks on the videos of a folder and compares it with the true
flow of FlyingChairs pairs, which nothing is chosen by. The third trains MotionNet
itself in the same way. A run that has its file in ``WORK_DIR/objective_NETWORK`` is not
repeated, so that the command can be interrupted. The last line writes
benchmarks/results/NETWORK_objective.{json,md} from the files there are.
"""

from __future__ import annotations

import argparse
import itertools
import json
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import mean, stdev
from typing import NamedTuple

import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.runner import Runner
from tinymotionnet import CHAIRS, RESULTS, end_point_error, network_flow

import flowzoo  # noqa: F401
from flowzoo.config_lookup import find_config
from flowzoo.datasets import FlowPairDataset

# Normalization and weight of the smoothness terms in UnsupervisedFlowLoss. The mask's
# batch and channels divide the Charbonnier terms; with pairs of frames, which have 3 of
# its 30 channels, all terms shrink alike.
OBJECTIVES = {
    "published": ("caffe", 1.0),
    "published, smoothness 0.1": ("caffe", 0.1),
    "elements": ("elements", 1.0),
    "elements, smoothness 0.1": ("elements", 0.1),
}
SCALES = {"TinyMotionNet": 3, "MotionNet": 5}
SEEDS = (0, 1, 2)


class Curve(Hook):
    """Keeps the validation's metrics and the losses of the iterations before it."""

    def __init__(self) -> None:
        self.points, self.losses = [], []

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        self.losses.append({k: float(v) for k, v in outputs.items()})

    def after_val_epoch(self, runner, metrics=None):
        point = {k: round(float(v), 4) for k, v in metrics.items()}
        for key in self.losses[-1] if self.losses else ():
            point[key] = round(mean(loss[key] for loss in self.losses), 4)
        self.points.append({"iteration": runner.iter, **point})
        self.losses = []


class Run(NamedTuple):
    network: str
    objective: str
    learning_rate: float
    seed: int


def make_config(name: str, run: Run, iterations: int) -> Config:
    config = Config.fromfile(find_config(f"{name}.py"))
    normalization, smoothness = OBJECTIVES[run.objective]
    config.model.backbone.type = run.network
    config.model.loss = dict(
        type="UnsupervisedFlowLoss",
        normalization=normalization,
        smoothness_weights=(smoothness,) * SCALES[run.network],
    )
    config.optim_wrapper.optimizer.lr = run.learning_rate
    config.randomness = dict(seed=run.seed)
    config.train_cfg = dict(
        type="IterBasedTrainLoop", max_iters=iterations, val_interval=iterations // 10
    )
    config.param_scheduler = [
        dict(type="LinearLR", start_factor=0.1, by_epoch=False, begin=0, end=50),
        dict(type="CosineAnnealingLR", by_epoch=False, begin=50, end=iterations),
    ]
    config.train_dataloader.batch_size = 8
    for loader in ("train", "val", "test"):
        config[f"{loader}_dataloader"].num_workers = 0
        config[f"{loader}_dataloader"].persistent_workers = False
    config.default_hooks.checkpoint = dict(
        type="CheckpointHook", by_epoch=False, interval=iterations
    )
    return config


def motionshapes(run: Run, folder: Path, args) -> dict:
    """Train from random weights; the last checkpoint stays in ``folder``."""
    config = make_config("tinymotionnet_motionshapes_2frames", run, args.iterations)
    config.work_dir = str(folder)
    runner, curve = Runner.from_cfg(config), Curve()
    runner.register_hook(curve)
    runner.train()
    test = {k: round(float(v), 4) for k, v in runner.test().items()}
    return {"validation": curve.points, "test": test}


def real(run: Run, folder: Path, args) -> dict:
    """Continue on real clips; compare with FlyingChairs before and after."""
    config = make_config("tinymotionnet_ucf101_2frames", run, args.real_iterations)
    config.work_dir = str(folder / "real")
    config.load_from = str(folder / f"iter_{args.iterations}.pth")
    listed = folder / "videos.txt"
    videos = sorted(p.name for p in args.videos.iterdir() if p.suffix == ".avi")
    listed.write_text("".join(f"{video} 0\n" for video in videos))
    config.train_dataloader.batch_size = 4  # of two pairs each
    dataset = config.train_dataloader.dataset
    dataset.ann_file, dataset.data_prefix = str(listed), dict(video=str(args.videos))
    config.val_cfg = config.val_dataloader = config.val_evaluator = None
    config.test_cfg = config.test_dataloader = config.test_evaluator = None
    runner = Runner.from_cfg(config)
    runner.load_or_resume()
    before = chairs(runner.model, args.chairs)
    runner.train()
    return {"EPE before": before, "EPE after": chairs(runner.model, args.chairs)}


def chairs(model, folder: Path) -> dict:
    """Mean end-point error in pixels on all pairs, and that of zero flow."""
    pipeline = [
        dict(type="LoadFlowPair"),
        dict(type="FormatFlow"),
        dict(type="FormatShape", input_format="NCTHW"),
        dict(type="PackActionInputs", algorithm_keys=("gt_flow",)),
    ]
    model.eval()
    errors = {"network": [], "zero flow": []}
    for sample in FlowPairDataset(str(folder), pipeline, CHAIRS, test_mode=True):
        truth = sample["data_samples"].gt_flow[0]
        flow = network_flow(model, *sample["inputs"][0].unbind(1))
        for name, value in (("network", flow), ("zero flow", torch.zeros_like(truth))):
            error = end_point_error(value, truth)
            errors[name].append(float(error[error.isfinite()].mean()))
    model.train()
    return {name: round(mean(values), 3) for name, values in errors.items()}


def runs_of(args: argparse.Namespace) -> Iterator[tuple[Run, Path]]:
    """Every run and its folder, a seed after the other."""
    for seed in SEEDS:
        for objective in args.objectives:
            for rate in args.learning_rates:
                slug = objective.replace(", ", "_").replace(" ", "_")
                folder = args.work_dir / f"objective_{args.network.lower()}"
                run = Run(args.network, objective, rate, seed)
                yield run, folder / f"{slug}_{rate:g}_{seed}"


def train(args: argparse.Namespace) -> None:
    for run, folder in runs_of(args):
        for part, needed in (("motionshapes", True), ("real", args.videos)):
            done = folder / f"{part}.json"
            if not needed or done.exists():
                continue
            folder.mkdir(parents=True, exist_ok=True)
            started = time.process_time()
            found = run._asdict() | globals()[part](run, folder, args)
            found["torch"] = torch.__version__
            found["threads"] = torch.get_num_threads()
            found["CPU minutes"] = round((time.process_time() - started) / 60, 1)
            done.write_text(json.dumps(found, indent=1) + "\n")
            print(*run, part, flush=True)


def spread(values: list[float]) -> str:
    error = f" ± {stdev(values):.3f}" if len(values) > 1 else ""
    return f"{mean(values):.3f}{error}"


def table(args: argparse.Namespace) -> None:
    runs = {"motionshapes": [], "real": []}
    for _, folder in runs_of(args):
        for part in runs:
            if (folder / f"{part}.json").exists():
                runs[part].append(json.loads((folder / f"{part}.json").read_text()))
    zero = runs["motionshapes"][0]["test"]["flow/EPE_zero"]
    lines = [
        "| objective | rate | seeds | validation, a fifth | half | end | test "
        "| FlyingChairs |",
        "| --- " * 8 + "|",
    ]
    for kind in itertools.product(args.objectives, args.learning_rates):
        found, after = (
            [r for r in runs[part] if (r["objective"], r["learning_rate"]) == kind]
            for part in ("motionshapes", "real")
        )
        if not found:
            continue
        cells = [
            spread([r["validation"][at]["flow/EPE"] for r in found])
            for at in (1, 4, -1)
        ]
        cells.append(spread([r["test"]["flow/EPE"] for r in found]))
        cells.append(
            spread([r["EPE after"]["network"] for r in after]) if after else ""
        )
        cells = [kind[0], f"{kind[1]:g}", str(len(found)), *cells]
        lines.append(f"| {' | '.join(cells)} |")
    lines += ["", f"End-point error in pixels; zero flow: {zero} on the test split."]
    if runs["real"]:
        lines[-1] += f" FlyingChairs: {runs['real'][0]['EPE after']['zero flow']}."
    file = RESULTS / f"{args.network.lower()}_objective"
    file.with_suffix(".json").write_text(json.dumps(runs, indent=1) + "\n")
    file.with_suffix(".md").write_text("\n".join(lines) + "\n")
    print("\n".join(lines))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--work-dir", type=Path, default=Path("work_dirs"))
    parser.add_argument("--network", choices=SCALES, default="TinyMotionNet")
    parser.add_argument(
        "--objectives", nargs="+", choices=OBJECTIVES, default=list(OBJECTIVES)
    )
    parser.add_argument("--learning-rates", nargs="+", type=float, default=[1e-3])
    parser.add_argument("--iterations", type=int, default=1000)
    parser.add_argument("--real-iterations", type=int, default=400)
    parser.add_argument("--videos", type=Path, help="unlabeled clips")
    parser.add_argument("--chairs", type=Path, help="pairs of FlyingChairs")
    parser.add_argument("--table", action="store_true")
    args = parser.parse_args()
    if not args.table:
        train(args)
    table(args)


if __name__ == "__main__":
    main()
