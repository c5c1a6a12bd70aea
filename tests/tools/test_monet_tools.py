"""Features, three stages and prediction from frames with the tools."""

import re
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.tool_process import run_tool
from mmaction.registry import DATASETS, MODELS
from mmaction.structures import ActionDataSample
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.registry import DefaultScope
from mmengine.runner import Runner

from flowzoo.config_lookup import find_config
from flowzoo.datasets.features import FeatureFile, FeatureWriter
from flowzoo.evaluation.score_dumps import load_dump

ROOT = Path(__file__).parents[2]
STAGES = ("_classifiers", "", "_fusion")
APPEARANCE = "repflow_r18_motionshapes_features"
FLOW = "slowonly_r18_motionshapes_flow"
SPEC = dict(num_train=8, num_val=8, num_test=8, num_frames=16, size=32)
HEADS = dict(appearance_head=dict(in_channels=32), flow_head=dict(in_channels=32))
NECK = dict(in_channels=32, out_channels=32)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("monet")


@pytest.fixture
def here(folder, monkeypatch):
    """In ``folder``, which has MotionShapes of 24 clips and the tools' output."""
    monkeypatch.chdir(folder)
    with DefaultScope.overwrite_default_scope("mmaction"):
        yield folder


@pytest.fixture
def call(here, monkeypatch):
    """Run a tool in this process."""

    def run(tool, *args):
        monkeypatch.setattr(sys, "argv", [tool, *map(str, args)])
        monkeypatch.syspath_prepend((ROOT / "tools" / tool).parent)
        runpy.run_path(str(ROOT / "tools" / tool), run_name="__main__")

    return run


def narrow(name, folder):
    """A config with a network of four channels on the small MotionShapes."""
    data = dict(dataset=dict(spec=SPEC, root=str(folder)))
    path = folder / f"{name}.py"
    path.write_text(
        f"_base_ = 'flowzoo::{name}.py'\n"
        "model = dict(backbone=dict(base_channels=4))\n"
        + "".join(f"{s}_dataloader = {data}\n" for s in ("train", "val", "test"))
    )
    return path


@pytest.fixture
def extract(call, here):
    def run(name, split, out, *args):
        config = narrow(name, here)
        arguments = [config, f"{name}.pth", "--split", split, "--out", out, *args]
        call("data/extract_features.py", *arguments)
        return FeatureFile(out)

    return run


def test_extraction(extract):
    options = ("--random-weights", 0)
    flow = extract(FLOW, "train", "flow.npz", *options)
    appearance = extract(APPEARANCE, "test", "rgb.npz", "--grid", 2, *options)
    assert flow.names[1] == "train/00001_left" and len(flow) == 8
    assert flow.labels == [[i] for i in range(8)]
    assert appearance[7].shape == (15, 32 * 2 * 2) and flow[7].shape == (15, 32)
    assert flow[7].dtype == np.float16
    assert appearance.meta["grid"] == 2 and appearance.meta["split"] == "test"
    assert len(flow.meta["checkpoint"]) == 64
    # again, with the weights that were saved
    again = extract(FLOW, "train", "again.npz", "--dtype", "float32")
    np.testing.assert_allclose(again[3], flow[3], atol=1e-3)


def test_extraction_continues(extract, monkeypatch, capsys):
    add = FeatureWriter.add

    def killed(self, index, x):
        if index >= 3:
            raise KeyboardInterrupt
        add(self, index, x)

    with monkeypatch.context() as patch, pytest.raises(SystemExit, match="130"):
        patch.setattr(FeatureWriter, "add", killed)
        extract(APPEARANCE, "val", "val.npz", "--random-weights", 0)
    added = []
    monkeypatch.setattr(FeatureWriter, "add", lambda *a: added.append(a[1]) or add(*a))
    assert len(extract(APPEARANCE, "val", "val.npz")) == 8
    assert added == [3, 4, 5, 6, 7]
    assert "3 of 8 videos are there already" in capsys.readouterr().out
    with pytest.raises(SystemExit, match=r"val\.npz exists already"):
        extract(APPEARANCE, "val", "val.npz")


def test_extraction_without_a_checkpoint(extract, capsys):
    with pytest.raises(SystemExit):
        extract(APPEARANCE, "val", "x.npz", "--cfg-options", "a=1", "--seed", 1)
    assert "usage" in capsys.readouterr().err


def test_unreadable_videos_are_left_out(extract, here, capsys):
    extract(APPEARANCE, "test", "whole.npz", "--random-weights", 0)
    video = next(here.glob("motionshapes*/test/00002_up.mp4"))
    content = video.read_bytes()
    video.write_bytes(content[:100])
    try:
        file = extract(APPEARANCE, "test", "holes.npz")
    finally:
        video.write_bytes(content)
    assert len(file) == 7 and file.meta["unreadable"] == ["test/00002_up"]
    assert "left out: " in capsys.readouterr().out


