"""TV-L1 flow: argument checks, the operator, the public function."""

import torch
from torch import Tensor

from .._common import checks, operators
from .._common.exporting import not_scriptable, tracing
from .._common.precision import compute_dtype
from .options import INTERPOLATIONS, MEDIANS, PRESETS, Options
from .reference import tvl1_flow_reference

# ITU-R BT.601, as OpenCV and video decoders use it.
LUMA = (0.299, 0.587, 0.114)
WHITE = 255.0  # the scale of the frames to which lam belongs


def make_options(preset: str, **changes) -> Options:
    """The parameters of a preset, some of them changed."""
    checks.check_choice("preset", preset, tuple(PRESETS))
    unknown = sorted(set(changes) - set(Options._fields))
    if unknown:
        raise TypeError(
            f"tvl1_flow has no parameter {unknown[0]!r}; choose from "
            f"{', '.join(Options._fields)}"
        )
    # torch.compile of 2.7 does not look into _replace
    fields = zip(Options._fields, PRESETS[preset], strict=True)
    options = Options(*(changes.get(name, value) for name, value in fields))
    for name in ("tau", "lam", "theta"):
        checks.check_positive_number(name, getattr(options, name))
    for name in ("scale_step", "epsilon"):
        checks.check_number(name, getattr(options, name))
    if not 0 <= options.epsilon < float("inf"):
        raise ValueError(f"epsilon={options.epsilon}, but it must be at least 0")
    if not 0 < options.scale_step < 1:
        raise ValueError(
            f"scale_step={options.scale_step}, but it must lie between 0 and 1"
        )
    for name, unit in (
        ("scales", "level"),
        ("warps", "warp"),
        ("inner_iterations", "iteration"),
        ("outer_iterations", "iteration"),
        ("median", "pixel"),
    ):
        checks.check_positive_int(name, getattr(options, name), unit)
    checks.check_choice("median", options.median, MEDIANS)
    checks.check_choice("interpolation", options.interpolation, INTERPOLATIONS)
    return options


def _check(frames: Tensor, initial_flow: Tensor | None) -> None:
    if not isinstance(frames, Tensor):
        raise TypeError(
            f"frames is a {type(frames).__name__}, but a tensor is needed; "
            f"torch.as_tensor makes one of an array"
        )
    if frames.dtype != torch.uint8 and not frames.is_floating_point():
        raise TypeError(
            f"frames is {frames.dtype}, but uint8 or a floating-point type is needed; "
            f"convert it, and say which value is white, for example with "
            f"frames.float() and data_range=65535"
        )
    shape = tuple(frames.shape)
    if frames.ndim not in (4, 5) or (frames.ndim == 5 and shape[1] not in (1, 3)):
        raise ValueError(
            f"frames has shape {shape}; (N, T, H, W), (N, 1, T, H, W) or "
            f"(N, 3, T, H, W) is needed"
        )
    t, h, w = shape[-3:]
    if t < 2:
        raise ValueError(f"frames has {t} frames a clip, shape {shape}; 2 are needed")
    if min(h, w) < 1:
        raise ValueError(f"frames has no pixels, shape {shape}")
    if initial_flow is not None:
        checks.check_floating("initial_flow", initial_flow)
        why = f"frames of shape {shape}"
        checks.check_shape(
            "initial_flow", initial_flow, (shape[0], 2, t - 1, h, w), why
        )
        checks.check_device("initial_flow", initial_flow, frames.device)
    for name, tensor in (("frames", frames), ("initial_flow", initial_flow)):
        if tensor is not None and operators.needs_derivative(tensor):
            raise NotImplementedError(
                f"tvl1_flow has no derivative, but one for {name} may be asked for; "
                f"call it with {name}.detach(), or use TVNet, which is differentiable"
            )


def to_gray(frames: Tensor, data_range: float | None = None) -> Tensor:
    """Frames as (N, T, H, W) floating point, white being 255.

    frames: (N, T, H, W), (N, 1, T, H, W) or (N, 3, T, H, W), RGB.
    """
    if data_range is None:
        data_range = WHITE if frames.dtype == torch.uint8 else 1.0
    dtype = compute_dtype(frames)
    if frames.ndim == 5 and frames.shape[1] == 3:
        r, g, b = (frames[:, i].to(dtype) * k for i, k in enumerate(LUMA))
        gray = r + g + b
    else:
        gray = (frames[:, 0] if frames.ndim == 5 else frames).to(dtype)
    return gray * (WHITE / data_range) if data_range != WHITE else gray


