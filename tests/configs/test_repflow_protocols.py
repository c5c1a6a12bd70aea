"""What the configs of representation flow share with the paper's experiments."""

from pathlib import Path

import pytest
import torch
from helpers.read_config import read_config
from mmaction.registry import MODELS
from mmengine.registry import DefaultScope

import flowzoo  # noqa: F401

ROOT = Path(__file__).parents[2] / "configs"
# Data of which the paper says nothing, and mmaction2's networks with theirs.
OURS = ("motionshapes", "utinteraction", "weizmann", "slowonly", "tsm")
NAMES = [
    path.stem
    for path in sorted([*ROOT.glob("repflow_*.py"), *ROOT.glob("repflow/*.py")])
    if not any(word in path.stem for word in OURS)
]


@pytest.mark.parametrize("name", NAMES)
def test_frames_and_views(name):
    config = read_config(name)
    small = "112" in name or name.endswith("_authors")
    small |= "_minikinetics" in name and "_224" not in name
    short = small or "_minikinetics" in name or "_r34_hmdb51" in name
    for loader in (config.train_dataloader, config.test_dataloader):
        steps = {step.type: step for step in loader.dataset.pipeline}
        assert steps["SampleFrames"].frame_interval == 2
        assert steps["SampleFrames"].clip_len == (16 if short else 32)
    assert steps["SampleFrames"].get("num_clips", 1) == (1 if short else 10)
    crop = steps["CenterCrop" if short else "ThreeCrop"]
    assert crop.crop_size == (112 if small else 224)


@pytest.mark.parametrize("name", NAMES)
def test_starting_weights(name):
    """Small datasets start from ImageNet or Kinetics, LowRes-HMDB from scratch."""
    config = read_config(name)
    pretrained = config.model.backbone.get("pretrained")
    if name.startswith(("repflow_r3d18", "repflow_r2plus1d18")):
        assert pretrained.endswith("/resnet18-f37072fd.pth")
    elif any(word in name for word in ("_hmdb51_112", "_kinetics", "_minikinetics")):
        assert not pretrained and not config.load_from
    elif config.load_from:
        start = config.load_from.split("/")[1]
        network = {k: v for k, v in config.model.backbone.items() if k != "pretrained"}
        assert not pretrained and network == read_config(start).model.backbone
    else:
        depth = config.model.backbone.depth
        assert pretrained == f"torchvision://resnet{depth}"


def test_the_papers_2plus1d_network():
    for name in NAMES:
        kind = read_config(name).model.backbone.type
        if "tran_r2plus1d" in name:
            assert kind == "RepFlowResNet2Plus1d"
        elif name.endswith("_authors"):
            assert kind == "RepFlowFcfResNet3d"
        elif "r2plus1d" in name:
            assert kind == "RepFlowSeparableResNet3d"


@pytest.mark.parametrize(
    ("name", "millions"),
    [
        ("repflow_r34_minikinetics_rgb", 21.36),  # the paper: 21 M
        ("repflow_r50_kinetics_rgb", 24.33),
        ("repflow_r3d18_minikinetics_rgb", 33.28),
        ("repflow_r2plus1d50_kinetics_rgb", 33.04),
        ("repflow_r2plus1d50_kinetics_fcf", 33.37),
        ("repflow_r2plus1d50_kinetics_fcf_authors", 33.40),
        ("i3d_inception_kinetics", 12.69),
    ],
)
def test_parameters(name, millions):
    with DefaultScope.overwrite_default_scope("mmaction"), torch.device("meta"):
        model = MODELS.build(read_config(name).model)
    assert round(sum(p.numel() for p in model.parameters()) / 1e6, 2) == millions
