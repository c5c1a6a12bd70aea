"""The hidden two-stream authors' Caffe weights as state_dicts of ours."""

import re
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from flowzoo.models.backbones import VGG16, MotionNet

from ..io.caffemodel import read_caffemodel
from ..io.state_dict_reader import StateDictReader, listed


def convert_motionnet(theirs: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """MotionNet's state_dict, for ``motionnet_*.py``.

    Args:
        theirs: tensors of their ``multiframe_MotionNet``, as
            :func:`flowzoo.io.caffemodel.read_caffemodel` gives them. The layers of the
            losses are passed over.

    Raises:
        ValueError: Tensors are missing, of another shape or not finite; the message
            names them.
    """
    source = StateDictReader(theirs)
    ours = _take_motionnet(source, "backbone.")
    source.finish("their MotionNet", may_have_more=True)
    return ours


def convert_stacked(theirs: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The stacked temporal stream's state_dict, for ``hidden2s_vgg16_*.py``.

    Args:
        theirs: tensors of their MotionNet with VGG-16 behind it. The constants between
            the two are passed over.

    Raises:
        ValueError: As :func:`convert_motionnet`.
    """
    source = StateDictReader(theirs)
    ours = _take_motionnet(source, "backbone.motion_net.")
    flows = source.shape("conv1_1_vgg16.weight")[1:2] or (20,)
    hidden = source.shape("fc6_vgg16.weight")[:1] or (4096,)
    classes = source.shape("fc8_vgg16.weight")[:1] or (101,)
    with torch.device("meta"):
        vgg = VGG16(in_channels=flows[0], fc_channels=hidden[0])
        classifier = nn.Linear(hidden[0], classes[0])
    layers = {}
    convs = (name for name, m in vgg.named_modules() if isinstance(m, nn.Conv2d))
    for stage, count in enumerate((2, 2, 3, 3, 3), 1):
        for number in range(1, count + 1):
            layers[next(convs)] = f"conv{stage}_{number}_vgg16"
    layers |= {"classifier.0": "fc6_vgg16", "classifier.3": "fc7_vgg16"}
    for name, value in vgg.state_dict().items():
        module, leaf = name.rsplit(".", 1)
        taken = source.take(f"{layers[module]}.{leaf}", value.shape)
        ours[f"backbone.temporal.{name}"] = taken
    for leaf, value in classifier.state_dict().items():
        ours[f"cls_head.fc_cls.{leaf}"] = source.take(f"fc8_vgg16.{leaf}", value.shape)
    source.finish("their MotionNet and VGG-16", may_have_more=True)
    return ours


def convert(theirs: Mapping[str, Tensor]) -> tuple[str, dict[str, Tensor]]:
    """Recognize and convert a network of theirs.

    Returns:
        'stacked' or 'motionnet', and our state_dict.

    Raises:
        ValueError: It is neither, or is faulty.
    """
    if "conv_pr2.weight" not in theirs:
        layers = sorted({name.rsplit(".", 1)[0] for name in theirs})
        raise ValueError(
            "this is not their MotionNet, alone or with VGG-16 (no layer conv_pr2); it "
            f"has the layers {listed(layers)}"
        )
    if "fc8_vgg16.weight" in theirs:
        return "stacked", convert_stacked(theirs)
    return "motionnet", convert_motionnet(theirs)


def convert_file(path: Path) -> tuple[dict[str, Tensor], str]:
    """Our state_dict of a .caffemodel of theirs, and what it is for.

    Raises:
        OSError, ImportError: As :func:`flowzoo.io.caffemodel.read_caffemodel`.
        ValueError: As there, or as :func:`convert`.
    """
    kind, ours = convert(read_caffemodel(path))
    configs = {"motionnet": "motionnet_*.py", "stacked": "hidden2s_vgg16_*.py"}
    return ours, f"weights for configs {configs[kind]}"


def _take_motionnet(source: StateDictReader, prefix: str) -> dict[str, Tensor]:
    channels = source.shape("conv1.weight")[1:2] or (33,)
    try:
        with torch.device("meta"):
            model = MotionNet(num_frames=channels[0] // 3)
    except ValueError:
        raise ValueError(
            f"conv1 has {channels[0]} input channels; three for each of 2 to 11 frames "
            "were expected"
        ) from None
    ours = {}
    for name, value in model.state_dict().items():
        layer, leaf = name.rsplit(".", 1)
        taken = source.take(f"{_caffe_layer(layer)}.{leaf}", value.shape)
        if name == "conv1.0.weight":  # the colors of each frame: BGR to RGB
            taken = taken.unflatten(1, (-1, 3)).flip(2).flatten(1, 2)
        ours[prefix + name] = taken
    return ours


def _caffe_layer(module: str) -> str:
    """The name of our module in their network."""
    match = re.fullmatch(r"decoder\.(\w+)s\.(\d)(?:\.0)?", module)
    if not match:
        return module.removesuffix(".0")
    kind, level = match[1], int(match[2]) + 2
    if kind == "upsample_flow":
        return f"upsample_flow{level + 1}to{level}"
    return f"{'conv_pr' if kind == 'predict_flow' else kind}{level}"
