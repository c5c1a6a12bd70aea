import torch
from mmaction.registry import MODELS
from mmengine.analysis import FlopAnalyzer
from mmengine.config import Config
from mmengine.registry import DefaultScope

from flowzoo.config_lookup import find_config
from flowzoo.zoo.complexity import complexity
from flowzoo.zoo.flops import representation_flow_flops
from flowzoo_kernels import RepresentationFlow


def test_agrees_with_mmengine():
    """Except for what mmengine counts beyond: batch norms."""
    config = Config.fromfile(find_config("repflow_r18_motionshapes.py"))
    parameters, count = complexity(config, (1, 3, 9, 64, 64))
    with DefaultScope.overwrite_default_scope("mmaction"):
        model = MODELS.build(config.model).eval()
    assert parameters == sum(p.numel() for p in model.parameters())
    model.forward = model.extract_feat
    theirs = FlopAnalyzer(model, torch.zeros(1, 1, 3, 9, 64, 64)).by_operator()
    assert theirs.pop("batch_norm") < 0.02 * count
    assert len(theirs) == 2  # convolutions and representation flow
    assert count == sum(theirs.values())


def test_counts_a_neck_and_what_follows_it():
    with_layer, without = (
        complexity(Config.fromfile(find_config(name)), (1, 3, 8, 80, 96))[1]
        for name in ("repflow_lite0_weizmann.py", "repflow_lite0_weizmann_rgb.py")
    )
    layer = RepresentationFlow(16, variant="tvl1")
    kernels = [
        k.shape for k in (layer.image_kernel, layer.flow_kernel, layer.div_kernel)
    ]
    flow = representation_flow_flops((1, 32, 7, 20, 24), kernels, 20, "tvl1")
    reduce, expand = 8 * 480 * 24 * 16, 7 * 480 * 9 * 32 * 24
    assert with_layer == without + reduce + flow + expand
