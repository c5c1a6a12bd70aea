"""TensorFlow's Inception-v3 graph of 2015-12-05: its constants and what it computes.

Written from the graph's nodes (as torch-fidelity's converter lists them) and its
operations, with the names and paddings of TensorFlow.
"""

import numpy as np
import torch
import torch.nn.functional as F

from .tensorflow_checkpoint import message, number

# Node, output channels, height and width of the kernel, stride, padding.
STEM = [("conv", 32, 3, 3, 2, "VALID"), ("conv_1", 32, 3, 3, 1, "VALID")]
STEM += [("conv_2", 64, 3, 3, 1, "SAME"), "pool", ("conv_3", 80, 1, 1, 1, "VALID")]
STEM += [("conv_4", 192, 3, 3, 1, "VALID"), "pool"]


def _block(text):
    """A line a branch, of node:channels,height,width; | has branches side by side."""
    return [line.split() for line in text.strip().splitlines()]


_A = """
conv:64,1,1
tower/conv:48,1,1 tower/conv_1:64,5,5
tower_1/conv:64,1,1 tower_1/conv_1:96,3,3 tower_1/conv_2:96,3,3
avg tower_2/conv:{},1,1
"""
_C = """
conv:192,1,1
tower/conv:{0},1,1 tower/conv_1:{0},1,7 tower/conv_2:192,7,1
tower_1/conv:{0},1,1 tower_1/conv_1:{0},7,1 tower_1/conv_2:{0},1,7 \
tower_1/conv_3:{0},7,1 tower_1/conv_4:192,1,7
avg tower_2/conv:192,1,1
"""
_E = """
conv:320,1,1
tower/conv:384,1,1 tower/mixed/conv:384,1,3|tower/mixed/conv_1:384,3,1
tower_1/conv:448,1,1 tower_1/conv_1:384,3,3 \
tower_1/mixed/conv:384,1,3|tower_1/mixed/conv_1:384,3,1
{} tower_2/conv:192,1,1
"""
BLOCKS = [_A.format(32), _A.format(64), _A.format(64)]
BLOCKS += [
    """
conv:384,3,3,2
tower/conv:64,1,1 tower/conv_1:96,3,3 tower/conv_2:96,3,3,2
max2
"""
]
BLOCKS += [_C.format(c) for c in (128, 160, 160, 192)]
BLOCKS += [
    """
tower/conv:192,1,1 tower/conv_1:320,3,3,2
tower_1/conv:192,1,1 tower_1/conv_1:192,1,7 tower_1/conv_2:192,7,1 \
tower_1/conv_3:192,3,3,2
max2
"""
]
BLOCKS += [_E.format("avg"), _E.format("max")]


class Graph:
    """The graph with random constants, in float64."""

    def __init__(self, seed=0):
        self.random = np.random.default_rng(seed)
        self.constants = {}

    def constant(self, name, shape, low, high):
        if name not in self.constants:
            values = self.random.uniform(low, high, shape).astype(np.float32)
            self.constants[name] = values
        return torch.from_numpy(self.constants[name]).double()

    def conv(self, x, name, out, height, width, stride=1, padding="SAME"):
        if stride == 2:
            padding = "VALID"
        shape = (height, width, x.shape[1], out)
        limit = (6 / np.prod(shape[:3])) ** 0.5
        weight = self.constant(f"{name}/conv2d_params", shape, -limit, limit)
        pad = (height // 2, width // 2) if padding == "SAME" else 0
        x = F.conv2d(x, weight.permute(3, 2, 0, 1), stride=stride, padding=pad)
        leaves = dict(beta=(-1, 1), gamma=(0.5, 1.5))
        leaves |= dict(moving_mean=(-0.5, 0.5), moving_variance=(0.5, 2))
        beta, gamma, mean, variance = (
            self.constant(f"{name}/batchnorm/{leaf}", out, *bounds)[:, None, None]
            for leaf, bounds in leaves.items()
        )
        return ((x - mean) / (variance + 0.001).sqrt() * gamma + beta).clamp(min=0)

    def step(self, x, name, text):
        if text == "avg":  # the border is left out of the mean
            ones = torch.ones_like(x)
            return F.avg_pool2d(x, 3, 1, 1) / F.avg_pool2d(ones, 3, 1, 1)
        if text in ("max", "max2"):
            return F.max_pool2d(x, 3, *((2, 0) if text == "max2" else (1, 1)))
        outputs = []
        for part in text.split("|"):
            node, numbers = part.split(":")
            outputs.append(
                self.conv(x, f"{name}/{node}", *map(int, numbers.split(",")))
            )
        return torch.cat(outputs, 1)

    def pool_3(self, frames):
        """(N, H, W, 3) levels from 0 to 255 to (N, 2048)."""
        x = (resize(frames) - 128) * 0.0078125
        x = torch.from_numpy(x).permute(0, 3, 1, 2)
        for step in STEM:
            x = F.max_pool2d(x, 3, 2) if step == "pool" else self.conv(x, *step)
        for i, block in enumerate(BLOCKS):
            name = f"mixed_{i}" if i else "mixed"
            outputs = []
            for branch in _block(block):
                y = x
                for text in branch:
                    y = self.step(y, name, text)
                outputs.append(y)
            x = torch.cat(outputs, 1)
        assert x.shape[1:] == (2048, 8, 8)
        return F.avg_pool2d(x, 8).flatten(1).numpy()

    def write(self, path):
        """As a frozen graph, with nodes that are no constants of float32, too."""
        nodes = [_node("DecodeJpeg", "DecodeJpeg", None)]
        nodes.append(_node("pool_3/_reshape/shape", "Const", np.int32([1, 2048])))
        nodes += [_node(n, "Const", value) for n, value in self.constants.items()]
        path.write_bytes(b"".join(message(1, node) for node in nodes))


def resize(frames, size=299):
    """ResizeBilinear without align_corners, of an old graph; pixel by pixel."""
    _, height, width, _ = frames.shape
    frames = frames.astype(np.float64)
    rows, columns = (np.arange(size) * n / size for n in (height, width))
    top, left = (np.floor(places).astype(int) for places in (rows, columns))
    bottom, right = np.minimum(top + 1, height - 1), np.minimum(left + 1, width - 1)
    y, x = (rows - top)[:, None, None], (columns - left)[:, None]
    above = frames[:, top][:, :, left] * (1 - x) + frames[:, top][:, :, right] * x
    below = frames[:, bottom][:, :, left] * (1 - x) + frames[:, bottom][:, :, right] * x
    return above * (1 - y) + below * y


def _node(name, operation, value):
    content = message(1, name.encode()) + message(2, operation.encode())
    if value is None:
        return content
    kind = {"float32": 1, "int32": 3}[str(value.dtype)]
    dims = b"".join(message(2, number(1, n)) for n in value.shape)
    tensor = number(1, kind) + message(2, dims) + message(4, value.tobytes())
    attributes = [(b"dtype", number(6, kind)), (b"value", message(8, tensor))]
    pairs = [message(1, key) + message(2, attribute) for key, attribute in attributes]
    return content + b"".join(message(5, pair) for pair in pairs)
