"""TVNet: multi-scale TV-L1 flow as a layer that learns its parameters.

Fan et al., "End-to-End Learning of Motion Representation for Video Understanding",
CVPR 2018. Notes, where the authors' code and this differ:

1. Their iterations have kernels of their own each; here those of one warp share theirs.
2. They keep theta, lambda, tau and the image gradient fixed; here all can be learned.
3. Their initial flow has the size of the training crops; here it is resized to others.

The iteration is representation flow's, linearized at the flow so far; on a CPU it is
fused, forward and backward (repflow/iterations_op.py), and on others eager PyTorch.
Only every so many states are kept for the backward pass, which recomputes the others.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .._common.checks import (
    BACKENDS,
    check_choice,
    check_number,
    check_positive_int,
)
from .._common.lower_bound import lower_bound
from ..repflow.iterations_op import tvl1_iterations
from ..repflow.reference import LINEAR_PARTS, default_kernels
from ..warp.op import backward_warp
from .op import to_gray
from .options import MIN_SIDE

GROUPS = ("image", "flow", "divergence", "theta", "lam", "tau", "initial_flow")
SMALLEST_SCALAR = 0.01  # of theta, lam and tau, while they are learned
SIGMA = 0.85  # pixels; of the smoothing, as in the authors' 5 x 5 filter


def _smooth(images: Tensor) -> Tensor:
    """Gaussian filter of (P, H, W), zeros outside."""
    taps = torch.exp(-(torch.arange(-2.0, 3.0) ** 2) / (2 * SIGMA**2)).to(images)
    taps = taps / taps.sum()
    rows = F.conv2d(images.unsqueeze(1), taps.view(1, 1, 1, 5), padding=(0, 2))
    return F.conv2d(rows, taps.view(1, 1, 5, 1), padding=(2, 0)).squeeze(1)


def _resize(images: Tensor, size: Sequence[int]) -> Tensor:
    """(P, C, H, W) at another size; pixel centers correspond."""
    if images.shape[-2:] == torch.Size(size):
        return images
    return F.interpolate(images, size=tuple(size), mode="bilinear")


class TVNet(nn.Module):
    """Flow between consecutive frames by unrolled TV-L1 iterations that learn.

    Args:
        n_iters: iterations of each warp.
        warps: of each scale.
        scales: at most; scales with a side below 16 pixels are left out.
        scale_step: ratio of the sides of consecutive scales.
        learn: what is trained, of 'image', 'flow' and 'divergence' (kernels), 'theta',
            'lam', 'tau' and 'initial_flow'. Each warp of each scale has its own.
        initial_size: height and width of the initial flow at the coarsest scale, zeros
            before training, resized to other sizes of frames. None: it is zero, and not
            learned.
        backend: of the iterations and warps: 'auto' (by the device), 'cpu' or
            'reference'.
    """

    def __init__(
        self,
        n_iters: int = 50,
        warps: int = 1,
        scales: int = 1,
        scale_step: float = 0.5,
        learn: Sequence[str] = GROUPS,
        initial_size: Sequence[int] | None = None,
        backend: str = "auto",
    ) -> None:
        super().__init__()
        check_positive_int("n_iters", n_iters, "iteration")
        check_positive_int("warps", warps, "warp")
        check_positive_int("scales", scales, "scale")
        check_number("scale_step", scale_step)
        if not 0 < scale_step < 1:
            raise ValueError(
                f"scale_step={scale_step}, but it must lie between 0 and 1"
            )
        if isinstance(learn, str):
            raise ValueError(f"learn={learn!r} is a string; give a sequence of groups")
        for group in learn:
            check_choice("learn group", group, GROUPS)
        check_choice("backend", backend, BACKENDS)
        self.n_iters = n_iters
        self.warps = warps
        self.scales = scales
        self.scale_step = scale_step
        self.backend = backend
        self.learn = tuple(group for group in GROUPS if group in learn)
        stages = scales * warps
        image, flow, divergence = default_kernels("tvl1", stages)
        parameters = {
            "image": image[::warps].clone(),  # (scales, 2, 3)
            "flow": flow,  # (scales * warps, 2, 2)
            "divergence": divergence,
            "theta": torch.full((stages,), 0.3),
            "lam": torch.full((stages,), 0.15),
            "tau": torch.full((stages,), 0.25),
        }
        if initial_size is not None:
            if not isinstance(initial_size, Sequence) or len(initial_size) != 2:
                raise ValueError(
                    f"initial_size={initial_size!r}, but height and width are needed"
                )
            for side in initial_size:
                check_positive_int("initial_size", side, "pixel")
            parameters["initial_flow"] = torch.zeros(1, 2, *initial_size)
        for group, value in parameters.items():
            parameter = nn.Parameter(value, requires_grad=group in self.learn)
            self.register_parameter(group, parameter)

    def forward(self, frames: Tensor) -> Tensor:
        """Flow (N, 2, T-1, H, W) in pixels of frames (N, 1 or 3, T, H, W), RGB.

        Channel 0 is along x (to the right), 1 along y (down). The scale of the frames
        does not matter: each pair is scaled to [0, 255]. Differentiable.
        """
        if not isinstance(frames, Tensor):
            raise TypeError(
                f"frames is a {type(frames).__name__}, but a tensor is needed; "
                f"torch.as_tensor makes one of an array"
            )
        if frames.ndim != 5 or frames.shape[1] not in (1, 3) or frames.shape[2] < 2:
            raise ValueError(
                f"frames has shape {tuple(frames.shape)}; (N, 1, T, H, W) or "
                f"(N, 3, T, H, W) with T >= 2 is needed"
            )
        n, _, t, h, w = frames.shape
        if min(h, w) < 1:
            raise ValueError(f"frames has no pixels, shape {tuple(frames.shape)}")
        gray = to_gray(frames, 255.0)
        pairs = torch.stack([gray[:, :-1], gray[:, 1:]], dim=2).flatten(0, 1)
        if len(pairs) == 0:
            return gray.new_zeros((n, 2, t - 1, h, w))
        low, high = pairs.amin((1, 2, 3), True), pairs.amax((1, 2, 3), True)
        extent = torch.where(high > low, high - low, 1.0)
        pairs = 255 * (pairs - low) / extent
        pairs = _smooth(pairs.flatten(0, 1)).view_as(pairs)

        sizes = [(h, w)]
        while len(sizes) < self.scales:
            size = tuple(int(side * self.scale_step + 0.5) for side in sizes[-1])
            if min(size) < MIN_SIDE:
                break
            sizes.append(size)
        flow = self._start(pairs.shape[0], sizes[-1], pairs)
        for scale in reversed(range(len(sizes))):
            if scale < len(sizes) - 1:
                flow = _resize(flow, sizes[scale]) / self.scale_step
            flow = self._one_scale(scale, _resize(pairs, sizes[scale]), flow)
        return flow.reshape(n, t - 1, *flow.shape[1:]).transpose(1, 2)

    def _start(self, count: int, size: tuple[int, int], like: Tensor) -> Tensor:
        initial = getattr(self, "initial_flow", None)
        if initial is None:
            return like.new_zeros((count, 2, *size))
        return _resize(initial.to(like.dtype), size).expand(count, -1, -1, -1)

    def _one_scale(self, scale: int, pairs: Tensor, flow: Tensor) -> Tensor:
        """All warps of (P, 2, h, w) pairs from a flow (P, 2, h, w)."""
        first, second = pairs[:, :1, None], pairs[:, 1:, None]  # (P, 1, 1, h, w)
        kernel = self.image[scale : scale + 1].to(pairs.dtype)
        gradient = LINEAR_PARTS["tvl1"][0](second, second, kernel)
        images = torch.cat([second, *gradient], dim=1).squeeze(2)
        u = flow.transpose(0, 1)  # (2, P, h, w)
        state = torch.cat([u, u.new_zeros(4, *u.shape[1:])])
        for warp in range(self.warps):
            stage = scale * self.warps + warp
            u = state[:2]
            flow = u.transpose(0, 1)
            warped = backward_warp(images, flow, "border", self.backend)
            second_warped, gx, gy = warped.unbind(1)
            rho_c = second_warped - gx * u[0] - gy * u[1] - first[:, 0, 0]
            linearized = torch.stack([rho_c, gx, gy])
            state = tvl1_iterations(
                state,
                linearized,
                self.flow[stage : stage + 1],
                self.divergence[stage : stage + 1],
                self._scalar("theta", stage),
                self._scalar("lam", stage),
                self._scalar("tau", stage),
                self.n_iters,
                self.backend,
            )
        return state[:2].transpose(0, 1)

    def _scalar(self, name: str, stage: int) -> Tensor:
        value = getattr(self, name)[stage]
        return lower_bound(value, SMALLEST_SCALAR) if name in self.learn else value

    def extra_repr(self) -> str:
        return (
            f"n_iters={self.n_iters}, warps={self.warps}, scales={self.scales}, "
            f"scale_step={self.scale_step}, learn={self.learn}"
        )


def tvl1_energy(frames: Tensor, flow: Tensor, lam: float = 0.15) -> Tensor:
    """The energy that TV-L1 flow minimizes, for training a network that estimates it.

    The mean over all pixels of lam |I1(x + u) - I0(x)| (mean over the colors) and of
    the sum of the absolute forward differences of u, 0 in the last column and row.

    Args:
        frames: (N, C, T, H, W); lam belongs to values from 0 to 255.
        flow: (N, 2, T-1, H, W) in pixels.
    """
    first, second = (
        half.transpose(1, 2).flatten(0, 1).to(flow.dtype)
        for half in (frames[:, :, :-1], frames[:, :, 1:])
    )
    u = flow.transpose(1, 2).flatten(0, 1)
    residual = (backward_warp(second, u, "border") - first).abs().mean()
    pixels = u[:, :1].numel()
    total = u.diff(dim=2).abs().sum() + u.diff(dim=3).abs().sum()
    return lam * residual + total / max(pixels, 1)
