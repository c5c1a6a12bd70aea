"""TinyMotionNet without labels, on a CPU: train, test, curves and images of flow.

    python benchmarks/tinymotionnet.py motionshapes
    python benchmarks/tinymotionnet.py ucf101 FOLDER_OF_VIDEOS FOLDER_OF_FLYINGCHAIRS

The first trains configs/tinymotionnet_motionshapes.py (or --config NAME) on the
training split of MotionShapes and tests it on the test split. The second trains
tinymotionnet_ucf101_2frames.py on all videos of a folder and compares the flow with the
true one of pairs of frames of another kind, beside zero flow and OpenCV's DIS and
TV-L1. benchmarks/results/tinymotionnet_NAME.{json,png} and
..._curves.png are written. With --checkpoint FILE nothing is trained; --cfg-options is
passed on.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from mmengine.config import Config, DictAction
from mmengine.runner import Runner, load_checkpoint
from torch import Tensor

from flowzoo.config_lookup import find_config
from flowzoo.datasets import FlowPairDataset
from flowzoo.engine.visualization import flow_image
from flowzoo.evaluation.flow_metrics import end_point_error
from flowzoo.models.losses import RefinedFlowLoss
from flowzoo.models.recognizers import flow_in_pixels

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"
CHAIRS = ("-img0.ppm", "-img1.ppm", "-gt.flo")
# Frames are halved for the network, so that motion is nearer to what it has seen.
HALVED = 2


def build_runner(name: str, args: argparse.Namespace) -> Runner:
    config = Config.fromfile(find_config(f"{name}.py"))
    config.work_dir = str(args.work_dir / name)
    if args.dataset == "ucf101":
        videos = sorted(p.name for p in args.videos.iterdir() if p.suffix == ".avi")
        listed = args.work_dir / "videos.txt"
        listed.parent.mkdir(parents=True, exist_ok=True)
        listed.write_text("".join(f"{video} 0\n" for video in videos))
        for loader in ("train", "val", "test"):
            dataset = config[f"{loader}_dataloader"].dataset
            dataset.ann_file = str(listed)
            dataset.data_prefix = dict(video=str(args.videos))
        # the pairs with true flow are tested here, not by the runner
        config.val_cfg = config.val_dataloader = config.val_evaluator = None
        config.test_cfg = config.test_dataloader = config.test_evaluator = None
        config.default_hooks.checkpoint.pop("save_best", None)
    config.randomness = dict(seed=0)
    config.merge_from_dict(args.cfg_options or {})
    runner = Runner.from_cfg(config)
    # with bfloat16 on a CPU, a fifth faster
    runner.model.to(memory_format=torch.channels_last)
    return runner


def train(runner: Runner, name: str) -> dict:
    started = time.time()
    cpu = time.process_time()
    runner.train()
    curves = RESULTS / f"{name}_curves.png"
    refined = isinstance(runner.model.flow_loss, RefinedFlowLoss)
    direct = ["photometric_2", "smoothness_2", "ssim_2"]
    keys = ["loss", *(["epe_2", "refined_motion"] if refined else direct)]
    if runner.val_loop is not None:
        keys += ["flow/EPE", "flow/EPE_zero"]
    command = [sys.executable, str(ROOT / "tools" / "analysis" / "plot_log.py")]
    command += [runner.work_dir, "--keys", *keys, "--out", str(curves)]
    subprocess.run(command, check=True)
    return {
        "iterations": runner.iter,
        "minutes": round((time.time() - started) / 60, 1),
        "CPU minutes": round((time.process_time() - cpu) / 60, 1),
    }


def motionshapes(args: argparse.Namespace) -> dict:
    name = args.config or "tinymotionnet_motionshapes"
    runner = build_runner(name, args)
    found = {"config": f"{name}.py"}
    if args.checkpoint is None:
        found["training"] = train(runner, name)
    else:
        runner.load_checkpoint(str(args.checkpoint))
    metrics = {k: round(v, 4) for k, v in runner.test().items() if "flow/" in k}
    found["test split"] = metrics
    found["EPE below zero flow's by"] = round(
        1 - metrics["flow/EPE"] / metrics["flow/EPE_zero"], 3
    )
    rows = []
    dataset = runner.test_dataloader.dataset
    pair = (runner.model.backbone.num_frames - 2) // 2
    for index in range(8):  # one clip of each class
        sample = dataset[index]
        batch = dict(inputs=[sample["inputs"]], data_samples=[sample["data_samples"]])
        with torch.no_grad():
            (predicted,) = runner.model.val_step(batch)
        clip = sample["inputs"][0]
        truth = sample["data_samples"].gt_flow[pair]
        flow = predicted.pred_flow[pair].cpu()
        rows.append(flow_image(clip[:, pair], clip[:, pair + 1], flow, truth))
    write_image(name, rows, enlarge=2)
    return found


def network_flow(model, first: Tensor, second: Tensor) -> Tensor:
    """Flow (2, H, W) in pixels between frames (3, H, W) in [0, 255]."""
    size = tuple(first.shape[-2:])
    clip = torch.stack([first, second], 1)[None].float()
    small = [n // HALVED for n in size]
    frames = F.interpolate(clip.transpose(1, 2)[0], small, mode="area")
    inputs = frames.transpose(0, 1)[None]
    data = model.data_preprocessor(dict(inputs=[inputs], data_samples=None))
    with torch.no_grad():
        flow = flow_in_pixels(model(data["inputs"])[0], size)[0, 0]
    return HALVED * flow


def opencv_flow(method, first: Tensor, second: Tensor) -> Tensor:
    gray = [
        cv2.cvtColor(f.permute(1, 2, 0).numpy(), cv2.COLOR_RGB2GRAY)
        for f in (first, second)
    ]
    return torch.from_numpy(method.calc(*gray, None)).permute(2, 0, 1)


def ucf101(args: argparse.Namespace) -> dict:
    name = args.config or "tinymotionnet_ucf101_2frames"
    runner = build_runner(name, args)
    found = {"config": f"{name}.py"}
    if args.checkpoint is None:
        found["training"] = train(runner, name)
    else:
        load_checkpoint(runner.model, str(args.checkpoint), map_location="cpu")
    model = runner.model.eval()
    pipeline = [
        dict(type="LoadFlowPair"),
        dict(type="FormatFlow"),
        dict(type="FormatShape", input_format="NCTHW"),
        dict(type="PackActionInputs", algorithm_keys=("gt_flow",)),
    ]
    methods = {
        "TinyMotionNet": lambda *frames: network_flow(model, *frames),
        "DIS": lambda *frames: opencv_flow(
            cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM), *frames
        ),
        "TV-L1": lambda *frames: opencv_flow(
            cv2.optflow.createOptFlow_DualTVL1(), *frames
        ),
    }
    errors = {"zero flow": []} | {method: [] for method in methods}
    rows = []
    for sample in FlowPairDataset(str(args.chairs), pipeline, CHAIRS, test_mode=True):
        first, second = sample["inputs"][0].unbind(1)
        truth = sample["data_samples"].gt_flow[0]
        flows = {"zero flow": torch.zeros_like(truth)}
        flows |= {method: of(first, second) for method, of in methods.items()}
        for method, flow in flows.items():
            error = end_point_error(flow, truth)
            errors[method].append(round(float(error[error.isfinite()].mean()), 2))
        rows.append(flow_image(first, second, flows["TinyMotionNet"], truth))
    found["EPE in pixels, each pair"] = errors
    found["EPE in pixels"] = {k: round(float(np.mean(v)), 3) for k, v in errors.items()}
    pairs = zip(errors["TinyMotionNet"], errors["zero flow"], strict=True)
    found["pairs better than zero flow"] = sum(a < b for a, b in pairs)
    write_image(name, [row[::4, ::4] for row in rows], enlarge=1)
    return found


def write_image(name: str, rows: list[np.ndarray], enlarge: int) -> None:
    """Rows of first frame, second frame, flow, true flow."""
    image = np.concatenate(rows).repeat(enlarge, 0).repeat(enlarge, 1)
    cv2.imwrite(str(RESULTS / f"{name}.png"), image[..., ::-1])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    datasets = parser.add_subparsers(dest="dataset", required=True)
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--work-dir", type=Path, default=Path("work_dirs"))
    common.add_argument("--config", help="its file name, without .py")
    common.add_argument("--checkpoint", type=Path)
    common.add_argument("--cfg-options", nargs="+", action=DictAction)
    datasets.add_parser("motionshapes", parents=[common])
    real = datasets.add_parser("ucf101", parents=[common])
    real.add_argument("videos", type=Path)
    real.add_argument("chairs", type=Path)
    args = parser.parse_args()
    found = {"motionshapes": motionshapes, "ucf101": ucf101}[args.dataset](args)
    found["machine"] = {
        "device": "cuda" if torch.cuda.is_available() else "cpu",
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "opencv": cv2.__version__,
    }
    text = json.dumps(found, indent=1) + "\n"
    name = Path(found["config"]).stem
    (RESULTS / f"{name}.json").write_text(text)
    print(text, end="")


if __name__ == "__main__":
    main()
