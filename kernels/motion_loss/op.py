"""The motion losses: argument checks, the operator, the public functions."""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from .._common import checks, operators
from .._common.precision import compute_dtype
from .._common.renamed import renamed_option
from ..frame_pyramid import frame_pyramid
from .reference import (
    NORMALIZATIONS,
    Constants,
    border_width,
    motion_loss_reference,
)

PARTS = ("photometric", "smoothness", "ssim")
# From fine to coarse, for flow at 1/2 to 1/32 of the frames' size.
FLOW_SCALES = (10.0, 5.0, 2.5, 1.25, 0.625)
SSIM_WEIGHTS = (0.01, 0.02, 0.04, 0.08, 0.16)

_MAX_STRIDE = 32  # of windows in Triton: a program holds one of them at least


def _check(target: Tensor, source: Tensor, flow: Tensor) -> None:
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


def _check_no_gradient(name: str, frames: Tensor) -> None:
    if operators.needs_derivative(frames):
        raise ValueError(
            f"{name} requires grad, but the loss is differentiable in flow only; use "
            f"{name}.detach(), or backward_warp and losses of your own"
        )


def _numbers(name: str, values: Sequence[float], count: int, what: str) -> list[float]:
    values = tuple(values) if isinstance(values, Iterable) else (values,)
    if len(values) != count:
        raise ValueError(f"{name}={values}, but {what}")
    return [float(value) for value in values]


def _check_constants(
    k: Constants, window: int, stride: int, normalization: str, h: int, w: int
) -> None:
    checks.check_choice("normalization", normalization, NORMALIZATIONS)
    checks.check_positive_int("ssim_window", window, "pixel")
    checks.check_positive_int("ssim_stride", stride, "pixel")
    for name, value in zip(k._fields, k, strict=True):
        finite = value - value == 0
        if not finite and not (name == "ssim_sigma" and value > 0):
            raise ValueError(f"{name}={value}, but a finite number is needed")
    for name in ("epsilon", "ssim_sigma", "ssim_c1", "ssim_c2"):
        if not getattr(k, name) > 0:
            raise ValueError(f"{name}={getattr(k, name)}, but it must be positive")
    if not k.border >= 0 or 2 * border_width(h, w, k.border) >= min(h, w):
        raise ValueError(
            f"border={k.border} leaves nothing of {h} x {w} pixels, or is negative; "
            f"give the share of the shorter side to leave out, such as 0.1"
        )
    if normalization == "caffe" and not k.mask_batch * k.mask_channels > 0:
        raise ValueError("caffe_mask holds a number that is not positive")


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


def _unflatten(constants: list[float]) -> list[Constants]:
    """The numbers of each scale; operators take flat lists only."""
    count = len(Constants._fields)
    return [
        Constants(*constants[i : i + count]) for i in range(0, len(constants), count)
    ]


@torch.library.custom_op("flowzoo::motion_losses", mutates_args=())
def _forward(
    targets: list[Tensor],
    sources: list[Tensor],
    flows: list[Tensor],
    constants: list[float],
    window: int,
    stride: int,
    normalization: str,
    backend: str,
    need_gradient: bool,
) -> tuple[Tensor, Tensor, list[Tensor]]:
    """The loss of several scales, their parts (scales, 3), the gradients for flows.

    constants: those of all scales, one after another. Gradients are empty where none is
    needed.
    """
    tensors = targets, sources, flows, _unflatten(constants)
    options = window, stride, normalization, need_gradient
    if backend == "triton":  # imported when first used: Numba and Triton take long
        from .gpu import forward
    else:
        from .cpu import forward
    return forward(*tensors, *options)


@_forward.register_fake
def _(targets, sources, flows, *options):
    dtype = compute_dtype(*flows)
    return (
        flows[0].new_empty((), dtype=dtype),
        flows[0].new_empty((len(flows), 3), dtype=dtype),
        [f.new_empty(f.shape if options[-1] else 0, dtype=dtype) for f in flows],
    )


