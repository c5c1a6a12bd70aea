"""The layer in training: mmaction2's own tool and networks, and the paper's rate."""

import pytest
import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.registry import DefaultScope

from flowzoo.config_lookup import find_config

# What makes the config of a user small: network, clips and dataset.
SMALL = """
_base_ = {base!r}
model = dict(
    backbone=dict(depth=18, pretrained=None, {backbone}),
    neck=dict(in_channels=512, aux_head_cfg=dict(out_channels=2)),
    cls_head=dict(in_channels=512, num_classes=2))
pipeline = [
    dict(type='OpenCVInit'),
    dict(type='SampleFrames', {sampling}),
    dict(type='OpenCVDecode'),
    dict(type='Resize', scale=(64, 64), keep_ratio=False),  # a 1x1 map has no flow
    dict(type='FormatShape', input_format={layout!r}),
    dict(type='PackActionInputs')]
train_dataloader = dict(
    _delete_=True,
    batch_size=2,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type='VideoDataset', ann_file='{videos}/list.txt',
        data_prefix=dict(video='{videos}'), pipeline=pipeline))
train_cfg = dict(max_epochs=1)
val_cfg = val_dataloader = val_evaluator = None
test_cfg = test_dataloader = test_evaluator = None
default_hooks = dict(logger=dict(interval=1))
"""


@pytest.mark.parametrize(
    "name, backbone, sampling, layout",
    [
        ("tsm", "pretrained2d=False", "clip_len=1, num_clips=8", "NCHW"),
        ("slowonly", "", "clip_len=4", "NCTHW"),
    ],
    ids=["tsm", "slowonly"],
)
def test_mmaction2s_networks_train_with_mmaction2s_tool(
    name, backbone, sampling, layout, videos, tmp_path, run_mmaction_tool
):
    config = tmp_path / "small.py"
    base = str(find_config(f"{name}_r50_kinetics_repflow.py"))
    config.write_text(
        SMALL.format(
            base=base,
            backbone=backbone,
            sampling=sampling,
            layout=layout,
            videos=videos,
        )
    )
    done = run_mmaction_tool("train.py", config, "--work-dir", tmp_path)
    assert done.stdout.count("loss_aux:") == 3, done.stdout[-3000:]  # 3 iterations
    state = torch.load(tmp_path / "epoch_1.pth", weights_only=True)["state_dict"]
    assert state["neck.block.expand.1.weight"].abs().max() > 0  # started at zero


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize(
    "schedule, rate", [("kinetics_200e", 0.1), ("hmdb51_50e", 0.005)]
)
def test_two_hundred_steps_at_the_papers_rates_stay_finite(schedule, rate, precision):
    torch.manual_seed(0)
    base = find_config("_base_/default_runtime.py").parent
    model_cfg = Config.fromfile(base / "models" / "repflow_r50.py").model
    model_cfg.backbone.update(
        depth=18,
        base_channels=8,
        num_stages=2,
        strides=(1, 2),
        dilations=(1, 1),
        out_indices=(1,),
    )
    model_cfg.backbone.flow_cfg.update(bottleneck_channels=4, num_flows=2)
    model_cfg.cls_head.update(in_channels=16, num_classes=2, topk=(1,))
    rates = Config.fromfile(base / f"schedules/repflow_{schedule}.py").optim_wrapper
    assert rates.optimizer.lr == rate
    if precision == "bfloat16":
        rates.type = "AmpOptimWrapper"
    with DefaultScope.overwrite_default_scope("mmaction"):
        model = MODELS.build(model_cfg)
        model.init_weights()
        optimizer = build_optim_wrapper(model, rates)
    samples = [ActionDataSample().set_gt_label(label) for label in (0, 1)]
    for step in range(200):
        inputs = [torch.randint(256, (1, 3, 4, 32, 32), dtype=torch.uint8)] * 2
        loss = model.train_step(dict(inputs=inputs, data_samples=samples), optimizer)
        assert torch.isfinite(loss["loss"]), step
    for name, value in model.state_dict().items():
        assert torch.isfinite(value).all(), name
