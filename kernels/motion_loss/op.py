"""The motion losses: argument checks, launches, the operator, the public functions."""

from collections.abc import Sequence

import torch
from torch import Tensor

from .._common import checks
from .frames import local_response_norm, reduce_frames
from .reference import (
    NORMALIZATIONS,
    Constants,
    border_width,
    divisors,
    motion_loss_reference,
    ssim_table,
)

PARTS = ("photometric", "smoothness", "ssim")
# From fine to coarse, for flow at 1/2 to 1/32 of the frames' size.
FLOW_SCALES = (10.0, 5.0, 2.5, 1.25, 0.625)
SSIM_WEIGHTS = (0.01, 0.02, 0.04, 0.08, 0.16)

_PIXELS = 256  # of a Triton program, 2 for a thread
_MAX_STRIDE = 32  # of windows in Triton: a program holds one of them at least


def _check(target: Tensor, source: Tensor, flow: Tensor) -> None:
    for name, tensor in (("target", target), ("source", source), ("flow", flow)):
        if tensor.ndim != 4:
            raise ValueError(
                f"{name} has {tensor.ndim} dimensions, shape {tuple(tensor.shape)}; "
                f"(N, channels, H, W) is needed"
            )
        checks.check_floating(name, tensor)
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
    if frames.requires_grad and torch.is_grad_enabled():
        raise ValueError(
            f"{name} requires grad, but the loss is differentiable in flow only; use "
            f"{name}.detach(), or backward_warp and losses of your own"
        )


def _check_constants(
    k: Constants, window: int, stride: int, normalization: str, h: int, w: int
) -> None:
    checks.check_choice("normalization", normalization, NORMALIZATIONS)
    for name, value in (("ssim_window", window), ("ssim_stride", stride)):
        if value < 1:
            raise ValueError(f"{name}={value}, but at least 1 pixel is needed")
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
    if not checks.is_known_infinite(parts):
        return
    for name, tensor in inputs.items():
        if checks.is_known_infinite(tensor):
            raise ValueError(
                f"{name} holds NaN or infinity, so the loss has no value; the training "
                f"diverged, or the input was damaged: lower the learning rate, load an "
                f"older checkpoint, or look at the data"
            )


def state_dtype(flow: Tensor) -> torch.dtype:
    """In which the loss is computed and the flow's gradient is kept."""
    return torch.float64 if flow.dtype == torch.float64 else torch.float32


