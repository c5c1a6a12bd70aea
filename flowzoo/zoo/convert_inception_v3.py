"""Published weights of the Inception-v3 that YouTube-8M's features come from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from mmcv.cnn import ConvModule
from torch import Tensor

from ..io.checkpoint_io import read_state_dict
from ..io.state_dict_reader import StateDictReader
from ..io.tensorflow_graph import read_constants
from ..models.backbones.inception_v3 import BLOCKS, InceptionV3

_STEM = {
    "Conv2d_1a_3x3": "conv",
    "Conv2d_2a_3x3": "conv_1",
    "Conv2d_2b_3x3": "conv_2",
    "Conv2d_3b_1x1": "conv_3",
    "Conv2d_4a_3x3": "conv_4",
}
# Where the graph has a branch; without these it is in the block itself.
_TOWERS = {
    "branch5x5": "tower",
    "branch7x7": "tower",
    "branch3x3": "tower",
    "branch3x3dbl": "tower_1",
    "branch7x7dbl": "tower_1",
    "branch7x7x3": "tower_1",
    "branch_pool": "tower_2",
}
# The first block of half the size has one tower only.
_EXCEPTIONS = {("Mixed_6a", "branch3x3"): "", ("Mixed_6a", "branch3x3dbl"): "tower"}
# the graph's norms by ours
_NORM = dict(
    weight="gamma",
    bias="beta",
    running_mean="moving_mean",
    running_var="moving_variance",
)


def read_inception_v3(path: Path) -> InceptionV3:
    """The network with the weights of a file.

    Args:
        path: TensorFlow's ``classify_image_graph_def.pb``, or a state_dict (.pt, .pth)
            of a PyTorch port of it. Torchvision's own weights are of another network
            and are refused.

    Raises:
        OSError, ImportError: The file cannot be read.
        ValueError: It is damaged, or of another network.
    """
    if path.suffix in (".pt", ".pth"):
        ours = convert_port(read_state_dict(path))
    else:
        ours = convert_graph(read_constants(path))
    network = InceptionV3()
    network.load_state_dict(ours)
    return network.eval()


def convert_graph(theirs: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The network's state_dict from the constants of TensorFlow's graph.

    Raises:
        ValueError: Constants are missing, of another shape, or not finite.
    """
    source = StateDictReader(theirs)
    ours = {}
    for name, conv in _convolutions().items():
        out, inputs, *kernel = conv.weight.shape
        place = _place(name)
        weight = source.take(f"{place}/conv2d_params", (*kernel, inputs, out))
        ours[f"{name}.conv.weight"] = weight.permute(3, 2, 0, 1).contiguous()
        for leaf, their_leaf in _NORM.items():
            value = source.take(f"{place}/batchnorm/{their_leaf}", (out,))
            ours[f"{name}.bn.{leaf}"] = value
        ours[f"{name}.bn.num_batches_tracked"] = torch.tensor(0)
    source.finish("Inception-v3 of 2015-12-05", may_have_more=True)
    return ours


def convert_port(theirs: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The network's state_dict from that of pytorch-fid or torch-fidelity.

    Raises:
        ValueError: Tensors are missing, unknown, of another shape or not finite.
    """
    source = StateDictReader(theirs)
    ours = {}
    for name, value in InceptionV3().state_dict().items():
        counts = name.endswith("num_batches_tracked")  # absent from old files
        default = torch.tensor(0) if counts else None
        ours[name] = source.take(name, tuple(value.shape), default)
    # The graph has 1008 outputs, torchvision's network 1000 and a second classifier.
    source.take("fc.weight", (1008, 2048))
    source.take("fc.bias", (1008,))
    source.finish("a port of Inception-v3 of 2015-12-05 (pytorch-fid, torch-fidelity)")
    return ours


def _convolutions() -> dict[str, torch.nn.Conv2d]:
    """Convolutions by the names of their layers (without memory)."""
    with torch.device("meta"):
        network = InceptionV3()
    layers = network.named_modules()
    return {name: m.conv for name, m in layers if isinstance(m, ConvModule)}


def _place(name: str) -> str:
    """Where the graph has a layer: Mixed_7b.branch3x3_2a, mixed_9/tower/mixed/conv."""
    if name in _STEM:
        return _STEM[name]
    block, _, layer = name.partition(".")
    number = list(BLOCKS).index(block)
    branch, _, step = layer.rpartition("_")
    if not step[:1].isdigit() or not branch:  # one convolution only
        branch, step = layer, "1"
    tower = _EXCEPTIONS.get((block, branch), _TOWERS.get(branch, ""))
    if step[-1] in "ab":
        tower, index = f"{tower}/mixed", "ab".index(step[-1])
    else:
        index = int(step) - 1
    conv = f"conv_{index}" if index else "conv"
    parts = [f"mixed_{number}" if number else "mixed", tower, conv]
    return "/".join(part for part in parts if part)
