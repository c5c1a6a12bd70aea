"""Errors of optical flow on a dataset whose flow is known.

    python tools/analysis/evaluate_flow.py METHOD DATASET --root DIR

METHOD: tvl1 (with --preset), dis (OpenCV's DIS), zero, a MotionNet of the zoo, or a
config with --checkpoint. DATASET: middlebury, sintel, kitti2012, kitti2015 or
flyingchairs; DIR is the folder that its archives unpack into.

For each sequence: EPE (mean end-point error in pixels), AAE (mean angular error of
(u, v, 1) in degrees) and Fl (per cent of pixels that are off by more than 3 pixels and
5 %). Sintel: clean and final, and EPE without (noc) and only in (occ) occluded pixels.
KITTI: all pixels (EPE, Fl) and those that are visible in both frames (noc, Fl-noc); of
KITTI 2012 also Out and Out-noc, per cent of pixels that are off by more than 3 pixels.
``--pictures`` writes the errors as pictures, white being 10 pixels.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import torch
from tqdm import tqdm

import flowzoo  # noqa: F401
from flowzoo.devices import device_argument
from flowzoo.evaluation.flow_methods import FlowMethodError, flow_method
from flowzoo.evaluation.flow_metrics import end_point_error, is_outlier
from flowzoo.interrupts import run_tool
from flowzoo_kernels.tvl1_flow.options import PRESETS

METRICS = ("EPE", "noc", "occ", "AAE", "Fl", "Fl-noc", "Out", "Out-noc")


class Pair(NamedTuple):
    """Files of two frames, their flow, and what is occluded or the flow elsewhere."""

    sequence: str
    name: str
    first: Path
    second: Path
    flow: Path
    occluded: Path | None = None
    visible_flow: Path | None = None


def list_middlebury(root: Path) -> Iterator[Pair]:
    for flow in sorted(root.glob("other-gt-flow/*/flow10.flo")):
        name = flow.parent.name
        frames = [root / "other-data" / name / f"frame{i}.png" for i in (10, 11)]
        yield Pair(name, name, *frames, flow)


def list_sintel(root: Path) -> Iterator[Pair]:
    for kind in ("clean", "final"):
        for flow in sorted(root.glob("training/flow/*/frame_*.flo")):
            scene, number = flow.parent.name, int(flow.stem.removeprefix("frame_"))
            folder = root / "training" / kind / scene
            frames = [folder / f"frame_{i:04}.png" for i in (number, number + 1)]
            occluded = root / "training" / "occlusions" / scene / f"{flow.stem}.png"
            yield Pair(f"{kind}/{scene}", flow.stem, *frames, flow, occluded=occluded)


def _list_kitti(root: Path, frames: str, name: str) -> Iterator[Pair]:
    for flow in sorted(root.glob("training/flow_occ/*_10.png")):
        stem = flow.name.removesuffix("_10.png")
        pair = [root / "training" / frames / f"{stem}_{i}.png" for i in (10, 11)]
        visible = root / "training" / "flow_noc" / flow.name
        yield Pair(name, stem, *pair, flow, visible_flow=visible)


def list_kitti2012(root: Path) -> Iterator[Pair]:
    """In color, or gray where the archive's frames in color are not there."""
    color = (root / "training/colored_0").is_dir()
    return _list_kitti(root, "colored_0" if color else "image_0", "kitti2012")


def list_kitti2015(root: Path) -> Iterator[Pair]:
    return _list_kitti(root, "image_2", "kitti2015")


def list_flyingchairs(root: Path) -> Iterator[Pair]:
    """Names of the archive, or of other distributions of the same pairs."""
    archive = "_flow.flo", "_img1.ppm", "_img2.ppm"
    for end, *images in (archive, ("-gt.flo", "-img0.ppm", "-img1.ppm")):
        for flow in sorted(root.rglob(f"*{end}")):
            stem = flow.name.removesuffix(end)
            frames = [flow.with_name(stem + image) for image in images]
            yield Pair("flyingchairs", stem, *frames, flow)


DATASETS = {
    "middlebury": list_middlebury,
    "sintel": list_sintel,
    "kitti2012": list_kitti2012,
    "kitti2015": list_kitti2015,
    "flyingchairs": list_flyingchairs,
}


def read_flow(path: Path) -> np.ndarray:
    """(H, W, 2) from a .flo file or KITTI's 16-bit PNG; NaN where it is not known."""
    if path.suffix == ".png":
        image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        if image is None or image.dtype != np.uint16 or image.ndim != 3:
            sys.exit(f"{path} is not a 16-bit color PNG of KITTI's flow")
        flow = (image[..., 2:0:-1].astype(np.float32) - 2**15) / 64
        flow[image[..., 0] == 0] = np.nan
        return flow
    flow = cv2.readOpticalFlow(str(path))
    if flow is None or not flow.size:
        sys.exit(f"{path} is not a .flo file")
    flow[np.abs(flow).max(axis=2) > 1e9] = np.nan
    return flow


def read_frame(path: Path) -> np.ndarray:
    frame = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if frame is None:
        sys.exit(f"{path} is missing or no picture; is --root right?")
    return cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)


