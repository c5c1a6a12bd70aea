"""The ablations of Representation Flow for Action Recognition, small, on MotionShapes.

usage: python benchmarks/repflow_ablation.py [--steps N] [--seeds N] [--part I/N]
       python benchmarks/repflow_ablation.py [--steps N] --table

Trains the first two stages of a narrow RepFlowResNet-18 (what SETTINGS and TABLES say
of configs/repflow_r18_motionshapes.py) once for each row and seed, seconds each, and
keeps every run in --work-dir, so that it can be interrupted; several processes may
share the work (--part 0/2 and --part 1/2). --table writes
benchmarks/results/repflow_ablation_STEPS.{json,md}: the test accuracy of each row with
its spread over the seeds. Clips are small and few and training is short, so that no
row reaches 100 %.
"""

import argparse
import copy
import functools
import json
import math
import os
import platform
import statistics
import time
from pathlib import Path

import torch
from mmaction.registry import DATASETS, MODELS
from mmengine.config import Config
from mmengine.logging import MMLogger
from mmengine.optim import build_optim_wrapper
from mmengine.registry import DefaultScope
from torch import Tensor

from flowzoo.config_lookup import find_config
from flowzoo_kernels import RepresentationFlow

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"
MIRRORED = {0: 1, 1: 0, 4: 5, 5: 4}  # classes, as in the config's Flip
SETTINGS = dict(
    config="repflow_r18_motionshapes.py",
    size=32,
    frames=5,
    train_clips=800,
    test_clips=400,
    backbone=dict(
        base_channels=8,
        num_stages=2,
        strides=(1, 2),
        dilations=(1, 1),
        out_indices=(1,),
        flow_cfg=dict(bottleneck_channels=4),
    ),
    in_channels=16,
    batch=16,
    steps=150,
)
ALL = ("image", "flow", "divergence", "theta", "lam", "tau")


def flow(**kwargs) -> dict:
    return dict(backbone=dict(flow_cfg=kwargs))


def place(flow_after: str | None, **flow_cfg) -> dict:
    if flow_after is None:
        flow_cfg["_delete_"] = True
    return dict(backbone=dict(flow_after=flow_after, flow_cfg=flow_cfg))


LATE = dict(
    backbone=dict(late_fusion=True),
    cls_head=dict(in_channels=2 * SETTINGS["in_channels"]),
)
# Each row is what changes in the base: after conv1, divergence, theta, lambda and tau
# learned, 20 iterations, no fusion, one layer.
TABLES = {
    "place (paper's table 1)": {
        "no flow layer": place(None),
        "input": place("input", act_cfg=None),
        "conv1": {},
        "stem": place("stem"),
        "layer1": place("layer1"),
        "layer2": place("layer2"),
    },
    "stacked layers (table 5)": {
        "single": {},
        "flow-of-flow": flow(num_flows=2, conv_between=False),
        "flow-conv-flow": flow(num_flows=2),
        "flow-conv-flow-conv-flow": flow(num_flows=3),
    },
    "iterations, learned (table 3)": {
        "1": flow(n_iters=1),
        "5": flow(n_iters=5),
        "10": flow(n_iters=10),
        "20": {},
        "50": flow(n_iters=50),
    },
    "what is learned (table 2)": {
        "nothing": flow(learn=()),
        "gradients": flow(learn=("image", "flow")),
        "divergence": flow(learn=("divergence",)),
        "theta, lambda, tau": flow(learn=("theta", "lam", "tau")),
        "all": flow(learn=ALL),
        "divergence, theta, lambda, tau": {},
    },
    "fusion after conv1 (table 4)": {
        "none": {},
        "late": LATE,
        "add": flow(fusion="add"),
        "multiply": flow(fusion="multiply"),
        "layer + multiply": flow(fusion="layer_multiply"),
        "concat": flow(fusion="concat"),
    },
    "iterations, not learned (table 3)": {
        "1": flow(n_iters=1, learn=()),
        "5": flow(n_iters=5, learn=()),
        "10": flow(n_iters=10, learn=()),
        "20": flow(learn=()),
        "50": flow(n_iters=50, learn=()),
    },
}


