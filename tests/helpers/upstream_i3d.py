"""Kinetics-I3D, transcribed from its authors' graph: on TensorFlow's variables.

Functional convolutions with explicit paddings, channels last as there, written without
looking at FlowZoo's model.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

# of Branch_0, both layers of Branch_1, both of Branch_2, and Branch_3
WIDTHS = {
    "Mixed_3b": [64, 96, 128, 16, 32, 32],
    "Mixed_3c": [128, 128, 192, 32, 96, 64],
    "Mixed_4b": [192, 96, 208, 16, 48, 64],
    "Mixed_4c": [160, 112, 224, 24, 64, 64],
    "Mixed_4d": [128, 128, 256, 24, 64, 64],
    "Mixed_4e": [112, 144, 288, 32, 64, 64],
    "Mixed_4f": [256, 160, 320, 32, 128, 128],
    "Mixed_5b": [256, 160, 320, 32, 128, 128],
    "Mixed_5c": [384, 192, 384, 48, 128, 128],
}
LOGITS = "Logits/Conv3d_0c_1x1/conv_3d"


def second_of_branch_2(block: str) -> str:
    return "Conv3d_0a_3x3" if block == "Mixed_5b" else "Conv3d_0b_3x3"


def published_layers(in_channels: int = 3) -> dict[str, tuple[int, int, int]]:
    """Kernel size, input and output channels of every convolution with a norm."""
    layers = {
        "Conv3d_1a_7x7": (7, in_channels, 64),
        "Conv3d_2b_1x1": (1, 64, 64),
        "Conv3d_2c_3x3": (3, 64, 192),
    }
    c = 192
    for block, (w0, w1a, w1b, w2a, w2b, w3) in WIDTHS.items():
        layers[f"{block}/Branch_0/Conv3d_0a_1x1"] = (1, c, w0)
        layers[f"{block}/Branch_1/Conv3d_0a_1x1"] = (1, c, w1a)
        layers[f"{block}/Branch_1/Conv3d_0b_3x3"] = (3, w1a, w1b)
        layers[f"{block}/Branch_2/Conv3d_0a_1x1"] = (1, c, w2a)
        layers[f"{block}/Branch_2/{second_of_branch_2(block)}"] = (3, w2a, w2b)
        layers[f"{block}/Branch_3/Conv3d_0b_1x1"] = (1, c, w3)
        c = w0 + w1b + w2b + w3
    return layers


def published_shapes(
    in_channels: int = 3, num_classes: int = 400
) -> dict[str, tuple[int, ...]]:
    """Names, below the network's scope, and shapes of the published variables."""
    shapes = {}
    for name, (k, inputs, out) in published_layers(in_channels).items():
        shapes[f"{name}/conv_3d/w"] = (k, k, k, inputs, out)
        for leaf in ("beta", "moving_mean", "moving_variance"):
            shapes[f"{name}/batch_norm/{leaf}"] = (1, 1, 1, 1, out)
    shapes[f"{LOGITS}/w"] = (1, 1, 1, 1024, num_classes)
    shapes[f"{LOGITS}/b"] = (num_classes,)
    return shapes


def random_variables(shapes: dict[str, tuple[int, ...]]) -> dict[str, Tensor]:
    """Float64 values with which activations neither vanish nor explode."""
    g = torch.Generator().manual_seed(0)
    variables = {}
    for name, shape in shapes.items():
        value = torch.randn(shape, generator=g, dtype=torch.float64)
        if name.endswith("/w"):
            value = value * (2 / torch.Size(shape[:-1]).numel()) ** 0.5
        elif name.endswith("moving_variance"):
            value = 1 + 0.5 * value.abs()
        else:
            value = 0.1 * value
        variables[name] = value
    return variables


def same(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """Padding before and after, so that ceil(size / stride) windows fit."""
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


def padded(x: Tensor, kernel: tuple, stride: tuple, value: float) -> Tensor:
    """(N, C, T, H, W) with TensorFlow's 'SAME' padding."""
    t, h, w = map(same, x.shape[2:], kernel, stride)
    return F.pad(x, (*w, *h, *t), value=value)


def unit(v: dict[str, Tensor], name: str, x: Tensor, stride: int = 1) -> Tensor:
    """Convolution, batch norm and ReLU of (N, T, H, W, C)."""
    kernel = v[f"{name}/conv_3d/w"]
    steps = (stride,) * 3
    x = padded(x.permute(0, 4, 1, 2, 3), kernel.shape[:3], steps, 0.0)
    x = F.conv3d(x, kernel.permute(4, 3, 0, 1, 2), stride=stride)
    x = x.permute(0, 2, 3, 4, 1)
    norm = f"{name}/batch_norm"
    deviation = (v[f"{norm}/moving_variance"] + 0.001).sqrt()
    x = (x - v[f"{norm}/moving_mean"]) / deviation * v.get(f"{norm}/gamma", 1)
    return (x + v[f"{norm}/beta"]).clamp(min=0)


def pool(x: Tensor, kernel: tuple, stride: tuple) -> Tensor:
    x = padded(x.permute(0, 4, 1, 2, 3), kernel, stride, -torch.inf)
    return F.max_pool3d(x, kernel, stride).permute(0, 2, 3, 4, 1)


def upstream_features(v: dict[str, Tensor], x: Tensor) -> Tensor:
    """Clips (N, T, H, W, C) to the last Mixed block, (N, T', H', W', 1024)."""
    x = unit(v, "Conv3d_1a_7x7", x, stride=2)
    x = pool(x, (1, 3, 3), (1, 2, 2))
    x = unit(v, "Conv3d_2c_3x3", unit(v, "Conv3d_2b_1x1", x))
    x = pool(x, (1, 3, 3), (1, 2, 2))
    for block in WIDTHS:
        if block == "Mixed_4b":
            x = pool(x, (3, 3, 3), (2, 2, 2))
        if block == "Mixed_5b":
            x = pool(x, (2, 2, 2), (2, 2, 2))
        b1 = unit(v, f"{block}/Branch_1/Conv3d_0a_1x1", x)
        b2 = unit(v, f"{block}/Branch_2/Conv3d_0a_1x1", x)
        b3 = pool(x, (3, 3, 3), (1, 1, 1))
        branches = (
            unit(v, f"{block}/Branch_0/Conv3d_0a_1x1", x),
            unit(v, f"{block}/Branch_1/Conv3d_0b_3x3", b1),
            unit(v, f"{block}/Branch_2/{second_of_branch_2(block)}", b2),
            unit(v, f"{block}/Branch_3/Conv3d_0b_1x1", b3),
        )
        x = torch.cat(branches, -1)
    return x


def upstream_logits(v: dict[str, Tensor], x: Tensor) -> Tensor:
    """Features (N, T', H', W', 1024) to (N, classes).

    Average pooling by 2 x 7 x 7, where 7 x 7 is a whole map of a frame of 224 x 224; a
    1x1x1 convolution; the mean over time.
    """
    size = (2, *x.shape[2:4])
    x = F.avg_pool3d(x.permute(0, 4, 1, 2, 3), size, stride=1)  # (N, C, T' - 1, 1, 1)
    x = x[..., 0, 0].transpose(1, 2) @ v[f"{LOGITS}/w"][0, 0, 0] + v[f"{LOGITS}/b"]
    return x.mean(1)
