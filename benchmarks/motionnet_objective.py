"""Which normalization of MotionNet's losses trains better: the published one or ours.

    python benchmarks/motionnet_objective.py
    python benchmarks/motionnet_objective.py --videos FOLDER --chairs FOLDER
    python benchmarks/motionnet_objective.py --table

The first line trains TinyMotionNet on pairs of frames of MotionShapes with each
objective and three seeds, without labels, and measures the end-point error on the
validation split during training and on the test split at its end. The second
continues each of these networks on the videos of a folder and compares it with the true
flow of FlyingChairs pairs, which nothing is chosen by. A run that has its file in
``WORK_DIR/objective`` is not repeated, so that the command can be interrupted. The last
line writes benchmarks/results/motionnet_objective.{json,md} from the files there are.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from statistics import mean, stdev

import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.runner import Runner
from tinymotionnet import CHAIRS, RESULTS, end_point_error, network_flow

import flowzoo  # noqa: F401
from flowzoo.config_lookup import find_config
from flowzoo.datasets import FlowPairDataset

# Options of UnsupervisedFlowLoss. The mask's batch and channels divide the Charbonnier
# terms; with pairs of frames, which have 3 of its 30 channels, all terms shrink alike.
OBJECTIVES = {
    "published": dict(normalization="caffe", smoothness_weights=(1.0, 1.0, 1.0)),
    "published, smoothness 0.1": dict(
        normalization="caffe", smoothness_weights=(0.1, 0.1, 0.1)
    ),
    "elements": dict(normalization="elements", smoothness_weights=(1.0, 1.0, 1.0)),
    "elements, smoothness 0.1": dict(
        normalization="elements", smoothness_weights=(0.1, 0.1, 0.1)
    ),
}
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


def make_config(name: str, objective: str, seed: int, iterations: int) -> Config:
    config = Config.fromfile(find_config(f"{name}.py"))
    config.model.loss = dict(type="UnsupervisedFlowLoss", **OBJECTIVES[objective])
    config.randomness = dict(seed=seed)
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


def motionshapes(objective: str, seed: int, folder: Path, args) -> dict:
    """Train from random weights; the last checkpoint stays in ``folder``."""
    config = make_config(
        "tinymotionnet_motionshapes_2frames", objective, seed, args.iterations
    )
    config.work_dir = str(folder)
    runner, curve = Runner.from_cfg(config), Curve()
    runner.register_hook(curve)
    runner.train()
    test = {k: round(float(v), 4) for k, v in runner.test().items()}
    return {"validation": curve.points, "test": test}


def real(objective: str, seed: int, folder: Path, args) -> dict:
    """Continue on real clips; compare with FlyingChairs before and after."""
    config = make_config(
        "tinymotionnet_ucf101_2frames", objective, seed, args.real_iterations
    )
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


def run(args: argparse.Namespace) -> None:
    for seed in SEEDS:
        for objective in OBJECTIVES:
            slug = objective.replace(", ", "_").replace(" ", "_")
            folder = args.work_dir / "objective" / f"{slug}_{seed}"
            for part, needed in (("motionshapes", True), ("real", args.videos)):
                done = folder / f"{part}.json"
                if not needed or done.exists():
                    continue
                folder.mkdir(parents=True, exist_ok=True)
                started = time.process_time()
                found = {"objective": objective, "seed": seed}
                found |= globals()[part](objective, seed, folder, args)
                found["torch"] = torch.__version__
                found["threads"] = torch.get_num_threads()
                found["CPU minutes"] = round((time.process_time() - started) / 60, 1)
                done.write_text(json.dumps(found, indent=1) + "\n")
                print(objective, seed, part, flush=True)


def spread(values: list[float]) -> str:
    error = f" ± {stdev(values):.3f}" if len(values) > 1 else ""
    return f"{mean(values):.3f}{error}"


def table(args: argparse.Namespace) -> None:
    folder = args.work_dir / "objective"
    runs = {
        part: [json.loads(p.read_text()) for p in sorted(folder.glob(f"*/{part}.json"))]
        for part in ("motionshapes", "real")
    }
    zero = runs["motionshapes"][0]["test"]["flow/EPE_zero"]
    lines = [
        "| objective | seeds | validation, a fifth | half | end | test | chairs |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for objective in OBJECTIVES:
        found = [r for r in runs["motionshapes"] if r["objective"] == objective]
        if not found:
            continue
        cells = [
            spread([r["validation"][at]["flow/EPE"] for r in found])
            for at in (1, 4, -1)
        ]
        cells.append(spread([r["test"]["flow/EPE"] for r in found]))
        after = [r for r in runs["real"] if r["objective"] == objective]
        cells.append(
            spread([r["EPE after"]["network"] for r in after]) if after else ""
        )
        lines.append(f"| {objective} | {len(found)} | {' | '.join(cells)} |")
    lines += ["", f"End-point error in pixels; zero flow: {zero} on the test split."]
    if runs["real"]:
        lines[-1] += f" FlyingChairs: {runs['real'][0]['EPE after']['zero flow']}."
    text = json.dumps(runs, indent=1) + "\n"
    (RESULTS / "motionnet_objective.json").write_text(text)
    (RESULTS / "motionnet_objective.md").write_text("\n".join(lines) + "\n")
    print("\n".join(lines))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--work-dir", type=Path, default=Path("work_dirs"))
    parser.add_argument("--iterations", type=int, default=1000)
    parser.add_argument("--real-iterations", type=int, default=400)
    parser.add_argument("--videos", type=Path, help="unlabeled clips")
    parser.add_argument("--chairs", type=Path, help="pairs of FlyingChairs")
    parser.add_argument("--table", action="store_true")
    args = parser.parse_args()
    if not args.table:
        run(args)
    table(args)


if __name__ == "__main__":
    main()