def runs_of(seeds: int) -> dict[str, tuple[dict, int]]:
    """What to train: name -> (overrides, seed), the same overrides only once."""
    runs = {}
    for seed in range(seeds):
        for rows in TABLES.values():
            for overrides in rows.values():
                runs.setdefault(f"{key(overrides)}-seed{seed}", (overrides, seed))
    return runs


def key(overrides: dict) -> str:
    """A file name for the overrides of a row."""
    parts = []

    def visit(prefix: str, value: object) -> None:
        if isinstance(value, dict):
            for name, inner in value.items():
                visit(name, inner)
        else:
            parts.append(f"{prefix}={value}")

    visit("", overrides)
    text = ",".join(parts) or "base"
    return "".join(c for c in text if c.isalnum() or c in "=,_")


@functools.cache
def load_clips(split: str) -> tuple[Tensor, Tensor]:
    """All clips of a split: (clips, 3, T, H, W) uint8, and labels."""
    dataset = load_config()[f"{split}_dataloader"].dataset
    dataset.pipeline = [
        dict(type="OpenVideo"),
        dict(type="SampleFrames", clip_len=SETTINGS["frames"], test_mode=True),
        dict(type="DecodeFrames"),
        dict(type="FormatShape", input_format="NCTHW"),
        dict(type="PackActionInputs"),
    ]
    dataset.spec = dict(
        num_train=SETTINGS["train_clips"],
        num_val=8,
        num_test=SETTINGS["test_clips"],
        num_frames=SETTINGS["frames"],
        size=SETTINGS["size"],
    )
    samples = list(DATASETS.build(dataset))
    clips = torch.stack([sample["inputs"][0] for sample in samples])
    labels = torch.stack([s["data_samples"].gt_label[0] for s in samples])
    return clips, labels


def load_config() -> Config:
    return Config.fromfile(find_config(SETTINGS["config"]))


def normalize(clips: Tensor, config: Config) -> Tensor:
    mean, std = (
        torch.tensor(config.model.data_preprocessor[name]).view(3, 1, 1, 1)
        for name in ("mean", "std")
    )
    return (clips - mean) / std


def accuracy(model, clips: Tensor, labels: Tensor, config: Config) -> float:
    model.eval()
    right = 0
    with torch.inference_mode():
        for i in range(0, len(labels), 100):
            features = model.backbone(normalize(clips[i : i + 100], config))
            right += (model.cls_head(features).argmax(1) == labels[i : i + 100]).sum()
    return right.item() / len(labels)


def learning_rate(step: int) -> float:
    """Fraction of the initial rate: a short warm-up, then a cosine."""
    steps = SETTINGS["steps"]
    return min(1.0, (step + 1) / 20) * (1 + math.cos(math.pi * step / steps)) / 2


