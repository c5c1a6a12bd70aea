"""Configs that start from another's checkpoint name one that its training writes."""

import re
from pathlib import Path

import pytest
from helpers.read_config import read_config
from mmengine.config import ConfigDict

ROOT = Path(__file__).parents[2] / "configs"
CONFIGS = sorted(set(ROOT.rglob("*.py")) - set((ROOT / "_base_").rglob("*.py")))
CHECKPOINT = re.compile(r"work_dirs/([^/]+)/(iter|epoch)_(\d+)\.pth")


def checkpoints(value):
    if isinstance(value, ConfigDict | dict):
        for inner in value.values():
            yield from checkpoints(inner)
    elif isinstance(value, str) and value.startswith("work_dirs/"):
        yield value


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_checkpoints_before_are_written(path):
    config = read_config(path.stem)
    for file in checkpoints(dict(model=config.model, load_from=config.load_from)):
        name, unit, number = CHECKPOINT.fullmatch(file).groups()
        before = read_config(name).train_cfg
        last = before.get("max_iters" if unit == "iter" else "max_epochs")
        assert last == int(number), file


# What a network starts from, how it is trained, and what it predicts.
TRAINING = {
    *("dropout_ratio", "init_cfg", "partial_bn", "pretrained", "train_motion"),
    "quantize",  # images of flow, as the first classifiers read them
    "levels",  # of a pyramid, which share their weights
    *("num_classes", "average_clips", "loss_cls", "multi_class", "topk"),
}


def layers(part):
    if isinstance(part, ConfigDict | dict):
        inner = {k: layers(v) for k, v in part.items() if k not in TRAINING}
        return {k: v for k, v in inner.items() if v != {}}
    return part


def parts_from_checkpoints(part):
    """Parts of a model that start from another config's, its file and their names."""
    if not isinstance(part, ConfigDict | dict):
        return
    start = part.get("init_cfg") or {}
    if CHECKPOINT.fullmatch(str(start.get("checkpoint"))):
        yield part, start["checkpoint"], start["prefix"].rstrip(".")
    for inner in part.values():
        yield from parts_from_checkpoints(inner)


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_checkpoints_before_are_of_the_same_network(path):
    config = read_config(path.stem)
    parts = list(parts_from_checkpoints(config.model))
    if CHECKPOINT.fullmatch(config.load_from or ""):
        for name in ("backbone", "appearance_head", "flow_head"):
            if part := config.model.get(name):
                parts.append((part, config.load_from, name))
    for part, file, name in parts:
        before = CHECKPOINT.fullmatch(file)[1]
        model = read_config(before).model
        assert layers(part) == layers(model[name]), (before, name)


@pytest.mark.parametrize("network", ["vgg16", "tsn", "i3d"])
@pytest.mark.parametrize(
    "dataset", ["ucf101", "hmdb51", "thumos14", "activitynet", "kinetics"]
)
def test_end_to_end_starts_from_a_network_on_motionnets_flow(network, dataset):
    name = f"hidden2s_{network}_{dataset}"
    before = f"{name}_temporal"
    end_to_end = read_config(name)
    assert list(checkpoints(dict(end_to_end))) == [
        f"work_dirs/{before}/iter_320000.pth"
    ]
    backbone = read_config(before).model.backbone
    assert backbone.train_motion == "fixed" and backbone.flow_to_image.quantize
    start = backbone.motion_net.init_cfg.checkpoint
    assert start == f"work_dirs/motionnet_{dataset}/iter_400000.pth"
