import pytest
import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from mmengine.optim import build_optim_wrapper
from mmengine.registry import DefaultScope

from flowzoo.models import necks
from flowzoo.models.layers import FlowToImage, cross_modality
from flowzoo_kernels import multiscale_motion_loss


@pytest.fixture(autouse=True)
def mmaction_scope():
    """Build from type names as a run of mmaction2 does."""
    with DefaultScope.overwrite_default_scope("mmaction"):
        yield


SSIM = (0.001, 0.002, 0.004)
RESNET = dict(
    type="ResNet", depth=18, in_channels=4, num_stages=1, strides=(1,),
    dilations=(1,), out_indices=(0,),
)  # fmt: skip
I3D = dict(
    type="ResNet3d", depth=18, in_channels=2, base_channels=4, num_stages=1,
    spatial_strides=(1,), temporal_strides=(1,), dilations=(1,), out_indices=(0,),
    inflate=(1,), non_local=(0,), with_pool2=False, zero_init_residual=False,
)  # fmt: skip
STACKED = dict(
    type="StackedTemporalStream",
    motion_net=dict(type="TinyMotionNet", num_frames=3),
    temporal=RESNET,
)
BRANCHED = dict(
    type="BranchedTemporalStream",
    motion_net=dict(type="TinyMotionNet", num_frames=3),
    temporal=dict(type="VGGClassifier", in_channels=128, fc_channels=8),
)


def build(backbone=STACKED, channels=64, **backbone_options):
    torch.manual_seed(0)
    model = MODELS.build(
        dict(
            type="Recognizer3D",
            backbone=dict(backbone, **backbone_options),
            neck=dict(
                type="MotionLossNeck",
                loss=dict(type="UnsupervisedFlowLoss", ssim_weights=SSIM),
                loss_weight=0.5,
            ),
            cls_head=dict(
                type="ClipConsensusHead", num_classes=5, in_channels=channels,
                dropout_ratio=0, average_clips="prob",
            ),
            data_preprocessor=dict(
                type="ActionDataPreprocessor", mean=[123, 117, 104],
                std=[255, 255, 255], format_shape="NCTHW",
            ),
        )
    )  # fmt: skip
    model.init_weights()
    return model


def batch(clips=1, frames=3, size=32):
    generator = torch.Generator().manual_seed(0)
    shape = (clips, 3, frames, size, size)
    return dict(
        inputs=[
            torch.randint(256, shape, dtype=torch.uint8, generator=generator)
            for _ in range(2)
        ],
        data_samples=[ActionDataSample().set_gt_label(i) for i in (1, 3)],
    )


def trained_by_a_step(model, data):
    """Names of the parameters that got a gradient, and the losses."""
    losses = model.loss(**model.data_preprocessor(data, training=True))
    model.parse_losses(losses)[0].backward()
    return {n for n, p in model.named_parameters() if p.grad is not None}, losses


@pytest.mark.parametrize(
    ("backbone", "channels", "frames"),
    [
        (STACKED, 64, 3),
        (dict(STACKED, temporal=I3D, layout="time"), 4, 7),
        (BRANCHED, 8, 3),
    ],
)
@pytest.mark.parametrize("mode", ["fixed", "action", "all"])
def test_what_each_mode_trains(backbone, channels, frames, mode):
    model = build(backbone, channels, train_motion=mode).train()
    trained, losses = trained_by_a_step(model, batch(frames=frames))
    names = {n for n, _ in model.named_parameters()}
    motion = {n for n in names if n.startswith("backbone.motion_net.")}
    left_out = set()
    if mode == "fixed":
        left_out = motion
    elif backbone is BRANCHED and mode == "action":
        left_out = {n for n in motion if ".decoder." in n}
    assert trained == names - left_out
    # distributed training waits for every parameter that requires a gradient
    assert trained == {n for n, p in model.named_parameters() if p.requires_grad}
    assert ("loss_motion" in losses) == (mode == "all")


