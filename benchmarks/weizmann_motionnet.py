"""Which MotionNet the hidden two-stream networks of comparison.py begin with.

    python benchmarks/weizmann_motionnet.py ROOT

ROOT is the folder of Weizmann's clips. Each of the zoo's MotionNets for two frames, in
one pass, warps every second frame of what hidden2s_r18_weizmann.py's networks get of
denis and eli, the two actors of the search, back to the frame before. The table,
benchmarks/results/weizmann_motionnet.md, has the mean absolute difference in gray
levels and the CPU milliseconds a pair, at half the frames' size, as the configs have
it, and at their whole size: no label and no other actor is looked at. The environment
variable FLOWZOO_RESULTS names another folder for it.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path

import timing
import torch
from comparison_benchmarks import BENCHMARKS
from comparison_report import machine
from mmaction.registry import DATASETS
from mmaction.utils import register_all_modules
from mmengine.config import Config
from tqdm import tqdm

from flowzoo import zoo
from flowzoo.config_lookup import find_config
from flowzoo.datasets.preparation import PreparationError
from flowzoo.evaluation.flow_metrics import photometric_error
from flowzoo.models.backbones import PyramidMotionNet
from flowzoo.models.flow_units import flow_in_pixels

RESULT = timing.OUTPUT / "weizmann_motionnet.md"
MEAN = torch.tensor([123.0, 117.0, 104.0])  # of the colors, as MotionNet takes them
MOTION_NETS = (
    "tinymotionnet_motionshapes_2frames",
    "tinymotionnet_motionshapes_2frames_refined",
    "tinymotionnet_motionscenes_large",
    "tinymotionnet_motionscenes_large_tvl1",
)


def read_clips(root: Path, data: Path) -> list[torch.Tensor]:
    """For each video (clips, 3, T, H, W) in gray levels of 0 to 255."""
    benchmark = BENCHMARKS["weizmann"]
    benchmark.prepare(root, data)
    clips = benchmark.clips(data, "train", 1)
    searched = [c for c in clips if benchmark.group(c) in benchmark.search_groups]
    listed = data / "searched.txt"
    listed.write_text("".join(f"{clip} {clips[clip]}\n" for clip in searched))
    config = Config.fromfile(find_config("hidden2s_r18_weizmann.py"))
    videos = DATASETS.build(dict(config.test_dataloader.dataset, ann_file=str(listed)))
    return [videos[i]["inputs"] for i in range(len(videos))]


def one_pass(name: str, frames: int, halvings: int) -> PyramidMotionNet:
    """A network of the zoo, without the pyramid that some were trained in."""
    network = zoo.load(name).backbone
    passes = PyramidMotionNet(
        dict(type="TinyMotionNet", num_frames=2), frames, halvings + 1, halvings
    )
    passes.motion_net = getattr(network, "motion_net", network)
    return passes.eval()


@torch.no_grad()
def measure(network: PyramidMotionNet | None, videos: list[torch.Tensor]) -> str:
    """Mean difference with a network's flow or zero, and milliseconds a pair."""
    errors, times = [], []
    for clips in tqdm(videos):
        first, second = (
            frames.transpose(1, 2).flatten(0, 1)
            for frames in (clips[:, :, :-1].float(), clips[:, :, 1:].float())
        )
        flow = torch.zeros_like(first[:, :2])
        if network is not None:
            inputs = (clips - MEAN.view(3, 1, 1, 1)) / 255
            started = time.process_time()
            flow = network(inputs)[0].unflatten(1, (-1, 2)).flatten(0, 1)
            times.append(1000 * (time.process_time() - started) / len(flow))
            flow = flow_in_pixels(flow, first.shape[-2:])[:, 0]
        errors.append(photometric_error(first, second, flow))
    spent = f", {statistics.median(times):.1f} ms" if times else ""
    return f"{torch.cat(errors).mean():.2f}{spent}"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("root", type=Path, metavar="ROOT")
    args = parser.parse_args()
    try:
        timing.check_writable(RESULT.parent)
    except OSError as error:
        parser.error(str(error))
    register_all_modules()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["FLOWZOO_DATA"] = folder
        try:
            videos = read_clips(args.root, Path(folder) / "weizmann")
        except PreparationError as error:
            parser.error(f"ROOT {args.root}: {error}")
    frames = videos[0].shape[2]
    lines = [
        "`python benchmarks/weizmann_motionnet.py ROOT`: "
        f"{sum(map(len, videos))} clips of {len(videos)} videos; {machine()}\n",
        "| flow | at half the frames' size | at their size |\n| --- | --- | --- |",
        f"| zero | {measure(None, videos)} | |",
    ]
    for name in MOTION_NETS:
        half, whole = (
            measure(one_pass(name, frames, halvings), videos) for halvings in (1, 0)
        )
        lines.append(f"| {name} | {half} | {whole} |")
    RESULT.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(*lines, sep="\n")


if __name__ == "__main__":
    main()
