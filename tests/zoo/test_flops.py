"""FLOPs of representation flow, as mmengine's analysis counts them."""

import pytest
import torch
from mmengine.analysis import ActivationAnalyzer, FlopAnalyzer

from flowzoo_kernels import RepresentationFlow


@pytest.mark.parametrize("variant, image, flow", [("paper", 18, 18), ("tvl1", 6, 4)])
def test_flops_and_activations_of_representation_flow(variant, image, flow):
    model = RepresentationFlow(3, n_iters=4, variant=variant)
    x = torch.rand(2, 3, 5, 7, 6)
    pixels, per_step = 2 * 3 * 4 * 7 * 6, 2 * flow + 2 * 4 + 23
    assert FlopAnalyzer(model, x).total() == pixels * (image + 3 + 4 * per_step)
    assert ActivationAnalyzer(model, x).total() == 2 * pixels