@torch.library.custom_op("flowzoo::motion_losses_backward", mutates_args=())
def _backward(
    grad: Tensor, gradients: list[Tensor], flows: list[Tensor]
) -> list[Tensor]:
    """The gradients, scaled. flows: for their types, and so that this knows of them."""
    scaled = torch._foreach_mul(gradients, grad)
    return [s.to(flow.dtype) for s, flow in zip(scaled, flows, strict=True)]


@_backward.register_fake
def _(grad, gradients, flows):
    return [flow.new_empty(flow.shape) for flow in flows]


def _save_for_backward(ctx, inputs, output) -> None:
    *tensors, constants, window, stride, normalization, backend, needed = inputs
    ctx.options = constants, window, stride, normalization, backend
    ctx.needed = needed
    ctx.save_for_backward(*(t for several in tensors for t in several))
    # not saved: backward writes to them. Detached, because an output would be a cycle
    ctx.gradients = [gradient.detach() for gradient in output[2]]
    ctx.set_materialize_grads(False)


def _differentiate(ctx, grad, parts_grad, gradient_grads):
    count = len(ctx.saved_tensors) // 3
    nothing = [None] * count, [None] * count
    if grad is None:
        return *nothing, [None] * count, *[None] * 6
    images = any(ctx.needs_input_grad[0]) or any(ctx.needs_input_grad[1])
    others = [parts_grad, *gradient_grads]
    if images or any(g is not None for g in others) or not ctx.needed:
        raise RuntimeError(
            "flowzoo::motion_losses is differentiable in its first result and in flow "
            "only, and where asked for; call motion_loss, which sees to that"
        )
    saved = list(ctx.saved_tensors)
    targets, sources, flows = (saved[i : i + count] for i in (0, count, 2 * count))
    gradients, ctx.gradients = ctx.gradients, None
    if gradients is None:  # given away by an earlier backward pass of the same graph
        detached = [flow.detach() for flow in flows]
        gradients = _forward(targets, sources, detached, *ctx.options, True)[2]
    plain = all(type(t) is Tensor for t in (grad, *gradients))
    plain = plain and not operators.in_functorch_transform()
    if torch.is_grad_enabled() or torch.compiler.is_compiling() or not plain:
        ctx.gradients = gradients
        return *nothing, _backward(grad, gradients, flows), *[None] * 6
    # in place, so that there are never two
    torch._foreach_mul_(gradients, grad)
    scaled = [g.to(flow.dtype) for g, flow in zip(gradients, flows, strict=True)]
    return *nothing, scaled, *[None] * 6


_refuse_twice = operators.raise_on_second_derivative("motion_loss")
_forward.register_autograd(_differentiate, setup_context=_save_for_backward)
_backward.register_autograd(_refuse_twice, setup_context=operators.save_nothing)


# The same for torch.func, with all tensors as direct arguments, and the gradients saved
# in the way that it knows of.


def _scale_flat(grad: Tensor, *tensors: Tensor) -> tuple[Tensor, ...]:
    count = len(tensors) // 2
    return tuple(_backward(grad, list(tensors[:count]), list(tensors[count:])))


_run_scale_flat = operators.make_autograd_function(
    "motion_loss_backward", _scale_flat, _refuse_twice
)


def _forward_flat(options: tuple, *tensors: Tensor) -> tuple[Tensor, ...]:
    count = len(tensors) // 3
    lists = (list(tensors[i : i + count]) for i in (0, count, 2 * count))
    loss, parts, gradients = _forward(*lists, *options)
    return loss, parts, *gradients


def _save_flat(ctx, inputs, output) -> None:
    _, _, *gradients = output
    ctx.save_for_backward(*gradients, *inputs[-len(gradients) :])


def _differentiate_flat(ctx, grad, *_):
    scaled = _run_scale_flat(grad, *ctx.saved_tensors)
    return None, *[None] * 2 * len(scaled), *scaled


