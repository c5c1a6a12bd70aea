"""The override that docs/hidden_two_stream.md offers for TSN's spatial stream."""

from pathlib import Path

import pytest
import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from mmengine.config import Config
from mmengine.registry import DefaultScope

CONFIG = Path(__file__).parents[2] / "configs" / "spatial_tsn_ucf101.py"


def test_googlenet_in_the_place_of_resnet():
    pytest.importorskip("torchvision", exc_type=ImportError)
    config = Config.fromfile(CONFIG)
    # without a download; weights="DEFAULT" sets the last two by itself
    googlenet = dict(
        _delete_=True,
        type="torchvision.googlenet",
        weights=None,
        aux_logits=False,
        init_weights=False,
    )
    config.merge_from_dict(
        {"model.backbone": googlenet, "model.cls_head.in_channels": 1024}
    )
    with DefaultScope.overwrite_default_scope("mmaction"):
        model = MODELS.build(config.model)
    data = dict(
        inputs=[torch.randint(256, (3, 3, 64, 64), dtype=torch.uint8)] * 2,
        data_samples=[ActionDataSample().set_gt_label(i) for i in (1, 3)],
    )
    losses = model.loss(**model.data_preprocessor(data, training=True))
    losses["loss_cls"].backward()
    assert model.backbone.conv1.conv.weight.grad.abs().max() > 0
    scores = model.eval().test_step(data)[0].pred_score
    assert scores.shape == (101,)
