"""FlowZoo's operators in mmengine's FLOPs counter."""

from collections.abc import Sequence
from math import prod

from mmengine.analysis import complexity_analysis, jit_analysis
from mmengine.analysis.jit_handles import generic_activation_jit, get_shape

from flowzoo_kernels._common.exporting import operators_in_traces

from ..compat._patch import wrap

OPERATOR = "flowzoo::representation_flow"

# rho 2, threshold 1, v 2, u 2, squared norms 4, roots 2, denominators 2, p 8
POINTWISE = 23


def representation_flow_flops(
    out: Sequence[int],
    kernels: Sequence[Sequence[int]],
    n_iters: int,
    variant: str,
) -> float:
    """Multiply-adds of the operator, which is how mmengine counts convolutions.

    Args:
        out: shape of the result, (N, 2C, T-1, H, W).
        kernels: shapes of the image, flow and divergence kernels.
        n_iters, variant: arguments of the operator.
    """
    # one set of taps for all channels, or taps for each channel
    channels = 1 if variant == "paper" else out[1] // 2
    image, flow, div = (prod(kernel) / channels for kernel in kernels)
    pixels = prod(out) / 2
    return pixels * (image + 3 + n_iters * (2 * flow + 2 * div + POINTWISE))


def _from_jit_graph(inputs: list, outputs: list) -> float:
    kernels = [get_shape(value) for value in inputs[1:4]]
    n_iters, variant = (value.toIValue() for value in inputs[8:10])
    return representation_flow_flops(get_shape(outputs[0]), kernels, n_iters, variant)


# Without these, get_flops.py says "Unsupported operator" and counts 0. With
# backend='reference' there is no such operator, and of the eager iteration only the
# convolutions are counted.
complexity_analysis._DEFAULT_SUPPORTED_FLOP_OPS[OPERATOR] = _from_jit_graph
complexity_analysis._DEFAULT_SUPPORTED_ACT_OPS[OPERATOR] = generic_activation_jit(
    "representation_flow"
)
wrap(jit_analysis, "_get_scoped_trace_graph", operators_in_traces())
