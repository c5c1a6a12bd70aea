"""Which MotionNet the hidden two-stream networks of comparison.py begin with.

    python benchmarks/weizmann_motionnet.py ROOT

ROOT is the folder of Weizmann's clips. Each of the zoo's MotionNets for two frames, in
one pass, warps every second frame of what hidden2s_r18_weizmann.py's networks get of
denis and eli, the two actors of the search, back to the frame before. The table,
benchmarks/results/weizmann_motionnet.md, has the mean absolute difference in gray
levels: no label and no other actor is looked at.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path

import torch
from comparison_benchmarks import BENCHMARKS
from comparison_report import machine
from mmaction.registry import DATASETS
from mmaction.utils import register_all_modules
from mmengine.config import Config
from tqdm import tqdm

from flowzoo import zoo
from flowzoo.config_lookup import find_config
from flowzoo.evaluation.flow_metrics import photometric_error
from flowzoo.models.flow_units import flow_in_pixels

RESULT = Path(__file__).parent / "results" / "weizmann_motionnet.md"
MOTION_NETS = (
    "tinymotionnet_motionshapes_2frames",
    "tinymotionnet_motionshapes_2frames_refined",
    "tinymotionnet_motionscenes_large",
    "tinymotionnet_motionscenes_large_tvl1",
)


def read_pairs(root: Path, data: Path) -> list[torch.Tensor]:
    """For each video (pairs, 3, 2, H, W) in gray levels of 0 to 255."""
    benchmark = BENCHMARKS["weizmann"]
    benchmark.prepare(root, data)
    clips = benchmark.clips(data, "train", 1)
    searched = [c for c in clips if benchmark.group(c) in benchmark.search_groups]
    listed = data / "searched.txt"
    listed.write_text("".join(f"{clip} {clips[clip]}\n" for clip in searched))
    config = Config.fromfile(find_config("hidden2s_r18_weizmann.py"))
    videos = DATASETS.build(dict(config.test_dataloader.dataset, ann_file=str(listed)))
    pairs = []
    for i in range(len(videos)):
        frames = videos[i]["inputs"].unfold(2, 2, 1)  # clips, 3, pairs, H, W, 2
        pairs.append(frames.permute(0, 2, 1, 5, 3, 4).flatten(0, 1))
    return pairs


@torch.no_grad()
def difference(name: str, videos: list[torch.Tensor]) -> float:
    """Of the first frames and the second ones, warped by a network's flow or zero."""
    network = None if name == "zero flow" else zoo.load(name)
    errors = []
    for pairs in tqdm(videos, desc=name):
        first, second = pairs.float().unbind(2)
        flow = torch.zeros_like(first[:, :2])
        if network is not None:
            data = dict(inputs=[pairs], data_samples=None)
            (clips,) = network.data_preprocessor(data)["inputs"]
            # without the pyramid that some of them were trained in
            motion_net = getattr(network.backbone, "motion_net", network.backbone)
            flow = flow_in_pixels(motion_net(clips)[0], first.shape[-2:])[:, 0]
        errors.append(photometric_error(first, second, flow))
    return torch.cat(errors).mean().item()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("root", type=Path, metavar="ROOT")
    args = parser.parse_args()
    register_all_modules()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["FLOWZOO_DATA"] = folder
        videos = read_pairs(args.root, Path(folder) / "weizmann")
    rows = {name: difference(name, videos) for name in (*MOTION_NETS, "zero flow")}
    lines = [
        "`python benchmarks/weizmann_motionnet.py ROOT`: "
        f"{sum(map(len, videos))} pairs of {len(videos)} videos; {machine()}\n",
        "| flow | mean difference in gray levels |\n| --- | --- |",
        *(f"| {n} | {rows[n]:.2f} |" for n in sorted(rows, key=rows.get)),
    ]
    RESULT.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(*lines, sep="\n")


if __name__ == "__main__":
    main()
