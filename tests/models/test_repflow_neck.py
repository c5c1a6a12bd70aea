import pytest
import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from mmengine.registry import DefaultScope
from torch import nn

from flowzoo.models.necks import RepFlowNeck

FLOW = dict(bottleneck_channels=4, n_iters=2)


@pytest.fixture(autouse=True)
def scope():
    with DefaultScope.overwrite_default_scope("mmaction"):
        yield


def samples(*labels):
    return [ActionDataSample().set_gt_label(label) for label in labels]


def neck(**kwargs):
    net = RepFlowNeck(6, flow_cfg=FLOW, **kwargs)
    net.init_weights()
    return net


def test_starts_as_the_identity():
    x = torch.rand(2, 6, 5, 7, 9)  # positive, as after a ReLU
    out, losses = neck()(x, samples(0, 1))
    torch.testing.assert_close(out, x)
    assert losses == {}


@pytest.mark.parametrize("fusion", ["none", "add", "concat"])
def test_frames_of_a_2d_backbone_are_those_of_a_3d_one(fusion):
    net = RepFlowNeck(6, num_segments=5, flow_cfg=FLOW | dict(fusion=fusion)).eval()
    nn.init.uniform_(net.block.expand[1].weight)
    x = torch.rand(2, 6, 5, 7, 9)
    expected, _ = net(x)
    assert expected.shape == x.shape
    assert (expected - x).abs().max() > 0.1
    folded, _ = net(x.transpose(1, 2).flatten(0, 1))
    torch.testing.assert_close(folded.unflatten(0, (2, 5)).transpose(1, 2), expected)


def test_auxiliary_loss_is_on_the_flow():
    net = neck(aux_head_cfg=dict(out_channels=3, loss_weight=0.25))
    x = torch.rand(2, 6, 4, 7, 9)
    _, losses = net(x, samples(0, 2))
    net.eval()
    u = net.block.compute_flow(x)
    scores = net.aux_head(u)
    assert scores.shape == (2, 3)
    expected = 0.25 * nn.functional.cross_entropy(scores, torch.tensor([0, 2]))
    torch.testing.assert_close(net(x, samples(0, 2))[1]["loss_aux"], expected)
    losses["loss_aux"].backward()
    assert net.block.flows[0].theta.grad.abs() > 0
    assert net(x)[1] == {}


def recognizer(name, head, num_segments=4, **kwargs):
    """mmaction2's 2D recognizer, small, with the neck."""
    backbone, segments = dict(type=name, depth=18), {}
    if name == "ResNetTSM":
        segments = dict(num_segments=num_segments)
        backbone |= segments | dict(pretrained2d=False)
    return MODELS.build(
        dict(
            type="RepFlowRecognizer2D",
            backbone=backbone,
            neck=dict(
                type="RepFlowNeck",
                in_channels=512,
                num_segments=num_segments,
                flow_cfg=FLOW,
            ),
            cls_head=dict(type=head, num_classes=3, in_channels=512, **segments),
            data_preprocessor=dict(type="ActionDataPreprocessor"),
            **kwargs,
        )
    )


@pytest.mark.parametrize(
    "name, head", [("ResNet", "TSNHead"), ("ResNetTSM", "TSMHead")]
)
def test_2d_recognizers_stay_what_they_were_at_the_start(name, head):
    model = recognizer(name, head)
    model.init_weights()
    x = torch.randint(256, (2, 8, 3, 32, 32)).float()  # two views of four frames each
    model.eval()
    scores = model(x, samples(0, 1), mode="tensor", stage="head")[0]
    model.neck = None
    without = model(x, samples(0, 1), mode="tensor", stage="head")[0]
    assert scores.shape[-1] == 3
    torch.testing.assert_close(scores, without)


@pytest.mark.parametrize(
    "backbone, head, channels",
    [
        (dict(type="ResNet3d", depth=18), "I3DHead", 512),
        (dict(type="X3D", gamma_w=1, gamma_b=2.25, gamma_d=2.2), "X3DHead", 432),
    ],
    ids=["i3d", "x3d"],
)
def test_3d_recognizers_stay_what_they_were_at_the_start(backbone, head, channels):
    model = MODELS.build(
        dict(
            type="Recognizer3D",
            backbone=backbone,
            neck=dict(type="RepFlowNeck", in_channels=channels, flow_cfg=FLOW),
            cls_head=dict(type=head, num_classes=3, in_channels=channels),
            data_preprocessor=dict(type="ActionDataPreprocessor"),
        )
    )
    model.neck.init_weights()
    x = torch.rand(2, 2, 3, 4, 64, 64)  # two clips of each video
    losses = model(x[:, :1], samples(0, 1), mode="loss")
    losses["loss_cls"].backward()
    assert model.neck.block.expand[1].weight.grad.abs().sum() > 0
    model.eval()
    scores = [s.pred_score for s in model(x, samples(0, 1), mode="predict")]
    model.neck = None
    without = [s.pred_score for s in model(x, samples(0, 1), mode="predict")]
    torch.testing.assert_close(scores, without)


def test_2d_recognizer_adds_the_auxiliary_loss():
    model = recognizer("ResNet", "TSNHead")
    model.neck = neck_with_loss = RepFlowNeck(
        512, num_segments=4, flow_cfg=FLOW, aux_head_cfg=dict(out_channels=3)
    )
    neck_with_loss.init_weights()
    losses = model(torch.rand(2, 4, 3, 32, 32), samples(0, 1), mode="loss")
    assert {"loss_cls", "loss_aux"} <= set(losses)
    features, _ = model.extract_feat(torch.rand(2, 4, 3, 32, 32), stage="backbone")
    assert features.shape == (8, 512, 1, 1)


def test_errors():
    with pytest.raises(ValueError, match="needs num_segments"):
        neck()(torch.rand(8, 6, 7, 7))
    with pytest.raises(ValueError, match="no multiple of num_segments=3"):
        neck(num_segments=3)(torch.rand(8, 6, 7, 7))
    with pytest.raises(ValueError, match="gives 2: choose one with out_indices"):
        neck()((torch.rand(8, 6, 7, 7),) * 2)
    with pytest.raises(ValueError, match="at least 2 frames"):
        neck()(torch.rand(1, 6, 1, 7, 7))
    with pytest.raises(ValueError, match="fcn_test"):
        recognizer("ResNet", "TSNHead", test_cfg=dict(fcn_test=True))
