"""Make the README's and the zoo's images.

    python docs/images/make.py [flow] [speed] [zoo]

``flow.gif`` shows test clips of MotionShapes and the representation flow of the
published network, ``speed.png`` the times in benchmarks/results/repflow_cpu.json,
``zoo.png`` the papers' accuracies in the metafiles against the networks' parameters.
"""

import json
import sys
from pathlib import Path

import cv2
import matplotlib.pyplot as plt
import numpy as np
import torch
from mmengine.config import Config
from PIL import Image

from flowzoo.datasets.motionshapes.files import MotionShapesSpec, prepare
from flowzoo.visualization import FlowRecorder, first_clip, flow_to_color, read_clip
from flowzoo.zoo import load, models

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
NAME = "repflow_r18_motionshapes"
CLIPS = "00000_right", "00002_up", "00004_clockwise", "00006_zoom_in"
CHANNELS = 3
TILE = 112  # pixels
LABELS = {
    "fused": "FlowZoo",
    "compile": "torch.compile",
    "eager": "eager PyTorch",
    "authors": "authors' layer",
}


def enlarge(image: np.ndarray) -> np.ndarray:
    return cv2.resize(image, (TILE, TILE), interpolation=cv2.INTER_NEAREST)


def rows_of(model, video: Path) -> np.ndarray:
    """(T-1, TILE, (1 + CHANNELS) TILE, 3): a clip beside its strongest flows."""
    batch = read_clip(Config.fromfile(ROOT / "configs" / f"{NAME}.py"), video)
    with FlowRecorder(model) as recorder, torch.no_grad():
        model.test_step(batch)
    (flow,) = recorder.flows.values()
    flow = flow[0].unflatten(0, (2, -1))  # (2, C, T-1, h, w)
    length = torch.linalg.vector_norm(flow, dim=0)
    channels = length.mean((1, 2, 3)).topk(CHANNELS).indices
    scale = float(torch.quantile(length[channels], 0.99))
    frames = first_clip(batch["inputs"][0], 1)
    rows = []
    for step in range(flow.shape[2]):
        colors = flow_to_color(flow[:, channels, step].transpose(0, 1), scale)
        rows.append(np.hstack([enlarge(p) for p in (frames[step], *colors)]))
    return np.stack(rows)


def draw_flow() -> None:
    root = prepare(MotionShapesSpec())
    model = load(NAME)
    clips = [rows_of(model, root / "test" / f"{clip}.mp4") for clip in CLIPS]
    left, right = np.concatenate(clips[:2], 1), np.concatenate(clips[2:], 1)
    gap = np.full((*left.shape[:2], 12, 3), 255, np.uint8)
    images = [Image.fromarray(f) for f in np.concatenate([left, gap, right], 2)]
    images = [i.quantize(128, dither=Image.Dither.NONE) for i in images]
    options = dict(save_all=True, append_images=images[1:], duration=150, loop=0)
    images[0].save(HERE / "flow.gif", optimize=True, **options)


def draw_speed() -> None:
    found = json.loads((ROOT / "benchmarks/results/repflow_cpu.json").read_text())
    figure, axes = plt.subplots(1, 2, figsize=(8, 2.6), sharey=True)
    titles = {"forward": "forward", "train": "forward and backward"}
    rows = [row for row in found["rows"] if row["variant"] == "tvl1"]
    for axis, (part, title) in zip(axes, titles.items(), strict=True):
        for name, label in LABELS.items():
            shown = [row for row in rows if name in row[part]]
            sides = [row["shape"][-1] for row in shown]
            times = [
                1e9 * row[part][name]["median"] / np.prod(row["shape"]) / row["n_iters"]
                for row in shown
            ]
            axis.plot(sides, times, marker="o", label=label)
        axis.set(title=title, xscale="log", yscale="log", xlabel="map side in pixels")
        axis.set_xticks([7, 14, 28, 56, 112], [7, 14, 28, 56, 112])
        axis.minorticks_off()
        axis.grid(alpha=0.3)
    axes[0].set_ylabel("ns per pixel and iteration")
    axes[1].legend(fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
    figure.tight_layout()
    figure.savefig(HERE / "speed.png", dpi=110)


def draw_zoo() -> None:
    """The networks whose paper gives one number, in per cent of right answers."""
    rows = [m for m in models().values() if m.paper and m.protocol.endswith("top-1")]
    rows = [m for m in rows if isinstance(m.paper["value"], int | float)]
    # MoNet's other rows are classifiers of features that another network has made
    rows = [m for m in rows if m.multiply_adds or m.family != "MoNet"]
    datasets = "Mini-Kinetics", "Kinetics-400", "HMDB51", "UCF101"
    colors = {family: f"C{i}" for i, family in enumerate({m.family: 0 for m in rows})}
    figure, axes = plt.subplots(2, 2, figsize=(9, 6.5))
    for axis, dataset in zip(axes.flat, datasets, strict=True):
        for family, color in colors.items():
            shown = [m for m in rows if (m.dataset, m.family) == (dataset, family)]
            parameters = [m.parameters / 1e6 for m in shown]
            accuracies = [m.paper["value"] for m in shown]
            axis.scatter(parameters, accuracies, 18, color, alpha=0.7, label=family)
        axis.set(title=dataset, xscale="log")
        axis.set_xticks([10, 20, 50, 100, 200, 400], [10, 20, 50, 100, 200, 400])
        axis.minorticks_off()
        axis.grid(alpha=0.3)
    figure.supxlabel("million parameters")
    figure.supylabel("top-1 accuracy in the papers, %")
    handles, labels = axes.flat[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=4, fontsize=8)
    figure.tight_layout(rect=(0, 0, 1, 0.92))
    figure.savefig(HERE / "zoo.png", dpi=110)


if __name__ == "__main__":
    for name in sys.argv[1:] or ("flow", "speed", "zoo"):
        globals()[f"draw_{name}"]()
