"""Parameters and multiply-adds of a config's model, without a forward pass."""

from collections.abc import Sequence

import torch
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.registry import DefaultScope
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils.flop_counter import FlopCounterMode

from .flops import representation_flow_flops


def _representation_flow(x, image, flow, div, *args, out_shape=None, **kwargs) -> float:
    n_iters, variant = args[4:6]
    # torch counts a multiplication and an addition as two
    return 2 * representation_flow_flops(
        out_shape, (image, flow, div), n_iters, variant
    )


def complexity(
    config: Config, input_shape: Sequence[int] | None
) -> tuple[int, float | None]:
    """Count the parameters of a model and the multiply-adds of one forward pass.

    Counted are convolutions, matrix products and representation flow, as the tables of
    the field do; normalization, activations and pooling are not.

    Args:
        config: of the model.
        input_shape: of one sample, as ``model(inputs, mode='tensor')`` takes it
            without the batch: for ``Recognizer3D`` (views, 3, T, H, W). None counts
            the parameters only.

    Returns:
        Number of parameters, and multiply-adds (a GFLOP in the field's tables is
        10^9 of them).
    """
    mapping = {torch.ops.flowzoo.representation_flow: _representation_flow}
    # without storage, so that no time goes into initial weights
    scope = DefaultScope.overwrite_default_scope(config.default_scope)
    with scope, torch.device("meta"):
        model = MODELS.build(config.model).eval()
    parameters = sum(p.numel() for p in model.parameters())
    # without it, recognizers stop after the backbone; other necks do nothing in testing
    has_layer = (config.model.get("neck") or {}).get("type") == "RepFlowNeck"
    stage = dict(stage="neck") if has_layer else {}
    if input_shape is None:
        return parameters, None
    with (
        torch.no_grad(),
        FakeTensorMode(allow_non_fake_inputs=True),
        FlopCounterMode(display=False, custom_mapping=mapping) as counter,
    ):
        model.to_empty(device="cpu")  # of fake tensors: kernels' entries look at it
        model(torch.empty(1, *input_shape), None, mode="tensor", **stage)
    return parameters, counter.get_total_flops() / 2
