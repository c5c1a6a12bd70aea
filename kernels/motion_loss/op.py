"""The motion losses: argument checks, the operator, the public functions."""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from .._common import checks, operators
from .._common.exporting import not_scriptable
from .._common.precision import compute_dtype
from .._common.renamed import renamed_option
from ..frame_pyramid import frame_pyramid
from .options import (
    FLOW_SCALES,
    SSIM_WEIGHTS,
    Options,
    from_numbers,
    takes_options,
)
from .reference import border_width, motion_loss_reference

PARTS = ("photometric", "smoothness", "ssim")

_MAX_STRIDE = 32  # of windows in Triton: a program holds one of them at least
_MIN_EPSILON = 2.0**-63  # whose square is a normal number of float32


def _check(target: Tensor, source: Tensor, flow: Tensor, options: Options) -> None:
    for name, tensor in (("target", target), ("source", source), ("flow", flow)):
        checks.check_maps(name, tensor, "(N, channels, H, W)")
        checks.check_device(name, tensor, flow.device)
    checks.check_shape("source", source, target.shape, "a target of that shape")
    n, c, h, w = target.shape
    if min(h, w) < 1:
        raise ValueError(f"target has no pixels, shape {tuple(target.shape)}")
    channels = flow.shape[1]
    if channels < 2 or channels % 2:
        raise ValueError(
            f"flow has {channels} channels; 2 are needed for each pair of frames: x to "
            f"the right, then y down"
        )
    if c < 1 or c % (channels // 2):
        raise ValueError(
            f"target has {c} channels, which cannot be shared out evenly among "
            f"the {channels // 2} pairs of frames of a flow with {channels} channels"
        )
    checks.check_shape(
        "flow", flow, (n, channels, h, w), f"target {tuple(target.shape)}"
    )
    border = options.border
    if not border >= 0 or 2 * border_width(h, w, border) >= min(h, w):
        raise ValueError(
            f"border={border} leaves nothing of {h} x {w} pixels, or is negative; "
            f"give the share of the shorter side to leave out, such as 0.1"
        )
    _check_no_gradient("target", target)
    _check_no_gradient("source", source)


def _check_no_gradient(name: str, frames: Tensor) -> None:
    if operators.needs_derivative(frames):
        raise ValueError(
            f"{name} requires grad, but the loss is differentiable in flow only; use "
            f"{name}.detach(), or backward_warp and losses of your own"
        )


def _raise_if_not_finite(parts: Tensor, **inputs: Tensor) -> None:
    """NaN anywhere in an input makes a part NaN, so that three numbers tell."""
    if not checks.has_nonfinite(parts):
        return
    for name, tensor in inputs.items():
        if checks.has_nonfinite(tensor):
            raise ValueError(
                f"{name} holds NaN or infinity, so the loss has no value; the training "
                f"diverged, or the input was damaged: lower the learning rate, load an "
                f"older checkpoint, or look at the data"
            )


@torch.library.custom_op(
    "flowzoo::motion_losses",
    mutates_args=(),
    schema="(Tensor[] tensors, float[] numbers, SymInt window, SymInt stride, "
    "str normalization, str backend, bool need_gradient) -> Tensor[]",
)
def _forward(tensors, numbers, window, stride, normalization, backend, need_gradient):
    """The loss of several scales, their parts (scales, 3), the gradients for flows.

    Args:
        tensors: the targets, the sources, the flows of all scales.
        numbers: those of the options of each scale, one after another.
        need_gradient: the gradients are empty unless it is set.
    """
    targets, sources, flows = _split(tensors)
    shared = {"ssim_window": window, "ssim_stride": stride}
    scales = from_numbers(numbers, normalization=normalization, **shared)
    arguments = targets, sources, flows, scales, need_gradient
    if backend == "triton":  # imported when first used: Numba and Triton take long
        from . import gpu

        loss, parts, gradients = gpu.forward(*arguments)
    else:
        from . import cpu

        loss, parts, gradients = cpu.forward(*arguments)
    return [loss, parts, *gradients]


def _split(tensors: Sequence[Tensor]) -> tuple[Sequence[Tensor], ...]:
    """The targets, the sources and the flows."""
    count = len(tensors) // 3
    return tensors[:count], tensors[count : 2 * count], tensors[2 * count :]


@_forward.register_fake
def _(tensors, *options):
    flows = _split(tensors)[2]
    dtype = compute_dtype(*flows)
    return [
        flows[0].new_empty((), dtype=dtype),
        flows[0].new_empty((len(flows), 3), dtype=dtype),
        *(f.new_empty(f.shape if options[-1] else 0, dtype=dtype) for f in flows),
    ]


@_forward.register_vmap
def _(info, in_dims, *args):
    results = operators.vmap_loop(_forward, info, in_dims, args)
    stacked = [torch.stack(each) for each in zip(*results, strict=True)]
    return stacked, [0] * len(stacked)


def _save(ctx, tensors: Sequence[Tensor], results: Sequence[Tensor]) -> None:
    ctx.save_for_backward(*results[2:])
    ctx.dtypes = [flow.dtype for flow in _split(tensors)[2]]
    ctx.set_materialize_grads(False)


def _differentiate(ctx, needs: Sequence[bool], grads: Sequence[Tensor | None]) -> list:
    """The gradients of all tensors from those of all results: that of the loss counts.

    The others are None, unless these gradients are differentiated again.
    """
    grad, *others = grads
    images = _split(needs)[0] + _split(needs)[1]
    if any(images):
        raise RuntimeError(
            "flowzoo::motion_losses is differentiable in flow only; call motion_loss, "
            "which sees to that"
        )
    if any(other is not None for other in others):
        _raise_on_second_derivative(ctx)
    flows = [None] * len(ctx.dtypes)
    if grad is not None:
        saved = zip(ctx.saved_tensors, ctx.dtypes, strict=True)
        flows = [(grad * gradient).to(dtype) for gradient, dtype in saved]
    return [None] * len(images) + flows


_raise_on_second_derivative = operators.raise_on_second_derivative("motion_loss")
_function = operators.differentiable_list(
    "motion_loss", _forward, _save, _differentiate
)


def _losses(
    images: list[tuple[Tensor, Tensor]],
    flows: list[Tensor],
    scales: list[Options],
    backend: str,
) -> tuple[Tensor, Tensor]:
    """The loss of several scales, and the parts of each, (scales, 3).

    images: target and source of each scale.
    """
    for pair, flow, options in zip(images, flows, scales, strict=True):
        _check(*pair, flow, options)
    shared = scales[0]
    window, stride = shared.ssim_window, shared.ssim_stride
    excluded = {}
    dtype = compute_dtype(*flows)
    if dtype == torch.float64:
        excluded["triton"] = "float64"
    elif any(options.epsilon < _MIN_EPSILON for options in scales):
        excluded["cpu"] = "an epsilon below 2^-63, except in float64"
    if stride > _MAX_STRIDE:
        excluded["triton"] = f"ssim_stride={stride}, but at most {_MAX_STRIDE}"
    if stride < window:
        excluded["cpu"] = excluded["triton"] = (
            f"SSIM windows that overlap, ssim_window={window} with ssim_stride={stride}"
        )
    backend = checks.resolve_backend(backend, flows[0].device, excluded)
    targets, sources = ([pair[i].detach() for pair in images] for i in (0, 1))
    if backend == "reference":
        inputs = zip(targets, sources, flows, scales, strict=True)
        losses, parts = zip(*(motion_loss_reference(*i) for i in inputs), strict=True)
        return sum(losses), torch.stack(parts).detach()
    if backend == "cpu":
        for flow in flows:
            checks.check_plane("flow", *flow.shape[2:], backend)
            checks.check_coordinates("flow", *flow.shape[2:], dtype)
    numbers = [number for options in scales for number in options.numbers()]
    need = torch.is_grad_enabled() and (
        operators.in_functorch_transform() or any(f.requires_grad for f in flows)
    )
    options = numbers, window, stride, shared.normalization, backend, need
    tensors = [*targets, *sources, *flows]
    if operators.needs_function("motion_loss", tensors):
        loss, parts, *_ = _function(options, *tensors)
    else:
        loss, parts, *_ = _forward(tensors, *options)
    return loss, parts.detach()


@not_scriptable
@renamed_option("ssim_centre", "ssim_center")
@takes_options()
def motion_loss(
    target: Tensor, source: Tensor, flow: Tensor, *, backend: str = "auto", **options
) -> tuple[Tensor, dict[str, Tensor]]:
    """Unsupervised losses of flow at one scale, and their gradient in the same pass.

    Each source frame is warped by ``flow_scale * flow`` (see
    :func:`flowzoo_kernels.backward_warp`, zero outside) and compared with its target by
    a Charbonnier function and by SSIM; neighboring flow vectors are compared with
    each other. Zhu et al., "Hidden Two-Stream Convolutional Networks for Action
    Recognition", section 3.2; defaults are the authors' constants, of the finest scale
    where they differ. ``reference.py`` is the definition.

    Convention: P pairs of frames lie one after another along the channels. Pair p is
    channels p C .. (p + 1) C - 1 of target and source, and 2p (x, to the right), 2p + 1
    (y, down) of flow. With frames (N, (P + 1) C, H, W), all consecutive pairs are
    ``motion_loss(frames[:, :-C], frames[:, C:], flow)``, without a copy.

    Args:
        target: (N, P C, H, W), any strides, any floating type. The constants suit
            values of about -1 to 1.
        source: the same shape; what is warped.
        flow: (N, 2P, H, W), any strides; in float64 everything is computed in float64,
            otherwise in float32.
        flow_scale: pixels per unit of flow.
        weights: of photometric, smoothness and SSIM term in the loss.
        photometric_alpha, photometric_beta, smoothness_alpha, smoothness_beta, epsilon:
            of the Charbonnier functions ((beta x)^2 + epsilon^2)^alpha. smoothness_beta
            is flow_scale unless given.
        border: share of the shorter side that the photometric and the smoothness term
            leave out on every side.
        ssim_window, ssim_stride: side and distance of the square windows, in pixels.
            The fused backends take windows that do not overlap (stride >= window), and
            'triton' a stride of at most 32.
        ssim_sigma: standard deviation of the window's weights in pixels; a sixth of the
            window unless given, math.inf for equal weights.
        ssim_center: where they are centered; at window / 2 unless given.
        ssim_c1, ssim_c2: constants of the luminance and of the contrast factor.
        normalization: 'elements' divides both Charbonnier terms by the number of their
            elements; 'caffe' as the released training does, with caffe_mask.
        caffe_mask: batch and channels of the authors' mask.
        backend: 'auto' (by the device of flow), 'triton' (not for flow in float64),
            'cpu' or 'reference'.

    Returns:
        The weighted loss, a scalar of float32 (float64 for flow in float64) and
        differentiable in flow; and its parts without weights and without gradient:
        photometric, smoothness, ssim. For an empty batch all are 0.

        The fused backends keep the gradient of flow (in float32) from the forward
        pass on, and scale it in the backward pass.

    Raises:
        ValueError: wrong rank, sizes that do not match, channels that do not go with
            the pairs, tensors on different devices, target or source that requires
            grad, a border that leaves nothing, weights that are not three, constants
            out of range, an unknown normalization or backend; on CPU also NaN or
            infinity in an input (on other devices, and while tracing, values are not
            read because that would wait for the device).
        TypeError: a tensor that is not floating point.
        NotImplementedError: a backend that does not take the windows or the type; a
            second or a forward-mode derivative of a fused backend.
        RuntimeError: a backend whose package is not installed.
    """
    loss, parts = _losses([(target, source)], [flow], [Options(**options)], backend)
    parts = parts[0]
    _raise_if_not_finite(parts, target=target, source=source, flow=flow)
    return loss, dict(zip(PARTS, parts.unbind(), strict=True))


@not_scriptable
@renamed_option("ssim_centre", "ssim_center")
@takes_options("flow_scale", "weights")
def multiscale_motion_loss(
    frames: Tensor,
    flows: Sequence[Tensor],
    *,
    flow_scales: Sequence[float] = FLOW_SCALES,
    photometric_weights: Sequence[float] | None = None,
    smoothness_weights: Sequence[float] | None = None,
    ssim_weights: Sequence[float] = SSIM_WEIGHTS,
    lrn_size: int = 9,
    lrn_alpha: float = 1.0,
    lrn_beta: float = 0.7,
    backend: str = "auto",
    **options,
) -> tuple[Tensor, dict[str, Tensor]]:
    """The losses of flow at several scales between the consecutive frames of clips.

    Frames are normalized across their channels and reduced to the size of each flow
    (see :func:`flowzoo_kernels.frame_pyramid.frame_pyramid`); all pairs of a scale are
    compared at once, as by :func:`motion_loss`, and the scales add up. Frame t is
    rebuilt from frame t + 1. The defaults are those with which the authors train
    MotionNet alone, for frames minus their mean, divided by 255; in their training end
    to end the SSIM weights are a tenth.

    Args:
        frames: (N, C, T, H, W), T >= 2, any strides.
        flows: from fine to coarse, each (N, 2 (T - 1), h, w) with h <= H and w <= W:
            x and y of the first pair, then of the next.
        flow_scales: of each scale; the default makes one unit 20 pixels of the frames
            for flow at 1/2, 1/4, ... 1/32 of their size.
        photometric_weights, smoothness_weights: of each scale; 1 unless given.
        ssim_weights: of each scale.
        lrn_size, lrn_alpha, lrn_beta: of the local response normalization.
        options: of :func:`motion_loss`, for every scale.

    Returns:
        The weighted sum, differentiable in flows, in float64 where one of them is; and
        the parts without weights and without gradient, photometric, smoothness and
        ssim, each (scales,).

    Raises:
        ValueError: frames that are not (N, C, T, H, W) with T >= 2 or that require
            grad, lists of different lengths, flow larger than the frames, and what
            motion_loss raises.
        TypeError: a tensor that is not floating point.
    """
    checks.check_maps("frames", frames, "(N, C, T, H, W)")
    if frames.shape[2] < 2:
        raise ValueError(
            f"frames has shape {tuple(frames.shape)}; (N, C, T, H, W) with T >= 2 "
            f"frames is needed"
        )
    _check_no_gradient("frames", frames)
    ones = (1.0,) * len(flows)
    if photometric_weights is None:
        photometric_weights = ones
    if smoothness_weights is None:
        smoothness_weights = ones
    lists = {
        "flow_scales": flow_scales,
        "photometric_weights": photometric_weights,
        "smoothness_weights": smoothness_weights,
        "ssim_weights": ssim_weights,
    }
    for name, values in lists.items():
        if not isinstance(values, Iterable):
            raise TypeError(f"{name}={values!r}, but a number for each scale is needed")
        if len(values) != len(flows) or len(flows) == 0:
            raise ValueError(
                f"{name} has {len(values)} entries for {len(flows)} flows; one is "
                f"needed for each scale, and at least one scale"
            )
    pairs = frames.shape[2] - 1
    for i, flow in enumerate(flows):
        checks.check_maps(f"flows[{i}]", flow, f"(N, {2 * pairs}, h, w)")
        checks.check_device(f"flows[{i}]", flow, frames.device)
        if flow.shape[1] != 2 * pairs:
            raise ValueError(
                f"flows[{i}] has shape {tuple(flow.shape)}; (N, {2 * pairs}, h, w) is "
                f"needed, 2 channels for each of the {pairs} pairs of frames"
            )
    flow_scales, *weights = lists.values()
    scales = [
        Options(flow_scale=scale, weights=three, **options)
        for scale, three in zip(flow_scales, zip(*weights, strict=True), strict=True)
    ]
    pyramid = frame_pyramid(
        frames,
        [flow.shape[2:] for flow in flows],
        lrn_size,
        lrn_alpha,
        lrn_beta,
        # 'auto' knows of frames that the fused reduction does not take
        "reference" if backend == "reference" else "auto",
    )
    channels = frames.shape[1]
    images = [(maps[:, :-channels], maps[:, channels:]) for maps in pyramid]
    loss, parts = _losses(images, list(flows), scales, backend)
    inputs = {f"flows[{i}]": flow for i, flow in enumerate(flows)}
    _raise_if_not_finite(parts, frames=frames, **inputs)
    return loss, dict(zip(PARTS, parts.unbind(1), strict=True))
