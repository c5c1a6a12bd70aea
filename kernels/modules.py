"""The operators as torch modules."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ._common.checks import BACKENDS, check_choice, check_floating, check_positive_int
from ._common.exporting import raise_on_script
from ._common.lower_bound import lower_bound
from .motion_loss.op import FLOW_SCALES, SSIM_WEIGHTS, multiscale_motion_loss
from .repflow.op import representation_flow
from .repflow.reference import VARIANTS, default_kernels
from .warp.op import backward_warp
from .warp.reference import PADDINGS

_PARAMETER_OF_GROUP = {
    "image": "image_kernel",
    "flow": "flow_kernel",
    "divergence": "div_kernel",
    "theta": "theta",
    "lam": "lam",
    "tau": "tau",
}
SMALLEST_SCALAR = 0.01  # of theta, lam and tau, while they are trained
NORMALIZATIONS = ("clip", "batch", "legacy", None)


def normalize_maps(x: Tensor, mode: str | None) -> Tensor:
    """Scale feature maps to the range of image values (section 3.2).

    Args:
        x: (N, C, T, H, W).
        mode: 'clip' scales each clip to [0, 255]; 'batch' the whole batch, so that a
            clip's result depends on the others; 'legacy' the whole batch to [-255, 0],
            the sign with which the authors' weights were trained; None leaves x as is.
            A constant clip (or batch) becomes 0.

    Returns:
        x itself for None, otherwise (N, C, T, H, W), at least float32: in half
        precision, 255 and 254.5 are one number. Differentiable, through the minimum
        and maximum too.
    """
    check_choice("normalize", mode, NORMALIZATIONS)
    if mode is None or x.numel() == 0:
        return x
    x = x.to(torch.promote_types(x.dtype, torch.float32))
    dims = (1, 2, 3, 4) if mode == "clip" else (0, 1, 2, 3, 4)
    low, high = x.amin(dims, keepdim=True), x.amax(dims, keepdim=True)
    extent = high - low
    extent = torch.where(extent == 0, 1.0, extent)
    scaled = 255 * ((x - low) / extent)
    return -scaled if mode == "legacy" else scaled


class _Operator(nn.Module):
    def __prepare_scriptable__(self) -> nn.Module:
        return raise_on_script(type(self).__name__)()


class RepresentationFlow(_Operator):
    """Representation flow between consecutive feature maps, with its parameters.

    Piergiovanni and Ryoo, "Representation Flow for Action Recognition", section 3.2.
    See :func:`flowzoo_kernels.representation_flow` for the operator.

    Args:
        channels: C of the input. The flow is computed in each channel.
        n_iters: iterations, at least 1.
        variant: 'paper', 'tvl1' (the authors' first layer) or 'released' (their last).
        learn: groups of parameters that are trained: 'image', 'flow', 'divergence',
            'theta', 'lam', 'tau'. The others are frozen, and in the state_dict as well.
            The default is the best set of the paper.
        normalize: 'clip' (each clip to [0, 255]), 'batch' (the whole batch to
            [0, 255]), 'legacy' (the whole batch to [-255, 0]) or None.
        backend: 'auto', 'triton', 'cpu' or 'reference', as the operator's.

    Parameters start at the kernels of the variant, theta = 0.3, lam = 0.15 and
    tau = 0.25. The paper trains them at 0.01 times the learning rate of the network,
    with which descent may still drive one of the three numbers below zero, where the
    iteration has no meaning: those that are learned count as at least 0.01.
    """

    def __init__(
        self,
        channels: int,
        n_iters: int = 20,
        variant: str = "paper",
        learn: Sequence[str] = ("divergence", "theta", "lam", "tau"),
        normalize: str | None = "clip",
        backend: str = "auto",
    ) -> None:
        super().__init__()
        check_positive_int("channels", channels, "channel")
        check_positive_int("n_iters", n_iters, "iteration")
        check_choice("variant", variant, VARIANTS)
        check_choice("normalize", normalize, NORMALIZATIONS)
        check_choice("backend", backend, BACKENDS)
        if isinstance(learn, str):
            raise ValueError(f"learn={learn!r} is a string; give a sequence of groups")
        for group in learn:
            check_choice("learn group", group, tuple(_PARAMETER_OF_GROUP))
        self.channels = channels
        self.n_iters = n_iters
        self.variant = variant
        self.learn = tuple(g for g in _PARAMETER_OF_GROUP if g in learn)
        self.normalize = normalize
        self.backend = backend
        image_kernel, flow_kernel, div_kernel = default_kernels(variant, channels)
        self.image_kernel = nn.Parameter(image_kernel)
        self.flow_kernel = nn.Parameter(flow_kernel)
        self.div_kernel = nn.Parameter(div_kernel)
        self.theta = nn.Parameter(torch.tensor(0.3))
        self.lam = nn.Parameter(torch.tensor(0.15))
        self.tau = nn.Parameter(torch.tensor(0.25))
        for group, name in _PARAMETER_OF_GROUP.items():
            getattr(self, name).requires_grad_(group in self.learn)

    def forward(self, x: Tensor) -> Tensor:
        """Flow of (N, C, T, H, W), T >= 2, as (N, 2C, T-1, H, W) of the same dtype.

        Channels 0..C-1 are u1 (to the right), C..2C-1 are u2 (down).
        """
        check_floating("input", x)
        if x.ndim != 5 or x.shape[1] != self.channels or x.shape[2] < 2:
            raise ValueError(
                f"input has shape {tuple(x.shape)}; (N, C, T, H, W) with "
                f"C={self.channels} and T >= 2 frames is needed"
            )
        flow = representation_flow(
            normalize_maps(x, self.normalize),
            self.image_kernel,
            self.flow_kernel,
            self.div_kernel,
            self.scalar("theta"),
            self.scalar("lam"),
            self.scalar("tau"),
            self.n_iters,
            self.variant,
            self.backend,
        )
        return flow.to(x.dtype)

    def scalar(self, name: str) -> Tensor:
        """theta, lam or tau as the operator gets it: bounded below if it is learned."""
        value = getattr(self, name)
        return lower_bound(value, SMALLEST_SCALAR) if name in self.learn else value

    def extra_repr(self) -> str:
        return (
            f"{self.channels}, n_iters={self.n_iters}, variant={self.variant!r}, "
            f"learn={self.learn}, normalize={self.normalize!r}, "
            f"backend={self.backend!r}"
        )


class BackwardWarp(_Operator):
    """Rebuild a frame from the next one and the flow between them.

    See :func:`flowzoo_kernels.backward_warp` for the operator.

    Args:
        padding: 'zeros' or 'border', what lies outside the image.
        backend: 'auto', 'triton', 'cpu' or 'reference'.
    """

    def __init__(self, padding: str = "zeros", backend: str = "auto") -> None:
        super().__init__()
        check_choice("padding", padding, PADDINGS)
        check_choice("backend", backend, BACKENDS)
        self.padding = padding
        self.backend = backend

    def forward(self, image: Tensor, flow: Tensor) -> Tensor:
        """Warp image (N, C, H, W) by flow (N, 2, H, W) in pixels, x then y."""
        return backward_warp(image, flow, self.padding, self.backend)

    def extra_repr(self) -> str:
        return f"padding={self.padding!r}, backend={self.backend!r}"


class MotionLoss(_Operator):
    """The unsupervised losses of MotionNet at several scales.

    See :func:`flowzoo_kernels.multiscale_motion_loss` for what is computed.

    Args:
        flow_scales: pixels per unit of flow at each scale, from fine to coarse.
        ssim_weights: of each scale; a tenth of the default for training end to end.
        options: of multiscale_motion_loss and motion_loss.
    """

    def __init__(
        self,
        flow_scales: Sequence[float] = FLOW_SCALES,
        ssim_weights: Sequence[float] = SSIM_WEIGHTS,
        **options,
    ) -> None:
        super().__init__()
        self.flow_scales = tuple(flow_scales)
        self.ssim_weights = tuple(ssim_weights)
        self.options = options

    def forward(
        self, frames: Tensor, flows: Sequence[Tensor]
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Loss and parts, each (scales,), of frames (N, C, T, H, W) and their flows."""
        return multiscale_motion_loss(
            frames,
            flows,
            flow_scales=self.flow_scales,
            ssim_weights=self.ssim_weights,
            **self.options,
        )

    def extra_repr(self) -> str:
        options = "".join(f", {name}={value!r}" for name, value in self.options.items())
        return (
            f"flow_scales={self.flow_scales}, ssim_weights={self.ssim_weights}{options}"
        )