_run_flat = operators.make_autograd_function(
    "motion_loss", _forward_flat, _differentiate_flat, save=_save_flat
)


def _run(
    targets: list[Tensor], sources: list[Tensor], flows: list[Tensor], *options
) -> tuple[Tensor, Tensor]:
    """The loss and the parts. options: those of the operator but need_gradient."""
    need = torch.is_grad_enabled()
    if not torch.compiler.is_compiling():
        if operators.in_functorch_transform():
            return _run_flat((*options, need), *targets, *sources, *flows)[:2]
        operators.check_no_tangent("motion_loss", flows)
    need = need and any(flow.requires_grad for flow in flows)
    return _forward(targets, sources, flows, *options, need)[:2]


@_forward.register_vmap
def _(info, in_dims, *args):
    results = operators.vmap_loop(_forward, info, in_dims, args)
    losses, parts, gradients = zip(*results, strict=True)
    gradients = [torch.stack(g) for g in zip(*gradients, strict=True)]
    return (
        (torch.stack(losses), torch.stack(parts), gradients),
        (0, 0, [0] * len(gradients)),
    )


@_backward.register_vmap
def _(info, in_dims, grad, gradients, flows):
    def example(t: Tensor, dim: int | None) -> Tensor:
        return t.unsqueeze(0) if dim is None else t.movedim(dim, 0)

    dims = in_dims[1:]
    gradients, flows = (
        [example(t, d) for t, d in zip(several, dim, strict=True)]
        for several, dim in zip((gradients, flows), dims, strict=True)
    )
    grad = example(grad, in_dims[0])
    scaled = []
    for gradient, flow in zip(gradients, flows, strict=True):
        shaped = grad.view(-1, *[1] * (gradient.ndim - 1))
        scaled.append((shaped * gradient).to(flow.dtype))
    return scaled, [0] * len(scaled)


def _losses(
    images: list[tuple[Tensor, Tensor]],
    flows: list[Tensor],
    *,
    flow_scale: Sequence[float],
    weights: Sequence[Sequence[float]],
    photometric_alpha: float,
    photometric_beta: float,
    smoothness_alpha: float,
    smoothness_beta: float | None,
    epsilon: float,
    border: float,
    ssim_window: int,
    ssim_stride: int,
    ssim_sigma: float | None,
    ssim_center: float | None,
    ssim_c1: float,
    ssim_c2: float,
    normalization: str,
    caffe_mask: tuple[int, int],
    backend: str,
) -> tuple[Tensor, Tensor]:
    """The loss of several scales, and the parts of each, (scales, 3).

    images: target and source of each scale; flow_scale, weights: for each.
    """
    options = ssim_window, ssim_stride, normalization
    constants = []
    for (target, source), flow, scale, three in zip(
        images, flows, flow_scale, weights, strict=True
    ):
        _check(target, source, flow)
        _check_no_gradient("target", target)
        _check_no_gradient("source", source)
        terms = "three are needed: of the photometric, the smoothness and the SSIM term"
        k = Constants(
            float(scale),
            *_numbers("weights", three, 3, terms),
            float(photometric_alpha),
            float(photometric_beta),
            float(smoothness_alpha),
            float(scale if smoothness_beta is None else smoothness_beta),
            float(epsilon),
            float(border),
            ssim_window / 6 if ssim_sigma is None else float(ssim_sigma),
            ssim_window / 2 if ssim_center is None else float(ssim_center),
            float(ssim_c1),
            float(ssim_c2),
            *_numbers("caffe_mask", caffe_mask, 2, "two are needed: batch, channels"),
        )
        _check_constants(k, *options, *flow.shape[2:])
        constants.append(k)
    excluded = {}
    if compute_dtype(*flows) == torch.float64:
        excluded["triton"] = "float64"
    if ssim_stride > _MAX_STRIDE:
        excluded["triton"] = f"ssim_stride={ssim_stride}, but at most {_MAX_STRIDE}"
    if ssim_stride < ssim_window:
        excluded["cpu"] = excluded["triton"] = (
            f"SSIM windows that overlap, ssim_window={ssim_window} with "
            f"ssim_stride={ssim_stride}"
        )
    backend = checks.resolve_backend(backend, flows[0].device, excluded)
    targets, sources = ([pair[i].detach() for pair in images] for i in (0, 1))
    if backend == "reference":
        scales = zip(targets, sources, flows, constants, strict=True)
        results = [motion_loss_reference(*scale, *options) for scale in scales]
        losses, parts = zip(*results, strict=True)
        return sum(losses), torch.stack(parts).detach()
    numbers = [number for k in constants for number in k]
    loss, parts = _run(targets, sources, flows, numbers, *options, backend)
    return loss, parts.detach()


