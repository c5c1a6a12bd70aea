"""The representation-flow authors' weights as state_dicts of ours.

What they have published: a 3D ResNet-50 with a flow layer (Kinetics, ``released``
variant), and before that the code of a (2+1)D ResNet with flow-conv-flow and of its
flow layer (``tvl1`` variant).
"""

import re
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from flowzoo.models.backbones import ReleasedRepFlowResNet3d, RepFlowFcfResNet3d
from flowzoo.models.heads import FrameAverageHead
from flowzoo_kernels import RepresentationFlow
from flowzoo_kernels.modules import SMALLEST_SCALAR

from ..io.checkpoint_io import read_state_dict
from ..io.state_dict_reader import StateDictReader, listed

# Our names, up to the parameter's, and theirs: of the released network, and of the one
# with flow-conv-flow.
_RELEASED = (
    (r"backbone\.conv1\.conv", "stem"),
    (r"backbone\.conv1\.bn", "bn1"),
    (r"backbone\.layer1\.(\d+)", r"res2.blocks.\1"),
    (r"backbone\.layer2\.(\d+)", r"res3.blocks.\1"),
    (r"backbone\.layer3\.(\d+)", r"res4.blocks.\1"),
    (r"backbone\.layer4\.(\d+)", r"res5.blocks.\1"),
    (r"\.conv1\.conv", ".layers.1"),
    (r"\.conv1\.bn", ".layers.2"),
    (r"\.conv2\.conv", ".layers.5"),
    (r"\.conv2\.bn", ".layers.6"),
    (r"\.conv3\.conv", ".layers.8"),
    (r"\.conv3\.bn", ".layers.9"),
    (r"\.downsample\.0\.conv", ".shortcut.1"),
    (r"\.downsample\.0\.bn", ".shortcut.2"),
    (r"\.downsample\.1", ".shortcut.3"),
    (r"backbone\.flow_block\.reduce", "rep_flow.bottleneck"),
    (r"backbone\.flow_block\.expand\.conv", "rep_flow.unbottleneck"),
    (r"backbone\.flow_block\.expand\.bn", "rep_flow.bn"),
    (r"backbone\.flow_block\.flow\.", "rep_flow."),
    (r"cls_head\.fc_cls", "classify"),
)
_FCF = (
    (r"backbone\.conv1\.conv", "conv1"),
    (r"backbone\.conv1\.bn", "bn1"),
    (r"backbone\.layer", "layer"),
    (r"\.conv(\d)\.conv", r".conv\1"),
    (r"\.conv(\d)\.bn", r".bn\1"),
    (r"\.downsample\.conv", ".downsample.0"),
    (r"\.downsample\.bn", ".downsample.1"),
    (r"backbone\.flow_block\.reduce", "flow_cmp"),
    (r"backbone\.flow_block\.flow", "flow_layer"),
    (r"backbone\.flow_block\.conv", "flow_conv"),
    (r"backbone\.flow_block\.expand\.conv", "flow_conv2"),
    (r"backbone\.flow_block\.expand\.bn", "bnf"),
    (r"cls_head\.fc_cls", "fc"),
)
# Depth by the blocks of their layer3 and by how many times wider a block ends.
_DEPTHS = {(2, 1): 18, (6, 1): 34, (6, 4): 50, (23, 4): 101, (36, 4): 152}
_NETWORKS = {
    "network": ("Kinetics", "repflow_r50_kinetics_released.py"),
    "fcf_network": ("(2+1)D", "repflow_r2plus1d50_kinetics_fcf_authors.py"),
}
_KERNELS = {
    "image_kernel": ("img_grad", "img_grad2"),
    "flow_kernel": ("f_grad", "f_grad2"),
    "div_kernel": ("div", "div2"),
}
_SCALARS = {"theta": ("t", 0.3), "lam": ("l", 0.15), "tau": ("a", 0.25)}


