"""Published weights of Inception-I3D as a state_dict of ours.

Of the authors' TensorFlow checkpoints (kinetics-i3d), or MoNet's, which contains one,
or of the PyTorch port that most users know (pytorch-i3d).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from mmcv.cnn import ConvModule
from torch import Tensor

from flowzoo.models.backbones import InceptionI3D

from ..io.checkpoint_io import read_state_dict
from ..io.state_dict_reader import StateDictReader, listed
from ..io.tensorflow_variables import read_variables, variables_in

_STEM = "Conv3d_1a_7x7"
_FEATURES = 1024
# the one layer whose name in the authors' code breaks the rule
_EXCEPTIONS = {
    "Mixed_5b/Branch_2/Conv3d_0b_3x3": "Mixed_5b/Branch_2/Conv3d_0a_3x3",
}


def convert_i3d(theirs: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The recognizer's state_dict, for ``i3d_inception_kinetics*.py``.

    Args:
        theirs: TensorFlow's variables by name, in any scope (``RGB/inception_i3d/``);
            what lies outside of it is passed over. Or a state_dict of the port. Its
            batch norms have scales: if all are 1, as in the files converted from the
            authors', they are left out, otherwise kept for
            ``norm_cfg=dict(type='BN3d', eps=0.001)``.

    Raises:
        ValueError: Tensors are missing, unknown, of another shape or not finite; the
            message names them.
    """
    if f"{_STEM}.conv3d.weight" in theirs:
        return _convert_port(theirs)
    end = f"{_STEM}/conv_3d/w"
    scopes = [name.removesuffix(end) for name in theirs if name.endswith(end)]
    if len(scopes) != 1:
        raise ValueError(
            "one Inception-I3D was expected, of kinetics-i3d (a variable .../"
            f"{end}) or pytorch-i3d ({_STEM}.conv3d.weight). Found are "
            f"{listed(scopes)}, among {listed(list(theirs))}"
        )
    return _convert_tensorflow(variables_in(theirs, scopes[0]))


def has_scales(ours: Mapping[str, Tensor]) -> bool:
    """Whether a converted state_dict is for batch norms with scales."""
    return f"backbone.{_STEM}.bn.weight" in ours


def convert_file(path: Path) -> tuple[dict[str, Tensor], str]:
    """Our state_dict of a file of theirs, and the config and options that it is for.

    Raises:
        OSError, ImportError: The file cannot be read.
        ValueError: It is damaged, or as :func:`convert_i3d`.
    """
    read = read_state_dict if path.suffix in (".pt", ".pth") else read_variables
    ours = convert_i3d(read(path))
    channels = ours[f"backbone.{_STEM}.conv.weight"].shape[1]
    classes = len(ours["cls_head.fc_cls.bias"])
    changes = {}
    if classes != 400:
        changes["model.cls_head.num_classes"] = classes
    if has_scales(ours):
        norm = "model.backbone.norm_cfg"
        changes |= {f"{norm}.type": "BN3d", f"{norm}.eps": 0.001}
    config = "i3d_inception_kinetics.py"
    if channels == 2:
        config = "i3d/i3d_inception_kinetics_flow.py"
    options = [f"{key}={value}" for key, value in changes.items()]
    if options:
        options.insert(0, "--cfg-options")
    use = f"Inception-I3D of {channels} channels, {classes} classes, for\n"
    return ours, use + " ".join([f"configs/{config}", *options])


