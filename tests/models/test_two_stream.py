import runpy
import sys
from pathlib import Path

import pytest
import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from mmengine.registry import DefaultScope

from flowzoo.compat.atomic_checkpoints import split_of
from flowzoo.score_fusion import fuse_scores

TOOL = str(Path(__file__).parents[2] / "tools" / "zoo" / "merge_streams.py")
STAGE = dict(
    type="ResNet", depth=18, num_stages=1, strides=(1,), dilations=(1,),
    out_indices=(0,),
)  # fmt: skip
RGB_STAGE = dict(STAGE, flow_after=None)
RGB_STAGE.pop("type")
SPATIAL = dict(
    type="Recognizer2D",
    backbone=STAGE,
    cls_head=dict(type="TSNHead", num_classes=5, in_channels=64, average_clips="prob"),
    data_preprocessor=dict(
        type="ActionDataPreprocessor", mean=[120, 110, 100], std=[60, 50, 40]
    ),
)
TEMPORAL = dict(
    type="Recognizer3D",
    backbone=dict(
        type="StackedTemporalStream",
        motion_net=dict(type="TinyMotionNet", num_frames=3),
        temporal=dict(STAGE, in_channels=4),
    ),
    cls_head=dict(
        type="ClipConsensusHead", num_classes=5, in_channels=64, average_clips="prob"
    ),
    data_preprocessor=dict(
        type="ActionDataPreprocessor", mean=[123, 117, 104], std=[255, 255, 255],
        format_shape="NCTHW",
    ),
)  # fmt: skip


@pytest.fixture(autouse=True)
def mmaction_scope():
    with DefaultScope.overwrite_default_scope("mmaction"):
        yield


def build(**options):
    torch.manual_seed(0)
    config = dict(type="TwoStreamRecognizer", spatial=SPATIAL, temporal=TEMPORAL)
    model = MODELS.build(config | options).eval()
    for stream in (model.spatial, model.temporal):  # scores that differ
        torch.nn.init.normal_(stream.cls_head.fc_cls.weight)
    return model


def videos():
    shape = (4, 3, 3, 32, 32)
    return dict(
        inputs=[torch.randint(256, shape, dtype=torch.uint8) for _ in range(2)],
        data_samples=[ActionDataSample().set_gt_label(i) for i in (1, 3)],
    )


def scores(model, data):
    samples = [ActionDataSample() for _ in data["inputs"]]
    out = model.test_step(dict(data, data_samples=samples))
    return torch.stack([s.pred_score for s in out])


@pytest.mark.parametrize("score_norm", ["none", "clamp_l1"])
def test_it_is_both_streams_and_their_fusion(score_norm):
    model = build(score_norm=score_norm)
    data = videos()
    middle = dict(data, inputs=[clip[:, :, 1] for clip in data["inputs"]])
    alone = [scores(model.spatial, middle), scores(model.temporal, data)]
    found = model.test_step(data)
    expected = fuse_scores(alone, (1, 1.5), score_norm)
    torch.testing.assert_close(torch.stack([s.pred_score for s in found]), expected)
    assert [s.pred_label.item() for s in found] == expected.argmax(1).tolist()
    assert [s.gt_label.item() for s in found] == [1, 3]
    assert alone[0].argmax(1).tolist() != alone[1].argmax(1).tolist()


def test_clips_for_a_spatial_stream_in_3d():
    spatial = dict(TEMPORAL, backbone=dict(type="RepFlowResNet", **RGB_STAGE))
    spatial["cls_head"] = dict(TEMPORAL["cls_head"], type="FrameAverageHead")
    model = build(spatial=spatial, weights=(1, 0))
    data = videos()
    torch.testing.assert_close(scores(model, data), scores(model.spatial, data))


def test_weights_choose_a_stream():
    data = videos()
    model = build(weights=(1, 0))
    middle = dict(data, inputs=[clip[:, :, 1] for clip in data["inputs"]])
    torch.testing.assert_close(scores(model, data), scores(model.spatial, middle))
    model.weights = (0, 3)
    torch.testing.assert_close(scores(model, data), scores(model.temporal, data))