@renamed_option("ssim_centre", "ssim_center")
def motion_loss(
    target: Tensor,
    source: Tensor,
    flow: Tensor,
    *,
    flow_scale: float,
    weights: Sequence[float] = (1.0, 1.0, 0.01),
    photometric_alpha: float = 0.4,
    photometric_beta: float = 255.0,
    smoothness_alpha: float = 0.3,
    smoothness_beta: float | None = None,
    epsilon: float = 1e-3,
    border: float = 0.1,
    ssim_window: int = 8,
    ssim_stride: int = 8,
    ssim_sigma: float | None = None,
    ssim_center: float | None = None,
    ssim_c1: float = 1e-4,
    ssim_c2: float = 1e-3,
    normalization: str = "elements",
    caffe_mask: tuple[int, int] = (16, 30),
    backend: str = "auto",
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
    loss, parts = _losses(
        [(target, source)],
        [flow],
        flow_scale=[flow_scale],
        weights=[weights],
        photometric_alpha=photometric_alpha,
        photometric_beta=photometric_beta,
        smoothness_alpha=smoothness_alpha,
        smoothness_beta=smoothness_beta,
        epsilon=epsilon,
        border=border,
        ssim_window=ssim_window,
        ssim_stride=ssim_stride,
        ssim_sigma=ssim_sigma,
        ssim_center=ssim_center,
        ssim_c1=ssim_c1,
        ssim_c2=ssim_c2,
        normalization=normalization,
        caffe_mask=caffe_mask,
        backend=backend,
    )
    parts = parts[0]
    _raise_if_not_finite(parts, target=target, source=source, flow=flow)
    return loss, dict(zip(PARTS, parts.unbind(), strict=True))


_DEFAULTS = {
    name: value
    for name, value in motion_loss.__wrapped__.__kwdefaults__.items()
    if name not in ("weights", "flow_scale")
}


@renamed_option("ssim_centre", "ssim_center")
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
    if unknown := options.keys() - _DEFAULTS.keys():
        raise TypeError(
            f"no option {', '.join(sorted(unknown))}; there are flow_scales, "
            f"photometric_weights, smoothness_weights, ssim_weights, lrn_size, "
            f"lrn_alpha, lrn_beta, {', '.join(_DEFAULTS)}"
        )
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
    options = _DEFAULTS | options
    pyramid = frame_pyramid(
        frames,
        [flow.shape[2:] for flow in flows],
        lrn_size,
        lrn_alpha,
        lrn_beta,
        # 'auto' knows of frames that the fused reduction does not take
        "reference" if options["backend"] == "reference" else "auto",
    )
    channels = frames.shape[1]
    flow_scales, *weights = lists.values()
    loss, parts = _losses(
        [(images[:, :-channels], images[:, channels:]) for images in pyramid],
        list(flows),
        flow_scale=flow_scales,
        weights=list(zip(*weights, strict=True)),
        **options,
    )
    inputs = {f"flows[{i}]": flow for i, flow in enumerate(flows)}
    _raise_if_not_finite(parts, frames=frames, **inputs)
    return loss, dict(zip(PARTS, parts.unbind(1), strict=True))