def visible_pixels(pair: Pair) -> torch.Tensor | None:
    """Which pixels are visible in both frames, where the dataset has that (H, W)."""
    if pair.occluded and pair.occluded.parent.is_dir():
        occluded = cv2.imread(str(pair.occluded), cv2.IMREAD_GRAYSCALE)
        if occluded is None:
            sys.exit(f"{pair.occluded} is missing or no picture")
        return torch.from_numpy(occluded == 0)
    if pair.visible_flow and pair.visible_flow.parent.is_dir():
        return torch.from_numpy(np.isfinite(read_flow(pair.visible_flow)).all(2))
    return None


def check_sizes(pair: Pair, **shapes: tuple[int, ...]) -> None:
    """Exit where files of a pair have pixels of different numbers."""
    if len(set(shapes.values())) > 1:
        listed = ", ".join(f"{name}: {tuple(shape)}" for name, shape in shapes.items())
        sys.exit(f"{pair.flow} and its files differ in height and width ({listed})")


def measure(pair: Pair, flow: np.ndarray, truth: np.ndarray) -> tuple[dict, np.ndarray]:
    """Sums and numbers of pixels of each metric, and the error of each pixel."""
    flow, truth = (torch.from_numpy(f).permute(2, 0, 1).double() for f in (flow, truth))
    error = end_point_error(flow, truth)
    known = truth.isfinite().all(0)  # NaN of a method shows in the table
    one = torch.ones_like(flow[:1])
    first, second = torch.cat([flow, one]), torch.cat([truth, one])
    sine = torch.linalg.vector_norm(torch.linalg.cross(first, second, dim=0), dim=0)
    angle = torch.rad2deg(torch.atan2(sine, (first * second).sum(0)))
    outlier = 100.0 * is_outlier(error, truth)
    values = {"EPE": (error, known), "AAE": (angle, known), "Fl": (outlier, known)}
    visible = visible_pixels(pair)
    if visible is not None:
        check_sizes(pair, flow=error.shape, occlusion=visible.shape)
        values["noc"] = error, known & visible
        values["occ"] = error, known & ~visible
        values["Fl-noc"] = outlier, known & visible
    if pair.sequence == "kitti2012":  # whose tables count pixels by their error alone
        off = 100.0 * ~(error <= 3)
        values["Out"] = off, known
        if visible is not None:
            values["Out-noc"] = off, known & visible
    sums = {
        name: np.array([value[where].double().sum(), where.sum()])
        for name, (value, where) in values.items()
    }
    return sums, error.numpy()


def table(totals: dict[str, dict]) -> str:
    """Lines of sequences, each pixel counting alike."""
    used = [m for m in METRICS if any(m in sums for sums in totals.values())]
    lines = [
        "| sequence | " + " | ".join(used) + " |",
        "| --- |" + " --- |" * len(used),
    ]
    for name, sums in totals.items():
        cells = []
        for metric in used:
            total, count = sums.get(metric, (0, 0))
            cells.append(f"{total / count:.3f}" if count else "")
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def add(totals: dict, name: str, sums: dict) -> None:
    own = totals.setdefault(name, {})
    for metric, values in sums.items():
        own[metric] = own.get(metric, 0) + values


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("method", metavar="METHOD")
    parser.add_argument("dataset", metavar="DATASET", choices=tuple(DATASETS))
    parser.add_argument("--root", type=Path, required=True, metavar="DIR")
    parser.add_argument("--preset", default="opencv", choices=tuple(PRESETS))
    parser.add_argument("--checkpoint")
    parser.add_argument("--device", type=device_argument, default="cpu")
    parser.add_argument("--pictures", type=Path, metavar="DIR")
    args = parser.parse_args()
    pairs = list(DATASETS[args.dataset](args.root))
    if not pairs:
        sys.exit(f"no flow of {args.dataset} below {args.root}; is --root right?")
    try:
        method = flow_method(args.method, args.preset, args.checkpoint, args.device)
    except FlowMethodError as error:
        sys.exit(f"METHOD {error}")
    totals: dict[str, dict] = {}
    for pair in tqdm(pairs):
        frames = read_frame(pair.first), read_frame(pair.second)
        truth = read_flow(pair.flow)
        first, second, flow = (a.shape[:2] for a in (*frames, truth))
        check_sizes(pair, first=first, second=second, flow=flow)
        sums, error = measure(pair, method(*frames), truth)
        add(totals, pair.sequence, sums)
        if args.pictures:
            path = args.pictures / pair.sequence / f"{pair.name}.png"
            image = np.nan_to_num(error).clip(0, 10) * 25.5
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(cv2.imencode(".png", image.astype(np.uint8))[1])
            except OSError as reason:
                sys.exit(f"cannot write {path}: {reason.strerror}")
    for kind in sorted({name.split("/")[0] for name in totals if "/" in name}):
        for name, sums in list(totals.items()):
            if name.startswith(f"{kind}/"):
                add(totals, f"all of {kind}", sums)
    if len(totals) > 1 and not any("/" in name for name in totals):
        for sums in list(totals.values()):
            add(totals, "all", sums)
    print(table(totals))


if __name__ == "__main__":
    run_tool(main)
