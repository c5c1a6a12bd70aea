"""Rates and weight decay of every parameter, as the authors' Caffe definitions say."""

import pytest
import torch
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.registry import DefaultScope
from torch import nn

import flowzoo  # noqa: F401
from flowzoo.config_lookup import find_config


def settings(name):
    """(rate, decay) by parameter, and the transposed convolutions' and norms' names."""
    config = Config.fromfile(find_config(f"{name}.py"))
    with torch.device("meta"), DefaultScope.overwrite_default_scope("mmaction"):
        model = MODELS.build(config.model)
        optimizer = build_optim_wrapper(model, config.optim_wrapper).optimizer
    groups = {id(p): g for g in optimizer.param_groups for p in g["params"]}
    kinds = {
        kind: {n for n, m in model.named_modules() if isinstance(m, kind)}
        for kind in (nn.ConvTranspose2d, nn.BatchNorm2d)
    }
    found = {
        name: (groups[id(p)]["lr"], groups[id(p)]["weight_decay"])
        for name, p in model.named_parameters()
        if p.requires_grad
    }
    return found, kinds


@pytest.mark.parametrize(
    "name",
    [
        "hidden2s_vgg16_ucf101",
        "hidden2s_vgg16_ucf101_temporal",
        "hidden2s_vgg16_ucf101_tinymotionnet",
        "hidden2s_vgg16_hmdb51",
        "hidden2s_tsn_ucf101",
        "hidden2s_tsn_ucf101_temporal",
        "hidden2s_branched_ucf101",
    ],
)
def test_every_parameter(name):
    found, kinds = settings(name)
    stage, slow, norms = "temporal" in name, 1e-6, "tsn" in name
    seen = set()
    for name, setting in found.items():
        module, kind = name.rsplit(".", 1)
        rate, decay = (slow, 5e-4) if "motion_net" in name else (1e-3, 5e-4)
        if stage:
            assert "motion_net" not in name  # it is fixed
            rate = 5e-3
        if module in kinds[nn.ConvTranspose2d]:
            decay, rate = 0, rate if kind == "weight" else 0
        elif module in kinds[nn.BatchNorm2d]:
            decay = 0
        elif kind == "bias":
            decay, rate = 0, rate if "motion_net" in name else 2 * rate
        assert setting == pytest.approx((rate, decay)), name
        seen.add((rate, decay))
    # TSN's first norm alone is trained
    assert len(seen) == (2 if stage else 5) + norms
    trained = [n for n in found if n.rsplit(".", 1)[0] in kinds[nn.BatchNorm2d]]
    assert len(trained) == 2 * norms


def test_motionnet_by_itself():
    found, kinds = settings("motionnet_ucf101")
    for name, setting in found.items():
        module, kind = name.rsplit(".", 1)
        deconv = module in kinds[nn.ConvTranspose2d]
        rate = 0 if deconv and kind == "bias" else 3.2e-5
        assert setting == (rate, 0 if deconv or kind == "bias" else 4e-4), name
    assert len(set(found.values())) == 3


def test_spatial_biases_learn_twice_as_fast():
    found, _ = settings("spatial_vgg16_ucf101")
    for name, setting in found.items():
        assert setting == ((2e-3, 0) if name.endswith("bias") else (1e-3, 5e-4)), name
