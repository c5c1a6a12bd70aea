import pytest
import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from mmengine.registry import init_default_scope

from flowzoo.models.recognizers import (
    FeatureDataPreprocessor,
    FeatureTwoStream,
    HallucinatedTwoStream,
    feature_sequence,
)

HEAD = dict(type="LinearSequenceHead", num_classes=3)
APPEARANCE, FLOW = HEAD | dict(in_channels=4), HEAD | dict(in_channels=2)
NECK = dict(type="MoNet", in_channels=4, out_channels=2, num_layers=2)


@pytest.fixture(autouse=True, scope="module")
def scope():
    init_default_scope("mmaction")


def build(learn, **kwargs):
    parts = dict(appearance_head=APPEARANCE, flow_head=FLOW)
    if learn != "classifiers":
        parts["neck"] = NECK
    return FeatureTwoStream(learn, **(parts | kwargs))


def batch(lengths=(5, 3), streams=("appearance", "flow")):
    sizes = dict(appearance=4, flow=2)
    inputs = {s: [torch.rand(n, sizes[s]) for n in lengths] for s in streams}
    samples = [ActionDataSample().set_gt_label(i) for i in range(len(lengths))]
    return dict(inputs=inputs, data_samples=samples)


def losses_of(model, data):
    data = model.data_preprocessor(data, training=True)
    return model(**data, mode="loss")


def test_preprocessor_pads():
    data = batch()
    out = FeatureDataPreprocessor()(data)["inputs"]
    assert out["flow"].shape == (2, 5, 2)
    assert out["mask"].tolist() == [[True] * 5, [True] * 3 + [False] * 2]
    torch.testing.assert_close(out["flow"][1, :3], data["inputs"]["flow"][1])
    assert (out["flow"][1, 3:] == 0).all()
    data["inputs"]["flow"][0] = torch.rand(4, 2)
    with pytest.raises(ValueError, match=r"differ in their number of steps.*'flow'"):
        FeatureDataPreprocessor()(data)


@pytest.mark.parametrize(
    "learn, learned",
    [
        ("classifiers", {"appearance_head", "flow_head"}),
        ("hallucination", {"neck"}),
        ("fusion", {"appearance_head", "flow_head"}),
    ],
)
def test_what_each_stage_learns(learn, learned):
    model = build(learn).train()
    losses = losses_of(model, batch())
    sum(v for k, v in losses.items() if "loss" in k).backward()
    touched = {
        n.split(".")[0] for n, p in model.named_parameters() if p.grad is not None
    }
    assert touched == learned
    fixed = {"appearance_head", "flow_head", "neck"} - learned
    for name in fixed:
        part = getattr(model, name)
        assert part is None or not part.training
    keys = {
        "classifiers": {"loss_cls_appearance", "loss_cls_flow"},
        "hallucination": {"loss_mse", "loss_prob"},
        "fusion": {"loss_cls_appearance", "loss_cls_flow"},
    }
    assert keys[learn] <= set(losses)


def test_stages_chain():
    """A stage's checkpoint has all that the next one has, but for the new neck."""
    states = {
        s: build(s).state_dict() for s in ("classifiers", "hallucination", "fusion")
    }
    new = set(states["hallucination"]) - set(states["classifiers"])
    assert new and all(name.startswith("neck.") for name in new)
    assert set(states["fusion"]) == set(states["hallucination"])


def test_hallucination_loss_is_that_of_equation_13():
    model = build(
        "hallucination", hallucination_loss=dict(type="HallucinationLoss", alpha=7)
    )
    data = batch((4, 4))
    losses = losses_of(model.train(), data)
    x, true = (torch.stack(data["inputs"][s]) for s in ("appearance", "flow"))
    s = model.neck(x)
    torch.testing.assert_close(losses["loss_mse"], ((s - true) ** 2).mean())
    p, q = (
        torch.softmax(model.flow_head.fc_cls(features.mean(1)), 1)
        for features in (s, true)
    )
    torch.testing.assert_close(losses["loss_prob"], 7 * (p - q).abs().mean())


def test_prediction_is_the_mean_of_both_and_needs_no_flow():
    model = build("fusion", per_stream=True).eval()
    data = model.data_preprocessor(batch(streams=("appearance",)))
    with torch.no_grad():
        logits = model(**data, mode="tensor")
        samples = model(**data, mode="predict")
    for i, sample in enumerate(samples):
        p, q = (logits[s][i].softmax(0) for s in ("appearance", "flow"))
        torch.testing.assert_close(sample.pred_score["appearance"], p)
        torch.testing.assert_close(sample.pred_score["flow"], q)
        torch.testing.assert_close(sample.pred_score["two_stream"], (p + q) / 2)
        assert sample.pred_label.item() == (p + q).argmax().item()
    model.per_stream = False
    again = model(**data, mode="predict")
    torch.testing.assert_close(
        again[0].pred_score,
        (logits["appearance"][0].softmax(0) + logits["flow"][0].softmax(0)) / 2,
    )