def _convert_tensorflow(theirs: Mapping[str, Tensor]) -> dict[str, Tensor]:
    source = StateDictReader(theirs)

    def vector(name: str, channels: int) -> Tensor:
        """Of shape (C,) or (1, 1, 1, 1, C)."""
        ones = (1,) * (len(source.shape(name)) - 1)
        return source.take(name, (*ones, channels)).flatten()

    channels = source.shape(f"{_STEM}/conv_3d/w")[3:4] or (3,)
    ours = {}
    for name, conv in _convolutions(channels[0]):
        layer = _tensorflow_layer(name)
        out, inputs, *kernel = conv.weight.shape
        weight = source.take(f"{layer}/conv_3d/w", (*kernel, inputs, out))
        norm = f"{layer}/batch_norm"
        ours |= {
            f"{name}.conv.weight": weight.permute(4, 3, 0, 1, 2).contiguous(),
            f"{name}.bn.bias": vector(f"{norm}/beta", out),
            f"{name}.bn.running_mean": vector(f"{norm}/moving_mean", out),
            f"{name}.bn.running_var": vector(f"{norm}/moving_variance", out),
            f"{name}.bn.num_batches_tracked": torch.tensor(0),
        }
    ours = {f"backbone.{name}": value for name, value in ours.items()}
    head = "Logits/Conv3d_0c_1x1/conv_3d"
    classes = (source.shape(f"{head}/b") or (400,))[-1]
    weight = source.take(f"{head}/w", (1, 1, 1, _FEATURES, classes))
    ours["cls_head.fc_cls.weight"] = weight[0, 0, 0].T.contiguous()
    ours["cls_head.fc_cls.bias"] = vector(f"{head}/b", classes)
    source.finish("the authors' Inception-I3D")
    return ours


def _convert_port(theirs: Mapping[str, Tensor]) -> dict[str, Tensor]:
    source = StateDictReader(theirs)
    channels = source.shape(f"{_STEM}.conv3d.weight")[1:2] or (3,)
    ours, scales = {}, {}
    for name, conv in _convolutions(channels[0]):
        layer = _port_layer(name)
        out = conv.out_channels
        weight = source.take(f"{layer}.conv3d.weight", conv.weight.shape)
        ours[f"{name}.conv.weight"] = weight
        scales[f"{name}.bn.weight"] = source.take(f"{layer}.bn.weight", (out,))
        for leaf in ("bias", "running_mean", "running_var"):
            ours[f"{name}.bn.{leaf}"] = source.take(f"{layer}.bn.{leaf}", (out,))
        # absent from old files
        leaf, absent = "bn.num_batches_tracked", torch.tensor(0)
        ours[f"{name}.{leaf}"] = source.take(f"{layer}.{leaf}", (), absent)
    if any((scale != 1).any() for scale in scales.values()):
        ours |= scales
    ours = {f"backbone.{name}": value for name, value in ours.items()}
    classes = (source.shape("logits.conv3d.bias") or (400,))[0]
    weight = source.take("logits.conv3d.weight", (classes, _FEATURES, 1, 1, 1))
    ours["cls_head.fc_cls.weight"] = weight.flatten(1)
    ours["cls_head.fc_cls.bias"] = source.take("logits.conv3d.bias", (classes,))
    source.finish("pytorch-i3d's Inception-I3D")
    return ours


def _convolutions(in_channels: int) -> list[tuple[str, torch.nn.Conv3d]]:
    """Our layers by name, with their convolutions (without memory)."""
    with torch.device("meta"):
        model = InceptionI3D(in_channels)
    return [(n, m.conv) for n, m in model.named_modules() if isinstance(m, ConvModule)]


def _place(name: str) -> tuple[str, str, bool]:
    """Block, branch, and whether it is the branch's second layer."""
    block, _, branch, *place = name.split(".")
    return block, branch, place == ["1"]


def _tensorflow_layer(name: str) -> str:
    if "." not in name:
        return name
    block, branch, second = _place(name)
    size = "3x3" if second and branch != "3" else "1x1"
    layer = f"{block}/Branch_{branch}/Conv3d_0{'b' if second else 'a'}_{size}"
    return _EXCEPTIONS.get(layer, layer)


def _port_layer(name: str) -> str:
    if "." not in name:
        return name
    block, branch, second = _place(name)
    letter = "" if branch == "0" else "b" if second else "a"
    return f"{block}.b{branch}{letter}"