@torch.library.custom_op("flowzoo::tvl1_flow", mutates_args=())
def _forward(
    gray: Tensor,
    initial: Tensor | None,
    tau: float,
    lam: float,
    theta: float,
    scales: int,
    scale_step: float,
    warps: int,
    epsilon: float,
    inner_iterations: int,
    outer_iterations: int,
    median: int,
    interpolation: str,
    backend: str,
) -> Tensor:
    options = Options(
        tau,
        lam,
        theta,
        scales,
        scale_step,
        warps,
        epsilon,
        inner_iterations,
        outer_iterations,
        median,
        interpolation,
    )
    n, t, h, w = gray.shape
    if n == 0:
        return gray.new_empty((0, 2, t - 1, h, w))
    if backend == "cpu":
        from .cpu import forward
    elif backend == "triton":
        from .gpu import forward
    else:
        forward = tvl1_flow_reference
    return forward(gray, initial, options).contiguous()


@_forward.register_fake
def _(gray, *rest) -> Tensor:
    n, t, h, w = gray.shape
    return gray.new_empty((n, 2, t - 1, h, w))


@_forward.register_vmap
def _(info, in_dims, *args):
    return torch.stack(operators.vmap_loop(_forward, info, in_dims, args)), 0


@not_scriptable
def tvl1_flow(
    frames: Tensor,
    preset: str = "opencv",
    *,
    initial_flow: Tensor | None = None,
    data_range: float | None = None,
    backend: str = "auto",
    **parameters,
) -> Tensor:
    """Multi-scale TV-L1 optical flow between consecutive frames.

    The flow u minimizes the sum of lam * |I1(x + u) - I0(x)| and the total variation of
    u (Zach, Pock, Bischof 2007), by the scheme of OpenCV's DualTVL1OpticalFlow, whose
    parameters are taken.

    Convention: flow is in pixels, channel 0 along x (to the right), 1 along y (down):
    the pixel at (x, y) of frame t is at (x + u, y + v) in frame t + 1.

    Args:
        frames: (N, T, H, W) gray, (N, 1, T, H, W) gray or (N, 3, T, H, W) RGB, any
            strides. uint8, or floating point: float64 is computed in float64, other
            types in float32.
        preset: 'opencv' (its defaults), 'cuda' (as OpenCV's implementation for CUDA:
            300 iterations a warp, bilinear sampling, no median filter) or 'fast'.
        initial_flow: (N, 2, T - 1, H, W), where to begin; 0 if None.
        data_range: the value of white; if None 255 for uint8, 1 for floating point.
        backend: 'auto' (by the device of frames), 'triton' (not for float64), 'cpu' or
            'reference'.
        **parameters: instead of the preset's: tau, lam, theta, scales, scale_step,
            warps, epsilon (pixels; iterations of a warp end when the root mean squared
            change is not above it), inner_iterations, outer_iterations, median (1, 3 or
            5), interpolation ('bicubic' or 'bilinear').

    Returns:
        (N, 2, T - 1, H, W) float32 (float64 for float64). A pair with a NaN or an
        infinite value in a frame or its initial flow has NaN everywhere; other pairs do
        not change.

    Raises:
        ValueError: wrong shapes, fewer than two frames, no pixels, a parameter out of
            its range, an unknown preset or backend.
        TypeError: frames or a parameter of another type, an unknown parameter.
        NotImplementedError: frames or an initial flow that require a gradient.
        RuntimeError: a backend whose package is not installed; an ONNX file or a trace
            that is to hold the operator.
    """
    if tracing():
        raise RuntimeError(
            "tvl1_flow iterates until the flow stays as it is, which neither an ONNX "
            "file nor a trace can hold; compute the flow before, and export the rest"
        )
    _check(frames, initial_flow)
    options = make_options(preset, **parameters)
    if data_range is not None:
        checks.check_positive_number("data_range", data_range)
    excluded = {"triton": "float64"} if frames.dtype == torch.float64 else {}
    # an exported program holds the operator, whose loop ends where the flow does
    backend = checks.resolve_backend(
        backend, frames.device, excluded, export_reference=False
    )
    gray = to_gray(frames, data_range)
    if frames.dtype == torch.uint8 and initial_flow is None:
        return _forward(gray, None, *options, backend)
    finite = torch.isfinite(gray).flatten(2).all(dim=2)
    finite = finite[:, :-1] & finite[:, 1:]
    gray = gray.nan_to_num(0.0, 0.0, 0.0)
    if initial_flow is not None:
        finite &= torch.isfinite(initial_flow).transpose(1, 2).flatten(2).all(dim=2)
        initial_flow = initial_flow.to(gray.dtype).nan_to_num(0.0, 0.0, 0.0)
    flow = _forward(gray, initial_flow, *options, backend)
    return flow.masked_fill(~finite[:, None, :, None, None], float("nan"))