def test_the_stack_is_flow_to_image_and_cnn():
    model = build().eval()
    clips = torch.rand(2, 3, 3, 32, 32) - 0.5
    with torch.no_grad():
        flow = model.backbone.motion_net(clips)[0]
        expected = model.backbone.temporal(FlowToImage()(flow))
        torch.testing.assert_close(model.backbone(clips), expected.unsqueeze(2))


@pytest.mark.parametrize("size", [(32, 48), (33, 45)])
def test_images_have_the_size_of_the_frames(size):
    """Flow that has it already is not enlarged; of an odd size, too much is cut off."""
    pyramid = dict(
        type="PyramidMotionNet", motion_net=dict(type="TinyMotionNet", num_frames=2),
        num_frames=3, levels=3,
    )  # fmt: skip
    pyramids = [dict(pyramid, finest=finest) for finest in (0, 1, 2)]
    for motion_net in (STACKED["motion_net"], *pyramids):
        model = build(motion_net=motion_net)
        seen = []
        model.backbone.temporal.register_forward_pre_hook(
            lambda _, x, seen=seen: seen.append(x[0])
        )
        with torch.no_grad():
            model.backbone(torch.rand(1, 3, 3, *size) - 0.5)
        assert seen[0].shape[-2:] == size


def test_volumes_hold_the_flows_of_all_windows_in_order():
    model = build(dict(STACKED, temporal=I3D, layout="time"), 4).eval()
    seen = []
    model.backbone.temporal.register_forward_pre_hook(lambda m, x: seen.append(x[0]))
    clips = torch.rand(2, 3, 7, 32, 32) - 0.5
    with torch.no_grad():
        model.backbone(clips)
        assert seen[0].shape == (2, 2, 6, 32, 32)
        for first in (0, 2, 4):
            flow = model.backbone.motion_net(clips[:, :, first : first + 3])[0]
            images = FlowToImage()(flow)
            for pair in (0, 1):
                found = seen[0][:, :, first + pair]
                torch.testing.assert_close(found, images[:, 2 * pair : 2 * pair + 2])


def test_motion_losses_are_those_of_the_kernels():
    model = build()
    data = model.data_preprocessor(batch(), training=True)
    losses = model.loss(**data)
    clips = data["inputs"].flatten(0, 1)
    expected, _ = multiscale_motion_loss(
        clips, model.backbone.motion_net(clips), flow_scales=(10, 5, 2.5),
        ssim_weights=SSIM,
    )  # fmt: skip
    torch.testing.assert_close(losses["loss_motion"], 0.5 * expected)
    total, log = model.parse_losses(losses)
    torch.testing.assert_close(total, losses["loss_cls"] + losses["loss_motion"])
    assert "photometric_2" in log


def test_action_reaches_motionnet_through_the_image():
    gradients = {}
    for mode in ("action", "all"):
        model = build(train_motion=mode)
        data = model.data_preprocessor(batch(), training=True)
        losses = model.loss(**data)
        losses["loss_cls"].backward()
        gradients[mode] = model.backbone.motion_net.conv1[0].weight.grad
    assert gradients["action"].abs().max() > 0
    torch.testing.assert_close(gradients["action"], gradients["all"])


def test_fixed_motionnet_stays_in_evaluation_mode():
    motion_net = dict(type="ResNet50MotionNet", num_frames=3)
    backbone = MODELS.build(dict(STACKED, motion_net=motion_net, train_motion="fixed"))
    backbone.train()
    assert not any(m.training for m in backbone.motion_net.modules())
    assert backbone.temporal.training
    before = {n: b.clone() for n, b in backbone.motion_net.named_buffers()}
    assert backbone(torch.rand(1, 3, 3, 64, 64)).requires_grad
    assert all(
        torch.equal(b, before[n]) for n, b in backbone.motion_net.named_buffers()
    )


