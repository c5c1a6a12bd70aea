"""Throughput of the hidden two-stream network against TV-L1 and a temporal stream.

    python benchmarks/bench_hidden_two_stream.py VIDEO [--rounds N] [--threads N]

Frames per second, of clips of 11 frames at 224 x 224, which have 10 flows and count as
10 frames. In turns, in one process, with the same number of threads for both:

- `two_stage`: OpenCV's DualTVL1 (CPU, its default parameters) on the same 224 x 224
  pixels, then VGG-16 on the stack of flows;
- `stacked`: MotionNet and VGG-16, configs/hidden2s_vgg16_ucf101.py;
- `two_stage_two_stream` and `hidden_two_stream`: these and the spatial VGG-16 on the
  middle frame, configs/hidden_two_stream/twostream_vgg16_ucf101.py;
- `..._bfloat16`: under autocast.

Weights are random: only the time is measured. With decoding means the pipeline of
reading from the video file, which both kinds share, before it. Writes
benchmarks/results/hidden_two_stream_DEVICE.json.
"""

import argparse
import functools
import statistics
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import timing
import torch
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.dataset import Compose
from mmengine.registry import DefaultScope

from flowzoo.config_lookup import find_config
from flowzoo.score_fusion import fuse_scores

ROOT = Path(__file__).parents[1]
CONFIG = find_config("twostream_vgg16_ucf101.py")
FLOWS = 10


def without_downloads(cfg):
    """The model config without pretrained weights."""
    for key, value in list(cfg.items()):
        if key in ("pretrained", "init_cfg"):
            cfg[key] = None
        elif isinstance(value, dict):
            without_downloads(value)
    return cfg


def tvl1_images(frames: np.ndarray, tvl1: cv2.DenseOpticalFlow) -> np.ndarray:
    """TV-L1 flow of gray frames (11, H, W) as stacked images, (20, H, W), less 128."""
    flows = [tvl1.calc(frames[i], frames[i + 1], None) for i in range(len(frames) - 1)]
    stack = np.concatenate([flow.transpose(2, 0, 1) for flow in flows])
    return ((stack.clip(-20, 20) + 20) * 6.375).round() - 128


class Pipelines:
    """What is timed: functions of a clip, (1, 3, 11, 224, 224) uint8."""

    def __init__(self, device: str) -> None:
        config = Config.fromfile(CONFIG)
        with DefaultScope.overwrite_default_scope("mmaction"):
            self.model = MODELS.build(without_downloads(config.model))
            self.decode = Compose(config.val_pipeline[:-1])
        self.model = self.model.to(device).eval()
        self.device = device
        self.tvl1 = cv2.optflow.DualTVL1OpticalFlow_create()

    def read(self, video: Path) -> np.ndarray:
        """Decode, resize and crop the clip in the middle of a video."""
        results = dict(filename=str(video), start_index=0, modality="RGB")
        return self.decode(results)["imgs"]

    def _classify(self, images: torch.Tensor) -> torch.Tensor:
        features = self.model.temporal.backbone.temporal(images)
        return self.model.temporal.cls_head(features.unsqueeze(2))

    def two_stage(self, clip: np.ndarray) -> torch.Tensor:
        frames = [
            cv2.cvtColor(np.ascontiguousarray(frame), cv2.COLOR_RGB2GRAY)
            for frame in clip[0].transpose(1, 2, 3, 0)
        ]
        images = tvl1_images(np.stack(frames), self.tvl1).astype(np.float32)
        return self._classify(torch.from_numpy(images)[None].to(self.device))

    def stacked(self, clip: np.ndarray) -> torch.Tensor:
        stream = self.model.temporal
        inputs = torch.from_numpy(clip).to(self.device)
        inputs, _ = stream.data_preprocessor.preprocess([inputs], [])
        return stream.cls_head(stream.backbone(inputs.flatten(0, 1)))

    def two_stage_two_stream(self, clip: np.ndarray) -> torch.Tensor:
        stream = self.model.spatial
        frame = torch.from_numpy(clip[:, :, clip.shape[2] // 2]).to(self.device)
        inputs, _ = stream.data_preprocessor.preprocess([frame], [])
        spatial = stream.cls_head(stream.backbone(inputs.flatten(0, 1)), num_segs=1)
        return fuse_scores([spatial, self.two_stage(clip)], (1, 1.5), "clamp_l1")

    def hidden_two_stream(self, clip: np.ndarray) -> torch.Tensor:
        inputs = torch.from_numpy(clip).to(self.device).float()
        return self.model(inputs[None])


def summary(seconds: list[float]) -> dict:
    quartiles = statistics.quantiles(seconds, n=4)
    return dict(
        median_fps=round(FLOWS / statistics.median(seconds), 2),
        quartile_fps=[round(FLOWS / q, 2) for q in (quartiles[2], quartiles[0])],
        seconds_per_clip=[round(s, 4) for s in seconds],
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("video", type=Path)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    args = parser.parse_args()
    if args.rounds < 2:
        parser.error("--rounds must be at least 2")
    torch.set_num_threads(args.threads)
    cv2.setNumThreads(args.threads)

    device = "cuda" if torch.cuda.is_available() else "cpu"
    pipelines = Pipelines(device)
    kinds = {
        "two_stage": (pipelines.two_stage, False),
        "two_stage_two_stream": (pipelines.two_stage_two_stream, False),
        "stacked": (pipelines.stacked, False),
        "hidden_two_stream": (pipelines.hidden_two_stream, False),
        "stacked_bfloat16": (pipelines.stacked, True),
        "hidden_two_stream_bfloat16": (pipelines.hidden_two_stream, True),
    }

    def run(function: Callable, half: bool) -> None:
        autocast = torch.autocast(device, torch.bfloat16, enabled=half)
        with torch.inference_mode(), autocast:
            function(clip)

    clip = pipelines.read(args.video)
    calls = {"decoding": functools.partial(pipelines.read, args.video)}
    calls |= {name: functools.partial(run, *kind) for name, kind in kinds.items()}
    environment = timing.environment(device)
    seconds = timing.alternate(calls, args.rounds)

    rows = {}
    for name in kinds:
        with_decoding = [
            a + b for a, b in zip(seconds[name], seconds["decoding"], strict=True)
        ]
        rows[name] = dict(
            without_decoding=summary(seconds[name]),
            with_decoding=summary(with_decoding),
        )
    baselines = {
        name: rows["two_stage_two_stream" if "two_stream" in name else "two_stage"]
        for name in rows
    }
    result = dict(
        video=args.video.name,
        flows_per_clip=FLOWS,
        **environment,
        opencv_threads=cv2.getNumThreads(),
        opencv=cv2.__version__,
        decoding_seconds=[round(s, 4) for s in seconds["decoding"]],
        frames_per_second=rows,
        times_two_stage={
            name: {
                kind: round(
                    row[kind]["median_fps"] / baselines[name][kind]["median_fps"], 2
                )
                for kind in row
            }
            for name, row in rows.items()
        },
    )
    timing.write(timing.RESULTS / f"hidden_two_stream_{device}.json", result)
    for name, row in rows.items():
        cells = (
            f"{kind.replace('_', ' ')} {row[kind]['median_fps']:8.2f} "
            f"({result['times_two_stage'][name][kind]:.1f}x)"
            for kind in row
        )
        print(f"{name:28}" + "   ".join(cells))


if __name__ == "__main__":
    main()