def write_features(folder):
    rng = np.random.default_rng(0)
    for stream, channels in (("appearance", 32), ("flow", 32)):
        for split in ("train", "val", "test"):
            names, labels = [f"{i}" for i in range(8)], [[i] for i in range(8)]
            path = folder / "data" / "motionshapes_features" / f"{stream}_{split}.npz"
            writer = FeatureWriter(path, names, labels, {})
            for i in range(8):
                writer.add(i, rng.random((5, channels), dtype=np.float32))
            writer.finish()


@pytest.fixture(scope="module")
def stages(folder):
    """All stages, of one epoch and small, by one command; and what it printed."""
    write_features(folder)
    previous = {"": "_classifiers", "_fusion": ""}
    for stage in STAGES:
        name = f"monet_repflow_motionshapes{stage}"
        neck = "" if stage == "_classifiers" else f", neck={NECK!r}"
        text = f"_base_ = 'flowzoo::{name}.py'\ntrain_cfg = dict(max_epochs=1)\n"
        text += f"model = dict(**{HEADS!r}{neck})\n"
        if stage in previous:
            before = f"work_dirs/monet_repflow_motionshapes{previous[stage]}"
            text += f"load_from = '{before}/epoch_1.pth'\n"
        (folder / f"{name}.py").write_text(text)
    return train(folder)


def train(folder, name="monet_repflow_motionshapes"):
    return run_tool(ROOT / "tools" / "train_monet.py", name, cwd=folder).stdout


def test_three_stages_by_one_command(stages, folder):
    assert len(re.findall(r"acc/flow_top1: [\d.]+", stages)) == 3
    assert len(re.findall(r"acc/two_stream_top1: [\d.]+", stages)) == 3
    loaded = re.findall(r"Load checkpoint from work_dirs/(\S+)", stages)
    assert loaded == [
        "monet_repflow_motionshapes_classifiers/epoch_1.pth",
        "monet_repflow_motionshapes/epoch_1.pth",
    ]
    best = re.findall(r"best checkpoint with [\d.]+ (\S+)", stages)
    assert best == ["acc/two_stream_top1", "acc/flow_top1", "acc/two_stream_top1"]
    assert "size mismatch" not in stages and "unexpected key" not in stages
    assert train(folder).count("next stage") == 3
    assert "there is no monet_x_classifiers.py" in train(folder, "monet_x")


def test_stages_of_another_split_are_refused(tmp_path, monkeypatch):
    """They have learned from the clips that this split tests on."""
    name = "monet_r18_weizmann"
    for stage in STAGES:
        text = f"_base_ = 'flowzoo::{name}{stage}.py'"
        (tmp_path / f"{name}{stage}.py").write_text(text)
        work_dir = tmp_path / "work_dirs" / f"{name}{stage}"
        work_dir.mkdir(parents=True)
        for epoch in (20, 40):
            (work_dir / f"epoch_{epoch}.pth").touch()
        (work_dir / f"{name}{stage}.py").write_text("split = 2")
    monkeypatch.setenv("SPLIT", "2")
    assert train(tmp_path, name).count("next stage") == 3
    monkeypatch.setenv("SPLIT", "3")
    assert f"{name}_classifiers is of split 2, not 3" in train(tmp_path, name)


def weights(folder, stage):
    path = folder / "work_dirs" / f"monet_repflow_motionshapes{stage}" / "epoch_1.pth"
    return torch.load(path, weights_only=True)["state_dict"]


def test_what_a_stage_hands_on(stages, folder):
    first, second, third = (weights(folder, stage) for stage in STAGES)
    for name, value in first.items():  # the classifiers stay as they are in stage 2
        assert torch.equal(second[name], value)
    for name, value in second.items():
        assert torch.equal(third[name], value) == name.startswith("neck.")


def test_streams_in_the_fusion_tool(stages, here, call):
    """Each stream's scores, and their sum, which is that of the model."""
    config = "monet_repflow_motionshapes_fusion.py"
    checkpoint = "work_dirs/monet_repflow_motionshapes_fusion/epoch_1.pth"
    streams = dict(
        appearance=[
            "model.flow_head=None",
            "model.neck=None",
            "model.learn=classifiers",
        ],
        flow=["model.appearance_head=None"],
        both=[],
    )
    scores = {}
    for stream, changes in streams.items():
        options = ["--cfg-options", "model.per_stream=False", *changes]
        call("test.py", config, checkpoint, "--dump", f"{stream}.pkl", *options)
        scores[stream] = load_dump(f"{stream}.pkl").scores
    mean = (scores["appearance"] + scores["flow"]) / 2
    torch.testing.assert_close(mean, scores["both"])
    assert not torch.equal(scores["appearance"], scores["flow"])
    call("analysis/fuse_scores.py", "appearance.pkl", "flow.pkl", "--out", "fused")
    assert (here / "fused" / "report.json").is_file()


