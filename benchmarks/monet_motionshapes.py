"""MoNet against the baselines of its table 1, on MotionShapes.

    python benchmarks/monet_motionshapes.py [--seeds 0 1 2] [--epochs 10]

Where they are missing, the features come first: a network is trained on the frames
(two epochs, so that something is left to be gained) and one on the true flow, and the
features of both are written to data/motionshapes_features (or $FEATURES). Then, for
each seed, the three stages of the configs monet_repflow_motionshapes* are trained, with
MoNet and with each baseline in its place, and tested. Writes
benchmarks/results/monet_motionshapes.{json,md}.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path

import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.registry import DefaultScope
from torch import Tensor, nn

from flowzoo.config_lookup import find_config
from flowzoo.datasets import FeatureDataset
from flowzoo.paths import dataset_folder

ROOT = Path(__file__).parents[1]
FEATURES = Path(os.environ.get("FEATURES") or dataset_folder("motionshapes_features"))
SPLITS = ("train", "val", "test")
BASELINES = [
    "mlp",
    "gru",
    "lstm",
    "bigru",
    "bilstm",
    "indrnn",
    "conv1d",
    "gru2",
    "lstm2",
]  # as in the table
BATCH = 64


def write_features(work_dirs: Path) -> None:
    """Train both networks, and extract their features, where these are missing."""
    tools = ROOT / "tools"
    networks = dict(
        appearance="repflow_r18_motionshapes_features",
        flow="slowonly_r18_motionshapes_flow",
    )
    for stream, name in networks.items():
        files = {split: FEATURES / f"{stream}_{split}.npz" for split in SPLITS}
        if all(file.exists() for file in files.values()):
            continue
        config, work_dir = find_config(f"{name}.py"), work_dirs / name
        train = [sys.executable, tools / "train.py", config, "--work-dir", work_dir]
        subprocess.run(train, check=True)
        extract = [sys.executable, tools / "data" / "extract_features.py", config]
        for split, out in files.items():
            command = [*extract, work_dir / "epoch_2.pth", "--split", split]
            subprocess.run([*command, "--out", out], check=True)


def load_split(split: str) -> dict[str, Tensor]:
    """All features of a split, (V, T, D), and labels (V,)."""
    paths = {s: str(FEATURES / f"{s}_{split}.npz") for s in ("appearance", "flow")}
    data = FeatureDataset([dict(type="PackFeatures")], **paths)
    items = [data[i] for i in range(len(data))]
    tensors = {s: torch.stack([item["inputs"][s] for item in items]) for s in paths}
    tensors["label"] = torch.cat([item["data_samples"].gt_label for item in items])
    return tensors


def samples_of(labels: Tensor) -> list[ActionDataSample]:
    return [ActionDataSample().set_gt_label(int(label)) for label in labels]


def fit(model: nn.Module, config: Config, data: dict[str, Tensor], epochs: int) -> None:
    """Train with the config's optimizer and its steps of the rate, in fewer epochs."""
    wrapper = build_optim_wrapper(model, config.optim_wrapper)
    steps = [round(m / config.train_cfg.max_epochs * epochs)
             for m in config.param_scheduler[0].milestones]  # fmt: skip
    scheduler = torch.optim.lr_scheduler.MultiStepLR(wrapper.optimizer, steps, 0.1)
    model.train()
    for _ in range(epochs):
        for chosen in torch.randperm(len(data["label"])).split(BATCH):
            inputs = {s: data[s][chosen] for s in ("appearance", "flow")}
            samples = samples_of(data["label"][chosen])
            loss, _ = model.parse_losses(model(inputs, samples, mode="loss"))
            wrapper.update_params(loss)
        scheduler.step()


@torch.no_grad()
def test(model: nn.Module, data: dict[str, Tensor]) -> dict[str, float]:
    """Accuracy of each stream in percent; mean square error of what was imagined."""
    model.eval()
    samples = model(data, samples_of(data["label"]), mode="predict")
    result = {}
    for stream in samples[0].pred_score:
        scores = torch.stack([sample.pred_score[stream] for sample in samples])
        right = scores.argmax(1) == data["label"]
        result[stream] = 100 * right.float().mean().item()
    if model.neck is not None:
        error = model.neck(data["appearance"]) - data["flow"]
        result["mse"] = error.square().mean().item()
    return result


@torch.no_grad()
def imagine(neck: nn.Module, data: dict[str, Tensor]) -> dict[str, Tensor]:
    """The split with imagined flow features instead of the true ones."""
    return data | dict(flow=neck.eval()(data["appearance"]))


def stage_config(stage: str) -> Config:
    return Config.fromfile(find_config(f"monet_repflow_motionshapes{stage}.py"))


