"""The authors' released Kinetics network, transcribed from its description.

Written on their state_dict, with functional convolutions and explicit paddings, and
apart from the cases of the iteration without looking at FlowZoo's model.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

# of each block: does its first convolution span three frames?
TEMPORAL = {
    "res2": (True, True, False),
    "res3": (True, True, False, True),
    "res4": (True, True, False, True, False, True),
    "res5": (True, True, False),
}


def published_shapes(width: int = 64, num_classes: int = 400) -> dict[str, tuple]:
    """Names and shapes of the published state_dict; width 64, with all learned."""
    shapes = {"stem.weight": (width, 3, 7, 7, 7)}

    def add_norm(name: str, channels: int) -> None:
        for leaf in ("weight", "bias", "running_mean", "running_var"):
            shapes[f"{name}.{leaf}"] = (channels,)
        shapes[f"{name}.num_batches_tracked"] = ()

    add_norm("bn1", width)
    channels = 8 * width
    shapes["rep_flow.bottleneck.weight"] = (32, channels, 1, 1, 1)
    shapes["rep_flow.unbottleneck.weight"] = (channels, 64, 1, 1, 1)
    add_norm("rep_flow.bn", channels)
    shapes["rep_flow.img_grad"] = (32, 32, 1, 3)
    shapes["rep_flow.img_grad2"] = (32, 32, 3, 1)
    for leaf in ("f_grad", "f_grad2", "div", "div2"):
        shapes[f"rep_flow.{leaf}"] = (32, 32, 2, 1)
    for leaf in ("t", "l", "a"):
        shapes[f"rep_flow.{leaf}"] = (1,)
    inputs = width
    for stage, (name, temporal) in enumerate(TEMPORAL.items()):
        filters = width * 2**stage
        for i, three in enumerate(temporal):
            block = f"{name}.blocks.{i}"
            if i == 0:
                shapes[f"{block}.shortcut.1.weight"] = (4 * filters, inputs, 1, 1, 1)
                add_norm(f"{block}.shortcut.2", 4 * filters)
                add_norm(f"{block}.shortcut.3", 4 * filters)
            layers = f"{block}.layers"
            kernel = (3, 1, 1) if three else (1, 1, 1)
            shapes[f"{layers}.1.weight"] = (filters, inputs, *kernel)
            add_norm(f"{layers}.2", filters)
            shapes[f"{layers}.5.weight"] = (filters, filters, 1, 3, 3)
            add_norm(f"{layers}.6", filters)
            shapes[f"{layers}.8.weight"] = (4 * filters, filters, 1, 1, 1)
            add_norm(f"{layers}.9", 4 * filters)
            inputs = 4 * filters
    shapes["classify.weight"] = (num_classes, inputs, 1, 1, 1)
    shapes["classify.bias"] = (num_classes,)
    return shapes


def random_state(
    shapes: dict[str, tuple], dtype: torch.dtype = torch.float32
) -> dict[str, Tensor]:
    """Values with which activations neither vanish nor explode."""
    g = torch.Generator().manual_seed(0)
    state = {}
    for name, shape in shapes.items():
        *_, leaf = name.split(".")
        value = torch.randn(shape, generator=g, dtype=dtype)
        if leaf == "num_batches_tracked":
            value = torch.tensor(7)
        elif leaf in ("t", "l", "a"):
            value = {"t": 0.3, "l": 0.15, "a": 0.25}[leaf] + 0.02 * value
        elif leaf == "running_var":
            value = 1 + 0.3 * torch.rand(shape, generator=g, dtype=dtype)
        elif len(shape) == 1:  # norms' weights, biases and means
            value = 0.2 * value + (0.8 if leaf == "weight" else 0)
        elif leaf.startswith(("img_grad", "f_grad", "div")):
            value = 0.3 * value / shape[1] ** 0.5
        else:
            value = value / math.prod(shape[1:]) ** 0.5
        state[name] = value
    return state


def _norm(state: dict[str, Tensor], name: str, x: Tensor, eps: float = 1e-5) -> Tensor:
    weight, bias, mean, variance = (
        state[f"{name}.{leaf}"].view(-1, 1, 1, 1)
        for leaf in ("weight", "bias", "running_mean", "running_var")
    )
    return (x - mean) / torch.sqrt(variance + eps) * weight + bias


def _same(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """Padding before and after, so that ceil(size / stride) windows fit."""
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


def _block(state: dict[str, Tensor], name: str, x: Tensor, stride: int) -> Tensor:
    h, w = x.shape[3:]
    shortcut = x
    if f"{name}.shortcut.1.weight" in state:
        shortcut = F.conv3d(
            x, state[f"{name}.shortcut.1.weight"], stride=(1, stride, stride)
        )
        shortcut = _norm(state, f"{name}.shortcut.2", shortcut)
        shortcut = _norm(state, f"{name}.shortcut.3", shortcut)
    layers = f"{name}.layers"
    first = state[f"{layers}.1.weight"]
    y = F.conv3d(x, first, padding=(first.shape[2] // 2, 0, 0))
    y = F.relu(_norm(state, f"{layers}.2", y))
    y = F.pad(y, (*_same(w, 3, stride), *_same(h, 3, stride)))
    y = F.conv3d(y, state[f"{layers}.5.weight"], stride=(1, stride, stride))
    y = F.relu(_norm(state, f"{layers}.6", y))
    y = F.conv3d(y, state[f"{layers}.8.weight"])
    return F.relu(_norm(state, f"{layers}.9", y) + shortcut)


def _iterate(state: dict[str, Tensor], x: Tensor, y: Tensor, n_iter: int) -> Tensor:
    """Flow (M, 2C, H, W) between maps x and y (M, C, H, W): dense kernels."""
    img_grad, img_grad2, f_grad, f_grad2, div, div2, t, lam, a = (
        state[f"rep_flow.{name}"]
        for name in (
            *("img_grad", "img_grad2", "f_grad", "f_grad2", "div", "div2"),
            *("t", "l", "a"),
        )
    )
    gx = F.conv2d(y, img_grad, padding=(0, 1))
    gx[:, :, :, 0] = 0.5 * (x[:, :, :, 1] - x[:, :, :, 0])
    gx[:, :, :, -1] = 0.5 * (x[:, :, :, -1] - x[:, :, :, -2])
    gy = F.conv2d(y, img_grad2, padding=(1, 0))
    gy[:, :, 0] = 0.5 * (x[:, :, 1] - x[:, :, 0])
    gy[:, :, -1] = 0.5 * (x[:, :, -1] - x[:, :, -2])
    squared = gx**2 + gy**2 + 1e-12

    def gradient(u: Tensor, kernel: Tensor) -> Tensor:
        out = F.conv2d(F.pad(u, (0, 0, 0, 1)), kernel)
        out[:, :, -1] = 0
        return out

    def divergence(p: Tensor, q: Tensor) -> Tensor:
        parts = [
            F.conv2d(F.pad(F.pad(v[:, :, :-1], (0, 0, 1, 0)), (0, 0, 0, 1)), kernel)
            for v, kernel in ((p, div), (q, div2))
        ]
        return parts[0] + parts[1]

    flows = []
    u = [torch.zeros_like(x), torch.zeros_like(x)]
    p = [[torch.zeros_like(x), torch.zeros_like(x)] for _ in u]
    for _ in range(n_iter):
        rho = y - x + gx * u[0] + gy * u[1]
        below, above = rho < -lam * t * squared, rho > lam * t * squared
        inside = ~below & ~above & (squared > 1e-12)
        flows = []
        for i, g in enumerate((gx, gy)):
            v = torch.zeros_like(x)
            v[below] = (lam * t * g)[below]
            v[above] = (-lam * t * g)[above]
            v[inside] = (-rho / squared * g)[inside]
            flows.append(v + u[i] + t * divergence(*p[i]))
        u = flows
        for i in range(2):
            dx, dy = gradient(u[i], f_grad), gradient(u[i], f_grad2)
            scale = 1 + a / t * torch.sqrt(dx**2 + dy**2 + 1e-12)
            p[i] = [
                (q + a / t * d) / scale for q, d in zip(p[i], (dx, dy), strict=True)
            ]
    return torch.cat(u, dim=1)


def _flow_layer(state: dict[str, Tensor], x: Tensor, n_iter: int) -> Tensor:
    maps = F.conv3d(x, state["rep_flow.bottleneck.weight"])
    maps = 255 * (maps - maps.min()) / (maps.min() - maps.max())
    n, _, frames = maps.shape[:3]
    first, second = maps[:, :, :-1], maps[:, :, 1:]
    first, second = (m.transpose(1, 2).flatten(0, 1) for m in (first, second))
    flow = _iterate(state, first, second, n_iter)
    flow = flow.unflatten(0, (n, frames - 1)).transpose(1, 2)
    flow = F.conv3d(flow, state["rep_flow.unbottleneck.weight"])
    return F.relu(x[:, :, :-1] + _norm(state, "rep_flow.bn", flow))


def upstream_network(state: dict[str, Tensor], x: Tensor, n_iter: int = 10) -> Tensor:
    """Scores (N, classes) of clips (N, 3, T, H, W), in inference mode."""
    x = F.conv3d(x, state["stem.weight"], stride=2)
    x = F.relu(_norm(state, "bn1", x, eps=0.001))
    t, h, w = x.shape[2:]
    x = F.pad(x, (*_same(w, 3, 2), *_same(h, 3, 2), *_same(t, 3, 2)))
    x = F.max_pool3d(x, 3, stride=2)
    for name, temporal in TEMPORAL.items():
        for i in range(len(temporal)):
            stride = 2 if name != "res2" and i == 0 else 1
            x = _block(state, f"{name}.blocks.{i}", x, stride)
        if name == "res3":
            x = _flow_layer(state, x, n_iter)
    x = x.mean((3, 4), keepdim=True)
    x = F.conv3d(x, state["classify.weight"], state["classify.bias"])
    return x.mean(2)[:, :, 0, 0]