def _triton_forward(
    target: Tensor,
    source: Tensor,
    flow: Tensor,
    constants: list[float],
    window: int,
    stride: int,
    normalization: str,
    need_gradient: bool,
) -> tuple[Tensor, Tensor, Tensor]:
    from . import gpu

    k = Constants(*constants)
    n, c, h, w = target.shape
    if h * w >= 1 << 31:
        raise ValueError(
            f"flow has {h} x {w} pixels; backend='triton' takes fewer than 2^31, use "
            f"backend='reference'"
        )
    pairs = flow.shape[1] // 2
    step = min(stride, max(h, w))  # the rest of a window reaches no pixel
    side = 1 << (step - 1).bit_length()
    across = max(1, _PIXELS // side**2)
    size = min(window, step)
    table = torch.zeros(side, side)
    weights = torch.tensor(ssim_table(window, k.ssim_sigma, k.ssim_centre))
    table[:size, :size] = weights[:size, :size]
    by = divisors(target.shape, pairs, k, normalization)
    weights = k.photometric_weight, k.smoothness_weight, k.ssim_weight
    rows, columns = -(-h // step), -(-w // step)
    programs = n * pairs * rows * -(-columns // across)
    shape = flow.shape if need_gradient else 0
    gradient = flow.new_empty(shape, dtype=torch.float32)
    sums = flow.new_empty((programs, 3), dtype=torch.float32)
    if programs > 0:
        with torch.cuda.device_of(flow):
            gpu.motion_loss_kernel[(programs,)](
                target,
                source,
                flow,
                table.to(flow.device, non_blocking=True),
                gradient,
                sums,
                *target.stride(),
                *source.stride(),
                *flow.stride(),
                pairs,
                c // pairs,
                h,
                w,
                step,
                border_width(h, w, k.border),
                k.flow_scale,
                k.photometric_alpha,
                k.photometric_beta,
                k.smoothness_alpha,
                k.smoothness_beta,
                k.epsilon**2,
                k.ssim_c1,
                k.ssim_c2,
                *(
                    weight / divisor
                    for weight, divisor in zip(weights, by, strict=True)
                ),
                GRADIENT=need_gradient,
                SIDE=side,
                ACROSS=across,
            )
    photometric, smoothness, similar = sums.sum(0, dtype=torch.float64).unbind()
    dissimilar = n * c * rows * columns - similar
    parts = [
        t / d for t, d in zip((photometric, smoothness, dissimilar), by, strict=True)
    ]
    loss = sum(weight * part for weight, part in zip(weights, parts, strict=True))
    return loss.float(), torch.stack(parts).float(), gradient


@torch.library.custom_op("flowzoo::motion_loss", mutates_args=())
def _forward(
    target: Tensor,
    source: Tensor,
    flow: Tensor,
    constants: list[float],
    window: int,
    stride: int,
    normalization: str,
    backend: str,
    need_gradient: bool,
) -> tuple[Tensor, Tensor, Tensor]:
    """The loss, its parts, and its gradient for flow or an empty tensor."""
    options = constants, window, stride, normalization, need_gradient
    if backend == "triton":
        return _triton_forward(target, source, flow, *options)
    from . import cpu  # Numba takes long to import and is needed on first use only

    return cpu.forward(target, source, flow, *options)


@_forward.register_fake
def _(target, source, flow, *options):
    dtype = state_dtype(flow)
    return (
        flow.new_empty((), dtype=dtype),
        flow.new_empty(3, dtype=dtype),
        flow.new_empty(flow.shape if options[-1] else 0, dtype=dtype),
    )


@torch.library.custom_op("flowzoo::motion_loss_backward", mutates_args=())
def _backward(grad: Tensor, gradient: Tensor, flow: Tensor) -> Tensor:
    """The flow's gradient, scaled. flow: for its type, and so that this knows of it."""
    return (grad * gradient).to(flow.dtype, copy=True)


@_backward.register_fake
def _(grad, gradient, flow):
    return flow.new_empty(flow.shape)


def _save_for_backward(ctx, inputs, output) -> None:
    *tensors, constants, window, stride, normalization, backend, needed = inputs
    ctx.options = constants, window, stride, normalization, backend
    ctx.needed = needed
    ctx.save_for_backward(*tensors)
    # not saved: backward writes to it. Detached, because an output would be a cycle
    ctx.gradient = output[2].detach()
    ctx.set_materialize_grads(False)


def _differentiate(ctx, grad, parts_grad, gradient_grad):
    nothing = (None,) * 9
    if grad is None:
        return nothing
    images = ctx.needs_input_grad[0] or ctx.needs_input_grad[1]
    others = parts_grad is not None or gradient_grad is not None
    if images or others or not ctx.needed:
        raise RuntimeError(
            "flowzoo::motion_loss is differentiable in its first result and in flow "
            "only, and where asked for; call motion_loss, which sees to that"
        )
    target, source, flow = ctx.saved_tensors
    gradient, ctx.gradient = ctx.gradient, None
    if gradient is None:  # given away by an earlier backward pass of the same graph
        gradient = _forward(target, source, flow.detach(), *ctx.options, True)[2]
    plain = type(grad) is Tensor and type(gradient) is Tensor
    if torch.is_grad_enabled() or torch.compiler.is_compiling() or not plain:
        ctx.gradient = gradient
        return None, None, _backward(grad, gradient, flow), *nothing[3:]
    # in place, so that there are never two
    return None, None, gradient.mul_(grad).to(flow.dtype), *nothing[3:]


_forward.register_autograd(_differentiate, setup_context=_save_for_backward)


@_forward.register_vmap
def _(info, in_dims, *args):
    def example(i: int) -> list:
        pairs = zip(args, in_dims, strict=True)
        return [a if d is None else a.select(d, i) for a, d in pairs]

    in_dims = [None if isinstance(d, list | tuple) else d for d in in_dims]
    results = [_forward(*example(i)) for i in range(info.batch_size)]
    return tuple(torch.stack(r) for r in zip(*results, strict=True)), (0, 0, 0)


@_backward.register_vmap
def _(info, in_dims, grad, gradient, flow):
    tensors = []
    for t, dim in zip((grad, gradient, flow), in_dims, strict=True):
        tensors.append(t.unsqueeze(0) if dim is None else t.movedim(dim, 0))
    grad, gradient, flow = tensors
    shape = (grad.shape[0],) + (1,) * (gradient.ndim - 1)
    return _backward(grad.view(shape), gradient, flow), 0


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
    ssim_centre: float | None = None,
    ssim_c1: float = 1e-4,
    ssim_c2: float = 1e-3,
    normalization: str = "elements",
    caffe_mask: tuple[int, int] = (16, 30),
    backend: str = "auto",
) -> tuple[Tensor, dict[str, Tensor]]:
    """Unsupervised losses of flow at one scale, and their gradient in the same pass.

    Each source frame is warped by ``flow_scale * flow`` (see
    :func:`flowzoo_kernels.backward_warp`, zero outside) and compared with its target by
    a Charbonnier function and by SSIM; neighbouring flow vectors are compared with
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
        ssim_centre: where they are centred; at window / 2 unless given.
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
        NotImplementedError: a backend that does not offer the windows or the type.
        RuntimeError: a backend whose package is not installed.
    """
    _check(target, source, flow)
    _check_no_gradient("target", target)
    _check_no_gradient("source", source)
    if len(weights) != 3:
        raise ValueError(
            f"weights={tuple(weights)}, but three are needed: of the photometric, the "
            f"smoothness and the SSIM term"
        )
    constants = Constants(
        float(flow_scale),
        *map(float, weights),
        float(photometric_alpha),
        float(photometric_beta),
        float(smoothness_alpha),
        float(flow_scale if smoothness_beta is None else smoothness_beta),
        float(epsilon),
        float(border),
        ssim_window / 6 if ssim_sigma is None else float(ssim_sigma),
        ssim_window / 2 if ssim_centre is None else float(ssim_centre),
        float(ssim_c1),
        float(ssim_c2),
        *map(float, caffe_mask),
    )
    options = ssim_window, ssim_stride, normalization
    _check_constants(constants, *options, *flow.shape[2:])
    offered = {"reference"}
    if ssim_stride >= ssim_window:
        offered.add("cpu")
        if ssim_stride <= _MAX_STRIDE and flow.dtype != torch.float64:
            offered.add("triton")
    backend = checks.resolve_backend(backend, flow.device, offered)
    arguments = target.detach(), source.detach(), flow, list(constants), *options
    if backend == "reference":
        loss, parts = motion_loss_reference(*arguments)
    else:
        need = flow.requires_grad and torch.is_grad_enabled()
        loss, parts, _ = _forward(*arguments, backend, need)
    parts = parts.detach()
    _raise_if_not_finite(parts, target=target, source=source, flow=flow)
    return loss, dict(zip(PARTS, parts.unbind(), strict=True))


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

    Frames are normalised across their channels and reduced to the size of each flow
    (see ``frames.py``); :func:`motion_loss` compares all pairs of a scale at once, and
    the scales add up. Frame t is rebuilt from frame t + 1. The defaults are those with
    which the authors train MotionNet alone, for frames minus their mean, divided by
    255; in their training end to end the SSIM weights are a tenth.

    Args:
        frames: (N, C, T, H, W), T >= 2, any strides.
        flows: from fine to coarse, each (N, 2 (T - 1), h, w) with h <= H and w <= W:
            x and y of the first pair, then of the next.
        flow_scales: of each scale; the default makes one unit 20 pixels of the frames
            for flow at 1/2, 1/4, ... 1/32 of their size.
        photometric_weights, smoothness_weights: of each scale; 1 unless given.
        ssim_weights: of each scale.
        lrn_size, lrn_alpha, lrn_beta: of the local response normalisation.
        options: of :func:`motion_loss`, for every scale.

    Returns:
        The weighted sum, differentiable in flows; and the parts without weights and
        without gradient, photometric, smoothness and ssim, each (scales,).

    Raises:
        ValueError: frames that are not (N, C, T, H, W) with T >= 2 or that require
            grad, lists of different lengths, flow larger than the frames, and what
            motion_loss raises.
        TypeError: a tensor that is not floating point.
    """
    if frames.ndim != 5 or frames.shape[2] < 2:
        raise ValueError(
            f"frames have shape {tuple(frames.shape)}; (N, C, T, H, W) with T >= 2 "
            f"frames is needed"
        )
    checks.check_floating("frames", frames)
    _check_no_gradient("frames", frames)
    ones = (1.0,) * len(flows)
    lists = {
        "flow_scales": flow_scales,
        "photometric_weights": photometric_weights or ones,
        "smoothness_weights": smoothness_weights or ones,
        "ssim_weights": ssim_weights,
    }
    for name, values in lists.items():
        if len(values) != len(flows) or len(flows) == 0:
            raise ValueError(
                f"{name} has {len(values)} entries for {len(flows)} flows; one is "
                f"needed for each scale, and at least one scale"
            )
    pairs = frames.shape[2] - 1
    for flow in flows:
        if flow.ndim != 4 or flow.shape[1] != 2 * pairs:
            raise ValueError(
                f"a flow has shape {tuple(flow.shape)}; (N, {2 * pairs}, h, w) is "
                f"needed, 2 channels for each of the {pairs} pairs of frames"
            )
    with torch.no_grad(), torch.autocast(frames.device.type, enabled=False):
        wide = frames.to(torch.promote_types(frames.dtype, torch.float32))
        normal = local_response_norm(wide, lrn_size, lrn_alpha, lrn_beta)
        # frame after frame along the channels, as motion_loss takes them
        normal = normal.transpose(1, 2).flatten(1, 2)
        reduced = [reduce_frames(normal, *flow.shape[2:]) for flow in flows]
    channels = frames.shape[1]
    total, parts = None, []
    scales = zip(reduced, flows, *lists.values(), strict=True)
    for images, flow, scale, *weights in scales:
        loss, part = motion_loss(
            images[:, :-channels],
            images[:, channels:],
            flow,
            flow_scale=scale,
            weights=weights,
            **options,
        )
        total = loss if total is None else total + loss
        parts.append(part)
    return total, {name: torch.stack([p[name] for p in parts]) for name in PARTS}