def necks(sizes: dict) -> dict[str, dict]:
    """Config of each network that is compared, by its name in the table."""
    monet = stage_config("").model.neck.to_dict()
    found = {name: dict(monet, num_layers=n) for name, n in
             (("monet-2", 2), ("monet-5", 5))}  # fmt: skip
    found["monet-5 released"] = dict(monet, variant="released")
    for name in BASELINES:
        config = Config.fromfile(find_config(f"monet_i3d_kinetics_{name}.py"))
        found[name] = config.model.neck.to_dict()
    return {name: neck | sizes for name, neck in found.items()}


def run_seed(seed: int, splits: dict, epochs: int, only: list[str] | None) -> dict:
    """Test results of every network, and of the streams without one."""
    train, held_out = splits["train"], splits["test"]
    classifiers = stage_config("_classifiers")
    torch.manual_seed(seed)
    first = MODELS.build(classifiers.model)
    fit(first, classifiers, train, epochs=20)
    rows = {"true flow": dict(classifiers=test(first, held_out))}
    sizes = {
        "in_channels": train["appearance"].shape[2],
        "out_channels": train["flow"].shape[2],
    }
    for name, neck in necks(sizes).items():
        if only and name not in only:
            continue
        start = time.perf_counter()
        torch.manual_seed(seed)
        second = stage_config("")
        second.model.neck = neck
        model = MODELS.build(second.model)
        result = model.load_state_dict(first.state_dict(), strict=False)
        assert all(key.startswith("neck.") for key in result.missing_keys)
        fit(model, second, train, epochs)
        row = dict(hallucination=test(model, held_out))
        # The third stage. Its neck is fixed: what it imagines is computed only once,
        # and takes the place of the true flow in a model of the first stage.
        third = stage_config("_fusion")
        heads = MODELS.build(classifiers.model)
        heads.load_state_dict(first.state_dict())
        fit(heads, third, imagine(model.neck, train), epochs=20)
        row["fusion"] = test(heads, imagine(model.neck, held_out))
        row["parameters"] = sum(p.numel() for p in model.neck.parameters())
        row["minutes"] = round((time.perf_counter() - start) / 60, 2)
        rows[name] = row
        print(seed, name, json.dumps(row), flush=True)
    return rows


def spread(values: list[float]) -> str:
    if len(values) == 1:
        return f"{values[0]:.1f}"
    return f"{statistics.mean(values):.1f} ± {statistics.stdev(values):.1f}"


def table(seeds: dict[int, dict]) -> str:
    """Markdown; accuracy in percent on the test split, mean and deviation of seeds."""
    rows = list(seeds.values())
    streams = ("appearance", "flow", "two_stream")
    true = [spread([r["true flow"]["classifiers"][s] for r in rows]) for s in streams]
    lines = [
        "| network | weights | square error | imagined flow alone, classifier of true "
        "flow | imagined flow alone, own classifier | appearance alone | two-stream |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name in rows[0]:
        if name == "true flow":
            continue
        here = [r[name] for r in rows]
        error = statistics.mean(h["hallucination"]["mse"] for h in here)
        cells = [
            name,
            f"{here[0]['parameters'] / 1e6:.2f} M",
            f"{error:.4f}",
            spread([h["hallucination"]["flow"] for h in here]),
            spread([h["fusion"]["flow"] for h in here]),
            spread([h["fusion"]["appearance"] for h in here]),
            spread([h["fusion"]["two_stream"] for h in here]),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return (
        f"Test accuracy in percent, {len(rows)} seeds. Stage 1, without imagining: "
        f"appearance alone {true[0]}, true flow alone {true[1]}, both {true[2]}.\n\n"
        + "\n".join(lines)
        + "\n"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--features-only", action="store_true")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--epochs", type=int, default=10, help="of stage 2")
    parser.add_argument("--only", nargs="+", help="networks, by their names")
    parser.add_argument("--work-dirs", type=Path, default=Path("work_dirs"))
    default = ROOT / "benchmarks" / "results" / "monet_motionshapes.json"
    parser.add_argument("--out", type=Path, default=default)
    args = parser.parse_args()
    write_features(args.work_dirs)
    if args.features_only:
        return
    with DefaultScope.overwrite_default_scope("mmaction"):
        splits = {split: load_split(split) for split in ("train", "test")}
        seeds = {}
        for seed in args.seeds:
            seeds[seed] = run_seed(seed, splits, args.epochs, args.only)
            report = dict(
                machine=platform.machine(),
                processor=platform.processor(),
                threads=torch.get_num_threads(),
                load_average=os.getloadavg(),
                torch=torch.__version__,
                epochs=args.epochs,
                seeds=seeds,
            )
            args.out.write_text(json.dumps(report, indent=1) + "\n")
            args.out.with_suffix(".md").write_text(table(seeds))
    print(table(seeds))


if __name__ == "__main__":
    main()
