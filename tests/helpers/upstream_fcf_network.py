"""The authors' (2+1)D network with flow-conv-flow, transcribed from its description.

Written on their state_dict with functional convolutions, and without looking at
FlowZoo's model but for the flow iteration, which is that of :func:`upstream_layer`.
"""

import torch
import torch.nn.functional as F
from torch import Tensor
from upstream_repflow import upstream_layer

from .upstream_repflow_network import _norm

BLOCKS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3)}


def published_shapes(
    depth: int, num_classes: int = 400, learned: tuple[str, ...] = ("t", "l", "a")
) -> dict[str, tuple]:
    """Names and shapes of the state_dict of their ResNet of that depth."""
    shapes = {}

    def add_norm(name: str, channels: int) -> None:
        for leaf in ("weight", "bias", "running_mean", "running_var"):
            shapes[f"{name}.{leaf}"] = (channels,)
        shapes[f"{name}.num_batches_tracked"] = ()

    expansion = 4 if depth == 50 else 1
    shapes["flow_cmp.weight"] = (32, 128 * expansion, 1, 1, 1)
    shapes["flow_conv.weight"] = (64, 64, 1, 3, 3)
    shapes["flow_cmp2.weight"] = (32, 64, 1, 1, 1)
    shapes["flow_conv2.weight"] = (128 * expansion, 64, 1, 3, 3)
    for layer in ("flow_layer", "flow_layer2"):
        for leaf, taps in (("img_grad", 3), ("f_grad", 2), ("div", 2)):
            shapes[f"{layer}.{leaf}"] = (32, 1, 1, taps)
            shapes[f"{layer}.{leaf}2"] = (32, 1, taps, 1)
        for leaf in learned:
            shapes[f"{layer}.{leaf}"] = (1,)
    add_norm("bnf", 128 * expansion)
    shapes["conv1.weight"] = (64, 3, 7, 7, 7)
    add_norm("bn1", 64)
    inputs = 64
    for stage, blocks in enumerate(BLOCKS[depth]):
        planes = 64 * 2**stage
        for i in range(blocks):
            block = f"layer{stage + 1}.{i}"
            kernels = [(planes, inputs, 1, 3, 3), (planes, planes, 3, 3, 3)]
            if depth == 50:
                kernels = [(planes, inputs, 3, 1, 1), (planes, planes, 1, 3, 3)]
                kernels.append((4 * planes, planes, 1, 1, 1))
            for k, kernel in enumerate(kernels, 1):
                shapes[f"{block}.conv{k}.weight"] = kernel
                add_norm(f"{block}.bn{k}", kernel[0])
            outputs = planes * expansion
            if i == 0 and (stage > 0 or inputs != outputs):
                shapes[f"{block}.downsample.0.weight"] = (outputs, inputs, 1, 1, 1)
                add_norm(f"{block}.downsample.1", outputs)
            inputs = outputs
    shapes["fc.weight"] = (num_classes, inputs)
    shapes["fc.bias"] = (num_classes,)
    return shapes


def _block(state: dict[str, Tensor], name: str, x: Tensor, stride: int) -> Tensor:
    y = x
    convolutions = [k for k in (1, 2, 3) if f"{name}.conv{k}.weight" in state]
    strided = 2 if len(convolutions) == 3 else 1  # the convolution that has the stride
    for k in convolutions:
        weight = state[f"{name}.conv{k}.weight"]
        steps = stride if k == strided else 1
        # they pad time where the stride is 2, whether the kernel spans it or not
        padding = [size // 2 for size in weight.shape[2:]]
        if steps > 1:
            padding[0] = 1
        y = F.conv3d(y, weight, stride=steps, padding=tuple(padding))
        y = _norm(state, f"{name}.bn{k}", y)
        if k < len(convolutions):
            y = F.relu(y)
    if f"{name}.downsample.0.weight" in state:
        padding = (1 if stride > 1 else 0, 0, 0)
        weight = state[f"{name}.downsample.0.weight"]
        x = F.conv3d(x, weight, stride=stride, padding=padding)
        x = _norm(state, f"{name}.downsample.1", x)
    return F.relu(x + y)


def _flow(state: dict[str, Tensor], layer: str, x: Tensor, n_iter: int) -> Tensor:
    """Flow of features (N, C, T, H, W) that share one minimum and maximum."""
    x = 255 * (x - x.min()) / (x.min() - x.max())
    kernels = [
        torch.stack(
            [state[f"{layer}.{n}"].flatten(1), state[f"{layer}.{n}2"].flatten(1)], dim=1
        )
        for n in ("img_grad", "f_grad", "div")
    ]
    scalars = [
        state.get(f"{layer}.{n}", x.new_tensor([start]))
        for n, start in (("t", 0.3), ("l", 0.15), ("a", 0.25))
    ]
    return upstream_layer(x, *kernels, *scalars, n_iter)


def fcf_network(state: dict[str, Tensor], x: Tensor, n_iter: int) -> Tensor:
    """Scores (N, classes) of clips (N, 3, T, H, W), in inference mode."""
    x = F.conv3d(x, state["conv1.weight"], stride=(1, 2, 2), padding=(0, 3, 3))
    x = F.relu(_norm(state, "bn1", x))
    x = F.max_pool3d(x, 3, stride=2, padding=1)
    for stage in (1, 2, 3, 4):
        i = 0
        while f"layer{stage}.{i}.conv1.weight" in state:
            stride = 2 if stage > 1 and i == 0 else 1
            x = _block(state, f"layer{stage}.{i}", x, stride)
            i += 1
        if stage == 2:
            frames = x.unfold(2, 3, 1).mean(-1)
            flow = _flow(
                state, "flow_layer", F.conv3d(x, state["flow_cmp.weight"]), n_iter
            )
            flow = F.conv3d(flow, state["flow_conv.weight"], padding=(0, 1, 1))
            flow = F.conv3d(flow, state["flow_cmp2.weight"])
            flow = _flow(state, "flow_layer2", flow, n_iter)
            flow = F.conv3d(flow, state["flow_conv2.weight"], padding=(0, 1, 1))
            x = F.relu(_norm(state, "bnf", flow) + frames)
    return F.linear(x.mean((2, 3, 4)), state["fc.weight"], state["fc.bias"])