def convert_network(theirs: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The Kinetics network's state_dict for ``repflow_r50_kinetics_released.py``.

    Args:
        theirs: state_dict of their ``resnet_3d_v1(50, num_classes)``. Batch norm's
            ``num_batches_tracked``, absent from old files, may be missing, and ``t``,
            ``l`` and ``a`` where they were not learned.

    Raises:
        ValueError: Tensors are missing, unknown, of another shape, or not finite, or
            the layer's scalars are too small; the message names them.
    """
    source = _Source(theirs)
    with torch.device("meta"):
        model = _network(ReleasedRepFlowResNet3d(), source.shape("classify.weight"))
    return _convert(source, model, _RELEASED, "their 3D ResNet-50 for Kinetics")


def convert_fcf_network(theirs: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The (2+1)D network's state_dict for ``repflow_r2plus1d50_*_fcf_authors.py``.

    Args:
        theirs: state_dict of the ``ResNet`` of their ``flow_2p1d_resnets.py``, of any
            depth. What may be missing is as in :func:`convert_network`.

    Raises:
        ValueError: As :func:`convert_network`.
    """
    source = _Source(theirs)
    blocks = sum(bool(re.fullmatch(r"layer3\.\d+\.conv1\.weight", n)) for n in theirs)
    channels = (*source.shape("flow_cmp.weight"), 0, 0)[1]
    depth = _DEPTHS.get((blocks, channels // 128))
    if depth is None:
        raise ValueError(
            f"their (2+1)D networks have a depth of 18, 34, 50, 101 or 152; {blocks} "
            f"blocks of layer3, and flow_cmp on {channels} channels, are none of them"
        )
    with torch.device("meta"):
        model = _network(RepFlowFcfResNet3d(depth), source.shape("fc.weight"))
    return _convert(source, model, _FCF, f"their (2+1)D ResNet-{depth}")


def _network(backbone: nn.Module, classifier_shape: tuple[int, ...]) -> nn.ModuleDict:
    classes = (*classifier_shape, 400)[0]
    head = FrameAverageHead(classes, backbone.feat_dim)
    return nn.ModuleDict({"backbone": backbone, "cls_head": head})


def _convert(
    source: "_Source", model: nn.Module, modules: tuple, what: str
) -> dict[str, Tensor]:
    ours = {}
    for name, value in model.state_dict().items():
        parent, _, leaf = name.rpartition(".")
        layer = model.get_submodule(parent)
        their_name = name
        for pattern, replacement in modules:
            their_name = re.sub(pattern, replacement, their_name)
        if isinstance(layer, RepresentationFlow):
            prefix = their_name.removesuffix(leaf)
            ours[name] = source.take_of_layer(prefix, leaf, layer)
        elif their_name == "classify.weight":  # a convolution
            ours[name] = source.take(their_name, (*value.shape, 1, 1, 1)).flatten(1)
        else:
            absent = torch.tensor(0) if leaf == "num_batches_tracked" else None
            ours[name] = source.take(their_name, value.shape, absent)
    source.finish(what)
    return ours


def convert_layer(theirs: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Their first layer's state_dict, for ``RepresentationFlow``.

    Theirs flips the sign when it normalizes and runs ten iterations by default:
    ``RepresentationFlow(C, n_iters=10, variant='tvl1', normalize='legacy')``.

    Args:
        theirs: ``img_grad``, ``img_grad2``, ``f_grad``, ``f_grad2``, ``div``, ``div2``,
            and ``t``, ``l`` and ``a`` where they were learned.

    Raises:
        ValueError: As :func:`convert_network`.
    """
    source = _Source(theirs)
    channels = (source.shape("img_grad") or (1,))[0]
    layer = RepresentationFlow(channels, variant="tvl1")
    ours = {name: source.take_of_layer("", name, layer) for name in layer.state_dict()}
    source.finish("their first flow layer")
    return ours


def convert(theirs: Mapping[str, Tensor]) -> tuple[str, dict[str, Tensor]]:
    """Recognize and convert a state_dict of theirs.

    Returns:
        'network', 'fcf_network' or 'layer', and our state_dict.

    Raises:
        ValueError: It is none of them, or is faulty.
    """
    if "stem.weight" in theirs:
        return "network", convert_network(theirs)
    if "flow_cmp.weight" in theirs:
        return "fcf_network", convert_fcf_network(theirs)
    if "img_grad" in theirs:
        return "layer", convert_layer(theirs)
    raise ValueError(
        "this is neither the Kinetics network (no stem.weight) nor the (2+1)D network "
        "(no flow_cmp.weight) nor a flow layer (no img_grad); it has "
        f"{listed(list(theirs))}. --layer picks a flow layer out of a larger network"
    )


def convert_file(path: Path, layer: str | None = None) -> tuple[dict[str, Tensor], str]:
    """Our state_dict of a file of theirs, and what it is for ({out}: its file's name).

    Args:
        path: their ``torch.save`` file.
        layer: name of the flow layer to pick out of a larger network.

    Raises:
        OSError: The file cannot be read.
        ValueError: As :func:`convert`.
    """
    theirs = read_state_dict(path)
    if layer:
        prefix = f"{layer}."
        theirs = {
            name.removeprefix(prefix): value
            for name, value in theirs.items()
            if name.startswith(prefix)
        }
        if not theirs:
            raise ValueError(f"no name in {path} begins with {prefix}")
    kind, ours = convert(theirs)
    if kind == "layer":
        channels = len(ours["image_kernel"])
        return ours, f"the flow layer of {channels} channels, variant 'tvl1'"
    classes = len(ours["cls_head.fc_cls.bias"])
    what, config = _NETWORKS[kind]
    return ours, (
        f"the {what} network, {classes} classes. To test it:\n"
        f"python tools/test.py configs/repflow/{config} {{out}}"
    )


class _Source(StateDictReader):
    """The tensors of a network or layer of theirs."""

    def take_of_layer(
        self, prefix: str, name: str, layer: RepresentationFlow
    ) -> Tensor:
        """The parameter ``name`` of a flow layer."""
        if name in _SCALARS:
            return self._take_scalar(prefix, name)
        c = layer.channels
        inputs = 1 if layer.variant == "tvl1" else c
        taps = 3 if name == "image_kernel" else 2
        across, along = (c, inputs, 1, taps), (c, inputs, taps, 1)
        # both derivatives of the released layer's flow are taken along y
        first = along if layer.variant == "released" and taps == 2 else across
        x, y = (prefix + theirs for theirs in _KERNELS[name])
        kernels = [
            self.take(their_name, shape).reshape(c, inputs, taps)
            for their_name, shape in ((x, first), (y, along))
        ]
        if layer.variant == "tvl1":
            return torch.cat(kernels, dim=1)  # (C, 2, taps)
        return torch.stack(kernels)  # (2, C, C, taps)

    def _take_scalar(self, prefix: str, name: str) -> Tensor:
        leaf, default = _SCALARS[name]
        their_name = prefix + leaf
        if their_name not in self.tensors:  # it was not learned
            return torch.tensor(default)
        num_problems = len(self.problems)
        value = self.take(their_name, (1,)).reshape(())
        if len(self.problems) == num_problems and value < SMALLEST_SCALAR:
            self.problems.append(
                f"{their_name} is {value:.3g}, but a learned {name} counts as at least "
                f"{SMALLEST_SCALAR} in RepresentationFlow: the result would differ"
            )
        return value