def test_plain_scores():
    model = build()
    inputs = torch.stack(videos()["inputs"]).float()
    with torch.no_grad():
        assert model(inputs).shape == (2, 5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(weights=(1, 1, 1)), "3 weights for two streams"),
        (dict(score_norm="max"), "score_norm='max'"),
        (
            dict(
                spatial=dict(SPATIAL, cls_head=dict(SPATIAL["cls_head"], num_classes=4))
            ),
            "has 4 classes, the temporal one 5",
        ),
        (
            dict(
                temporal=dict(
                    TEMPORAL, cls_head=dict(TEMPORAL["cls_head"], average_clips=None)
                )
            ),
            "average_clips must be",
        ),
    ],
)
def test_streams_that_do_not_go_together(options, message):
    with pytest.raises(ValueError, match=message):
        build(**options)


def test_wrong_use():
    model = build()
    with pytest.raises(NotImplementedError, match="merge_streams"):
        model(torch.rand(1, 1, 3, 3, 32, 32), mode="loss")
    with pytest.raises(ValueError, match="NCTHW"):
        model(torch.rand(1, 3, 32, 32))


def test_joined_checkpoints(tmp_path, monkeypatch, capsys):
    model = build()
    paths = [tmp_path / f"{name}.pth" for name in ("spatial", "temporal", "joined")]
    torch.save(dict(state_dict=model.spatial.state_dict()), paths[0])
    torch.save(dict(state_dict=model.temporal.state_dict()), paths[1])
    monkeypatch.setattr(sys, "argv", ["merge_streams.py", *map(str, paths)])
    runpy.run_path(TOOL, run_name="__main__")
    joined = torch.load(paths[2], weights_only=True)["state_dict"]
    other = build()
    for p in other.parameters():
        torch.nn.init.zeros_(p)
    other.load_state_dict(joined)
    data = videos()
    torch.testing.assert_close(scores(other, data), scores(model, data))
    torch.save(dict(state_dict={"backbone.x": torch.zeros(1)}), paths[0])
    with pytest.raises(SystemExit):
        runpy.run_path(TOOL, run_name="__main__")
    assert "no cls_head" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("flowzoo://repflow_r18_weizmann_rgb flowzoo://tvl1_r18_weizmann m.pth", None),
        ("flowzoo://repflow_r18_weizmann_rgb flowzoo://tvl1_r99 m.pth", "tvl1_r99"),
        (
            "flowzoo://repflow_r18_utinteraction_rgb flowzoo://tvl1_r18_weizmann m.pth",
            "utinteraction_rgb has 6 classes, flowzoo://tvl1_r18_weizmann 10",
        ),
        ("flowzoo://tvl1_r18_weizmann flowzoo://tvl1_r18_weizmann .", "cannot write ."),
        ("flowzoo://tvl1_r18_weizmann flowzoo://tvl1_r18_weizmann no/m.pth", "No such"),
    ],
)
def test_joined_by_name(arguments, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["merge_streams.py", *arguments.split()])
    if message is None:
        runpy.run_path(TOOL, run_name="__main__")
        joined = torch.load("m.pth", weights_only=True)["state_dict"]
        assert joined["spatial.cls_head.fc_cls.bias"].shape == (10,)
    else:
        with pytest.raises(SystemExit):
            runpy.run_path(TOOL, run_name="__main__")
        assert message in capsys.readouterr().err


def test_former_name_of_score_norm():
    with pytest.warns(FutureWarning, match="handling= is now score_norm="):
        assert build(handling="softmax").score_norm == "softmax"


@pytest.mark.parametrize("splits", [(2, 2), (1, 2), (None, 2), (None, None)])
def test_joined_streams_are_of_one_split(splits, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    state = build().spatial.state_dict()
    for name, split in zip(("a.pth", "b.pth"), splits, strict=True):
        config = f"root = 'data/weizmann'\nsplit = {split}\n"
        meta = {} if split is None else dict(cfg=config)
        torch.save(dict(state_dict=state, meta=meta), name)
    monkeypatch.setattr(sys, "argv", ["merge_streams.py", "a.pth", "b.pth", "m.pth"])
    if splits == (1, 2):
        with pytest.raises(SystemExit):
            runpy.run_path(TOOL, run_name="__main__")
        found = " ".join(capsys.readouterr().err.split())
        assert "a.pth was trained on split 1, b.pth on split 2: each" in found
    else:
        runpy.run_path(TOOL, run_name="__main__")
        meta = torch.load("m.pth", weights_only=True)["meta"]
        expected = None if splits[1] is None else ("weizmann", "2")
        assert split_of(meta) == expected