def train(overrides: dict, seed: int) -> dict:
    """Train one row with one seed; what came out, as plain numbers."""
    torch.manual_seed(seed)
    config = load_config()
    head = dict(in_channels=SETTINGS["in_channels"])
    base = dict(backbone=SETTINGS["backbone"], cls_head=head)
    config.merge_from_dict(dict(model=copy.deepcopy(base)))
    config.merge_from_dict(dict(model=copy.deepcopy(overrides)))
    clips, labels = load_clips("train")
    test_clips, test_labels = load_clips("test")
    model = MODELS.build(config.model)
    model.init_weights()
    optimizer = build_optim_wrapper(model, config.optim_wrapper).optimizer
    initial = [group["lr"] for group in optimizer.param_groups]
    mirrored = torch.tensor([MIRRORED.get(label, label) for label in range(8)])

    start = time.process_time()
    model.train()
    order = torch.empty(0, dtype=torch.long)
    for step in range(SETTINGS["steps"]):
        for group, lr in zip(optimizer.param_groups, initial, strict=True):
            group["lr"] = lr * learning_rate(step)
        if len(order) < SETTINGS["batch"]:
            order = torch.randperm(len(labels))
        batch, order = order[: SETTINGS["batch"]], order[SETTINGS["batch"] :]
        flip = torch.rand(len(batch)) < 0.5
        x, y = clips[batch], labels[batch]
        x = torch.where(flip[:, None, None, None, None], x.flip(-1), x)
        y = torch.where(flip, mirrored[y], y)
        scores = model.cls_head(model.backbone(normalize(x, config)))
        loss = torch.nn.functional.cross_entropy(scores, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    seconds = time.process_time() - start

    flows = [m for m in model.modules() if isinstance(m, RepresentationFlow)]
    return dict(
        seed=seed,
        test_accuracy=accuracy(model, test_clips, test_labels, config),
        train_accuracy=accuracy(model, clips[:400], labels[:400], config),
        loss=loss.item(),
        seconds_of_cpu=round(seconds, 1),
        parameters=sum(p.numel() for p in model.parameters()),
        scalars=[[round(p.item(), 4) for p in (m.theta, m.lam, m.tau)] for m in flows],
        settings=SETTINGS,
    )


def run(args: argparse.Namespace) -> None:
    args.work_dir.mkdir(parents=True, exist_ok=True)
    part, parts = map(int, args.part.split("/"))
    runs = [
        run
        for run in runs_of(args.seeds).items()
        if not args.only or run[0].rsplit("-", 1)[0] in args.only
    ]
    for name, (overrides, seed) in runs[part::parts]:
        path = args.work_dir / f"{name}.json"
        if path.exists():
            continue
        result = train(overrides, seed)
        path.write_text(json.dumps(result))
        print(f"{name}: {result['test_accuracy']:.1%}", flush=True)


def write_table(args: argparse.Namespace) -> None:
    results = {}
    lines = []
    for table, rows in TABLES.items():
        lines += ["", f"| {table} | test accuracy, % | seeds | train, % | CPU s |"]
        lines += ["| --- | --- | --- | --- | --- |"]
        for row, overrides in rows.items():
            paths = sorted(args.work_dir.glob(f"{key(overrides)}-seed*.json"))
            found = [json.loads(path.read_text()) for path in paths]
            if any(r["settings"] != json.loads(json.dumps(SETTINGS)) for r in found):
                raise SystemExit(f"{args.work_dir} holds runs of other settings")
            results.setdefault(table, {})[row] = [
                {name: value for name, value in r.items() if name != "settings"}
                for r in found
            ]
            test = [100 * r["test_accuracy"] for r in found]
            fitted = [100 * r["train_accuracy"] for r in found]
            seconds = [r["seconds_of_cpu"] for r in found]
            if not found:
                lines.append(f"| {row} | not run | 0 | | |")
                continue
            spread = f" ± {statistics.stdev(test):.1f}" if len(test) > 1 else ""
            lines.append(
                f"| {row} | {statistics.mean(test):.1f}{spread} | {len(test)} | "
                f"{statistics.mean(fitted):.1f} | {statistics.median(seconds):.0f} |"
            )
    heading = (
        "Mean and standard deviation over the seeds; chance is 12.5 %. "
        f"{SETTINGS['train_clips']} training clips of {SETTINGS['frames']} frames of "
        f"{SETTINGS['size']}x{SETTINGS['size']}, {SETTINGS['steps']} steps of "
        f"{SETTINGS['batch']}, {SETTINGS['test_clips']} test clips. "
        f"{machine()}. Written by `python benchmarks/repflow_ablation.py --steps "
        f"{SETTINGS['steps']} --table`."
    )
    text = json.dumps(
        dict(machine=machine(), settings=SETTINGS, tables=results), indent=1
    )
    name = f"repflow_ablation_{SETTINGS['steps']}"
    (RESULTS / f"{name}.json").write_text(text + "\n")
    (RESULTS / f"{name}.md").write_text("\n".join([heading, *lines]) + "\n")
    print("\n".join(lines))


def machine() -> str:
    return (
        f"{os.cpu_count()} CPU cores ({platform.machine()}), torch {torch.__version__}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--part", default="0/1", help="I/N: every N-th run from I")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", nargs="+", metavar="ROW", help="names, as printed")
    parser.add_argument("--steps", type=int, default=SETTINGS["steps"])
    parser.add_argument("--work-dir", type=Path, help="default: below work_dirs/")
    parser.add_argument("--table", action="store_true", help="write the results")
    args = parser.parse_args()
    SETTINGS["steps"] = args.steps
    args.work_dir = args.work_dir or Path(f"work_dirs/repflow_ablation_{args.steps}")
    MMLogger.get_current_instance().setLevel("ERROR")
    with DefaultScope.overwrite_default_scope("mmaction"):
        (write_table if args.table else run)(args)


if __name__ == "__main__":
    main()
