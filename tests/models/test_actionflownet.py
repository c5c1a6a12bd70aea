"""ActionFlowNet's sizes, its flows and a training step with both losses."""

import pytest
import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.registry import DefaultScope

from flowzoo.config_lookup import find_config
from flowzoo.models.backbones import ActionFlowNet


def build(**options):
    torch.manual_seed(0)
    with DefaultScope.overwrite_default_scope("mmaction"):
        return MODELS.build(dict(type="ActionFlowNet", base_channels=4) | options)


def test_parameters():
    with torch.device("meta"):
        model = ActionFlowNet()
    decoder = sum(p.numel() for p in model.flow_decoder.parameters())
    total = sum(p.numel() for p in model.parameters())
    # torchvision.models.video.r3d_18 with 400 classes, without its classifier
    assert total - decoder == 33_371_472 - 400 * 513


def test_shapes():
    """Sizes that do not halve evenly, as Weizmann's 80x96."""
    model = build()
    clips = torch.rand(2, 3, 5, 80, 96)
    features, seen, flows = model.train()(clips)
    assert features.shape == (2, 32, 5, 3, 3) and seen is clips
    sizes = [(20, 24), (10, 12), (5, 6), (3, 3)]
    assert [tuple(f.shape) for f in flows] == [(2, 8, *size) for size in sizes]
    with torch.no_grad():
        assert model.eval()(clips).shape == (2, 32, 5, 3, 3)


def test_flows_have_x_and_y_of_a_pair_side_by_side():
    model = build()
    for predict in model.flow_decoder.predict:
        torch.nn.init.zeros_(predict.weight)
        predict.bias.data[:] = torch.tensor([20.0, 40.0])  # pixels
    for flow in model.train()(torch.rand(1, 3, 4, 32, 32))[2]:
        assert flow[0, :, 0, 0].tolist() == [1, 2] * 3


def test_flow_starts_at_almost_nothing():
    model = build()
    model.init_weights()
    with torch.no_grad():
        flows = model.train()(torch.rand(2, 3, 4, 64, 64))[2]
    assert all(0 < 20 * flow.abs().max() < 0.5 for flow in flows)


def test_wrong_clips():
    with pytest.raises(ValueError, match="two frames or more"):
        build()(torch.rand(1, 3, 1, 32, 32))


def test_both_losses_train():
    """One step of the config changes each parameter; each loss reaches the encoder."""
    config = Config.fromfile(find_config("actionflownet_r18_weizmann.py"))
    config.model.backbone.base_channels = 4
    config.model.cls_head.in_channels = 32
    torch.manual_seed(0)
    with DefaultScope.overwrite_default_scope("mmaction"):
        model = MODELS.build(config.model)
        model.init_weights()
        optimizer = build_optim_wrapper(model, config.optim_wrapper)
    samples = [ActionDataSample().set_gt_label(label) for label in (0, 1)]
    for sample in samples:
        sample.set_field(torch.randn(4, 2, 48, 64), "gt_flow")
    inputs = [torch.randint(256, (1, 3, 5, 48, 64), dtype=torch.uint8) for _ in samples]
    batch = dict(inputs=inputs, data_samples=samples)

    data = model.data_preprocessor(batch, training=True)
    losses = model(**data, mode="loss")
    for name in ("loss_cls", "loss_flow"):
        first = model.backbone.conv1.conv.weight
        (grad,) = torch.autograd.grad(losses[name], first, retain_graph=True)
        assert grad.isfinite().all() and grad.any(), name

    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    logged = model.train_step(batch, optimizer)
    assert torch.isfinite(logged["loss"]) and {"epe_4", "epe_32"} <= set(logged)
    for name, p in model.named_parameters():
        assert not torch.equal(p, before[name]), name