def test_learning_rates_of_the_parts():
    model = build()
    keys = {"backbone.temporal": dict(lr_mult=1000), "cls_head": dict(lr_mult=1000)}
    optimizer = build_optim_wrapper(
        model,
        dict(
            type="OptimWrapper", optimizer=dict(type="SGD", lr=1e-6),
            constructor="FlowOptimWrapperConstructor",
            paramwise_cfg=dict(custom_keys=keys),
        ),
    ).optimizer  # fmt: skip
    names = {id(p): n for n, p in model.named_parameters()}
    for group in optimizer.param_groups:
        for p in group["params"]:
            slow = names[id(p)].startswith("backbone.motion_net")
            assert group["lr"] == pytest.approx(1e-6 if slow else 1e-3)


def test_prediction_averages_clips_and_views_may_be_split():
    model = build().eval()
    data = batch(clips=4)
    scores = [s.pred_score for s in model.test_step(data)]
    assert scores[0].sum().item() == pytest.approx(1)
    for i in (0, 1):
        one = {key: [values[i]] for key, values in data.items()}
        model.test_cfg = dict(max_testing_views=3)
        torch.testing.assert_close(model.test_step(one)[0].pred_score, scores[i])
        model.test_cfg = None


def test_consensus_of_the_clips_in_training():
    model = build(train_motion="fixed")
    data = model.data_preprocessor(batch(clips=3), training=True)
    features = model.backbone(data["inputs"].flatten(0, 1)).mean((2, 3, 4))
    scores = model.cls_head.fc_cls(features).view(2, 3, 5).mean(1)
    expected = torch.nn.functional.cross_entropy(scores, torch.tensor([1, 3]))
    torch.testing.assert_close(model.loss(**data)["loss_cls"], expected)


def test_weights_of_motionnet_and_of_rgb_images_are_loaded(tmp_path):
    alone = MODELS.build(
        dict(
            type="MotionEstimator",
            backbone=STACKED["motion_net"],
            loss=dict(type="UnsupervisedFlowLoss"),
            data_preprocessor=dict(type="ActionDataPreprocessor"),
        )
    )
    torch.save(dict(state_dict=alone.state_dict()), tmp_path / "motion.pth")
    rgb = MODELS.build(dict(RESNET, in_channels=3))
    torch.save(rgb.state_dict(), tmp_path / "rgb.pth")
    path = str(tmp_path / "motion.pth")
    pretrained = dict(type="Pretrained", checkpoint=path, prefix="backbone.")
    model = build(
        motion_net=dict(STACKED["motion_net"], init_cfg=pretrained),
        temporal=dict(
            RESNET, pretrained=str(tmp_path / "rgb.pth"), torchvision_pretrain=False
        ),
    )
    for found, expected in zip(
        model.backbone.motion_net.parameters(), alone.parameters(), strict=True
    ):
        assert torch.equal(found, expected)
    weights = model.backbone.temporal.state_dict()
    for name, expected in rgb.state_dict().items():
        if name == "conv1.conv.weight":
            expected = cross_modality(expected, 4)
        torch.testing.assert_close(weights[name], expected)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(train_motion="none"), "train_motion='none'"),
        (dict(layout="volume"), "layout='volume'"),
    ],
)
def test_wrong_options(options, message):
    with pytest.raises(ValueError, match=message):
        build(**options)


def test_a_classifier_on_features_needs_one_network():
    pyramid = dict(type="PyramidMotionNet", motion_net=dict(STACKED["motion_net"]))
    pyramid["motion_net"]["num_frames"] = 2
    with pytest.raises(TypeError, match=r"PyramidMotionNet.*StackedTemporalStream"):
        MODELS.build(dict(BRANCHED, motion_net=pyramid))


@pytest.mark.parametrize("shape", [(1, 3, 4, 32, 32), (1, 3, 1, 32, 32), (3, 3, 3, 3)])
def test_wrong_clips(shape):
    with pytest.raises(ValueError, match="T - 1 a multiple of 2"):
        build().backbone(torch.zeros(shape))


def test_features_without_flows_pass_through_the_neck():
    neck = necks.MotionLossNeck(dict(type="UnsupervisedFlowLoss"))
    x = torch.rand(1, 2, 1, 3, 3)
    assert neck(x) == (x, {})
