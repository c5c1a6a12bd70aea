import torch
from mmaction.registry import MODELS
from mmengine.analysis import FlopAnalyzer
from mmengine.config import Config
from mmengine.registry import DefaultScope

from flowzoo.config_lookup import find_config
from flowzoo.zoo.complexity import complexity


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