def test_prediction_from_frames(stages, here, call, extract):
    """The joined network gives the scores that the features of its frames give."""
    features = extract(
        APPEARANCE, "test", "e2e.npz", "--random-weights", 0, "--dtype", "float32"
    )  # fmt: skip
    (here / "e2e.py").write_text(
        "_base_ = 'flowzoo::monet_repflow_motionshapes_e2e.py'\n"
        "model = dict(\n"
        "    appearance=dict(backbone=dict(base_channels=4)),\n"
        f"    two_stream=dict(**{HEADS!r}, neck={NECK!r}))\n"
        f"test_dataloader = dict(dataset=dict(spec={SPEC!r}, root={str(here)!r}))\n"
    )
    fusion = "work_dirs/monet_repflow_motionshapes_fusion/epoch_1.pth"
    call("zoo/merge_hallucinated.py", "e2e.py", f"{APPEARANCE}.pth", fusion, "e2e.pth")
    config = Config.fromfile("e2e.py")
    config.update(work_dir="e2e", experiment_name="e2e", load_from="e2e.pth")
    runner = Runner.from_cfg(config)
    runner.load_or_resume()
    model = runner.model.eval()
    dataset = DATASETS.build(config.test_dataloader.dataset)
    with torch.no_grad():
        samples = model.test_step(pseudo_collate([dataset[i] for i in range(8)]))
        for i, sample in enumerate(samples):
            inputs = dict(appearance=torch.from_numpy(features[i])[None])
            logits = model.two_stream(inputs)
            expected = sum(value.softmax(1) for value in logits.values())[0] / 2
            torch.testing.assert_close(sample.pred_score, expected)


def narrow_i3d(name, folder, *transforms):
    """A config of I3D that reads nine frames of each of the first two small videos."""
    sample = dict(type="SampleFrames", clip_len=9, target_fps=25, test_mode=True)
    steps = [dict(type="OpenVideo"), sample, dict(type="DecodeFrames"), *transforms]
    steps += [dict(type="FormatShape", input_format="NCTHW")]
    steps += [dict(type="PackActionInputs")]
    data = dict(type="MotionShapesDataset", spec=SPEC, root=str(folder), indices=2)
    path = folder / f"{name}.py"
    path.write_text(
        f"_base_ = 'flowzoo::{name}.py'\n"
        "test_dataloader = dict(num_workers=0, persistent_workers=False,\n"
        f"    dataset=dict(_delete_=True, split='test', pipeline={steps}, **{data}))\n"
    )
    return path


def test_features_of_i3d(call, here):
    """Of frames and of the TV-L1 flow between them, for the same videos."""
    flow = [dict(type="TVL1Flow"), dict(type="FlowAsFrames")]
    for name, transforms in (("", []), ("_flow", flow)):
        config = narrow_i3d(f"i3d_inception_kinetics{name}", here, *transforms)
        options = ["--split", "test", "--out", f"i3d{name}.npz", "--random-weights", 0]
        call("data/extract_features.py", config, f"i3d{name}.pth", *options)
    rgb, flow = FeatureFile("i3d.npz"), FeatureFile("i3d_flow.npz")
    assert rgb.names == flow.names and len(rgb) == 2
    assert rgb[0].shape == (2, 1024) and flow[0].shape == (1, 1024)  # 9 frames, 8 flows


def test_i3d_from_frames(call, here):
    """I3D, MoNet and the classifiers in one network, from the files of each."""
    parts = {}
    for name in ("i3d_inception_kinetics", "monet_i3d_kinetics_fusion"):
        torch.manual_seed(len(parts))
        config = Config.fromfile(find_config(f"{name}.py"))
        parts[name] = MODELS.build(config.model).eval()
        torch.save(dict(state_dict=parts[name].state_dict()), f"{name}.pth")
    config = find_config("monet_i3d_kinetics_e2e.py")
    files = [f"{name}.pth" for name in parts]
    call("zoo/merge_hallucinated.py", config, *files, "joined.pth")
    model = MODELS.build(Config.fromfile(config).model).eval()
    model.load_state_dict(torch.load("joined.pth", weights_only=True)["state_dict"])
    clip = torch.randint(256, (1, 3, 17, 40, 33), dtype=torch.uint8)
    data = dict(inputs=[clip], data_samples=[ActionDataSample()])
    i3d, two_stream = parts.values()
    with torch.no_grad():
        (sample,) = model.test_step(data)
        maps = i3d.backbone(clip / 127.5 - 1)  # (1, 1024, 3, 2, 2)
        logits = two_stream(dict(appearance=maps.mean((3, 4)).transpose(1, 2)))
        expected = sum(value.softmax(1) for value in logits.values())[0] / 2
    torch.testing.assert_close(sample.pred_score, expected)
    assert sample.pred_score.shape == (400,)