def test_classifiers_are_tested_on_true_flow():
    model = build("classifiers").eval()
    data = model.data_preprocessor(batch())
    inputs = data["inputs"]
    logits = model(**data)["flow"]
    torch.testing.assert_close(logits, model.flow_head(inputs["flow"], inputs["mask"]))


def test_errors():
    with pytest.raises(ValueError, match="'classifiers', 'hallucination', 'fusion'"):
        build("all")
    with pytest.raises(ValueError, match="needs a neck and a flow_head"):
        FeatureTwoStream("fusion", appearance_head=APPEARANCE)
    with pytest.raises(ValueError, match="appearance_head or flow_head"):
        FeatureTwoStream("classifiers")
    model = build("hallucination")
    with pytest.raises(ValueError, match=r"needs 'flow' features.*\['appearance'\]"):
        losses_of(model, batch(streams=("appearance",)))


def frames_network(**backbone):
    return dict(
        type="Recognizer3D",
        backbone=dict(
            type="ResNet3dSlowOnly", depth=18, pretrained=None, base_channels=2,
            conv1_kernel=(1, 7, 7), inflate=(0, 0, 0, 0), **backbone,
        ),
    )  # fmt: skip


def test_feature_sequence_of_a_3d_network():
    network = MODELS.build(frames_network()).eval()
    x = torch.rand(2, 3, 3, 4, 32, 64)  # videos, clips, channels, frames
    features = feature_sequence(network, x)
    assert features.shape == (2, 12, 16)
    maps = network.backbone(x[1, 2:])  # (1, 16, 4, 1, 2): the last clip of the last
    torch.testing.assert_close(features[1, 8:], maps[0].mean((2, 3)).T)
    # a place of the grid after the other in each channel
    grid = feature_sequence(network, x.repeat_interleave(2, 4), grid=2)
    assert grid.shape == (2, 12, 64)


def test_feature_sequence_of_a_2d_network():
    network = MODELS.build(
        dict(
            type="Recognizer2D", backbone=dict(type="ResNet", depth=18, pretrained=None)
        )
    ).eval()
    x = torch.rand(2, 3, 3, 32, 64)
    features = feature_sequence(network, x)
    assert features.shape == (2, 3, 512)
    maps = network.backbone(x[1, 2:])
    torch.testing.assert_close(
        features[1, 2], maps[0].mean((1, 2)), atol=1e-5, rtol=1e-4
    )


def test_several_feature_maps_are_rejected():
    network = MODELS.build(frames_network(out_indices=(2, 3))).eval()
    with pytest.raises(ValueError, match="ResNet3dSlowOnly gives tuple of several"):
        feature_sequence(network, torch.rand(1, 1, 3, 4, 32, 32))


def test_from_frames_to_two_stream_scores():
    heads = dict(
        appearance_head=HEAD | dict(in_channels=16),
        flow_head=FLOW,
        neck=NECK | dict(in_channels=16),
    )
    model = HallucinatedTwoStream(
        frames_network(),
        dict(type="FeatureTwoStream", learn="fusion", **heads),
        data_preprocessor=dict(
            type="ActionDataPreprocessor", mean=[9.0] * 3, std=[5.0] * 3,
            format_shape="NCTHW",
        ),
    ).eval()  # fmt: skip
    data = dict(
        inputs=[torch.randint(255, (1, 3, 4, 32, 32)) for _ in range(2)],
        data_samples=[ActionDataSample() for _ in range(2)],
    )
    samples = model.test_step(data)
    x = (torch.stack(data["inputs"]).float() - 9) / 5
    with torch.no_grad():
        features = feature_sequence(model.appearance, x)
        expected = model.two_stream(
            dict(appearance=features), [ActionDataSample() for _ in range(2)], "predict"
        )
    for sample, other in zip(samples, expected, strict=True):
        torch.testing.assert_close(sample.pred_score, other.pred_score)
    with pytest.raises(NotImplementedError, match=r"docs/monet\.md"):
        model(x, mode="loss")
    with pytest.raises(ValueError, match="learn='fusion'"):
        HallucinatedTwoStream(
            frames_network(),
            dict(type="FeatureTwoStream", learn="classifiers", flow_head=FLOW),
        )
