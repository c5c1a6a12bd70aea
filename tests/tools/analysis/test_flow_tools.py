"""tools/analysis/visualize_flow.py and plot_energy.py, as a user calls them."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.registry import DefaultScope

from flowzoo.datasets.motionshapes.clip import render_clip
from flowzoo.io.write_video import write_video

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A config, a checkpoint that fits it, and videos of 9 frames and of one."""
    folder = tmp_path_factory.mktemp("flow")
    (folder / "small.py").write_text(
        "_base_ = 'flowzoo::repflow_r18_motionshapes.py'\n"
        "model = dict(backbone=dict(base_channels=4), cls_head=dict(in_channels=32))\n"
    )
    (folder / "tsn.py").write_text(
        "_base_ = 'flowzoo::tsn_r18_motionshapes.py'\n"
        "model = dict(cls_head=dict(in_channels=64), backbone=dict(\n"
        "    num_stages=1, strides=(1,), dilations=(1,), out_indices=(0,)))\n"
    )
    for name in ("small", "tsn"):
        with DefaultScope.overwrite_default_scope("mmaction"):
            model = MODELS.build(Config.fromfile(folder / f"{name}.py").model)
        torch.save(model.state_dict(), folder / f"{name}.pth")
    frames = render_clip(0, (0,), 9, 64).frames
    write_video(folder / "clip.mp4", frames)
    write_video(folder / "single.mp4", frames[:1])
    write_video(folder / "still.mp4", np.full_like(frames, 7))
    (folder / "text.mp4").write_text("no video")
    return folder


def test_pictures(folder, tool, tmp_path):
    model = folder / "small.py", folder / "small.pth"
    args = "--out", tmp_path, "--channels", 1, 3, "--device", "cpu"
    status, said = tool("visualize_flow.py", *model, folder / "clip.mp4", *args)
    assert status == 0, said
    (film,) = tmp_path.rglob("flow.mp4")
    assert str(film) in said and film.parent.name.startswith("backbone.flow_block")
    files = {str(p.relative_to(film.parent)) for p in film.parent.rglob("*.png")}
    names = ("frames", "magnitude", "channel_001", "channel_003")
    assert files == {f"{name}/{step:04d}.png" for name in names for step in range(8)}


def test_pictures_of_what_has_none(folder, tool, tmp_path):
    def fails(config, checkpoint, video, *args):
        files = folder / checkpoint, folder / video
        args = *files, "--out", tmp_path, "--device", "cpu", *args
        status, said = tool("visualize_flow.py", config, *args)
        assert status == 2
        assert not list(tmp_path.iterdir())
        return said

    small = folder / "small.py"
    assert "has 1 frames, at least 2" in fails(small, "small.pth", "single.mp4")
    assert "cannot open video" in fails(small, "small.pth", "text.mp4")
    assert "cannot open video" in fails(small, "small.pth", "missing.mp4")
    assert "missing.pth" in fails(small, "missing.pth", "clip.mp4")
    channel = fails(small, "small.pth", "clip.mp4", "--channels", 8)
    assert "the layer has the channels 0 to" in channel
    no_flow = fails(folder / "tsn.py", "tsn.pth", "clip.mp4")
    assert "has no RepresentationFlow layer" in no_flow
    # loading what fits would draw an untrained layer
    assert "backbone.flow_block" in fails(small, "tsn.pth", "clip.mp4")


def test_energy(folder, tool, tmp_path):
    plot = "--out", tmp_path / "energy.png", "--n-iters", 5
    model = folder / "small.py", folder / "small.pth"
    status, said = tool("plot_energy.py", folder / "clip.mp4", *model, *plot)
    assert status == 0, said
    assert "backbone.flow_block" in said and "after 5 iterations" in said
    assert (tmp_path / "energy.png").stat().st_size > 1000
    (tmp_path / "energy.png").unlink()
    gray = "--variants", "tvl1", "paper"
    status, said = tool("plot_energy.py", folder / "clip.mp4", *gray, *plot)
    assert status == 0, said
    assert "tvl1: 0." in said and "paper: " in said
    curves = json.loads((tmp_path / "energy.json").read_text())
    assert {name: len(curve) for name, curve in curves.items()} == dict(tvl1=6, paper=6)
    assert curves["tvl1"][0] == 1
    said = float(re.search(r"tvl1: ([\d.]+)", said)[1])
    assert said == pytest.approx(
        curves["tvl1"][5], abs=6e-4
    )  # of four digits, to three
    assert (tmp_path / "energy.png").stat().st_size > 1000


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["single.mp4"], "has 1 frames, at least 9"),
        (["still.mp4"], "nothing moves in"),
        (["clip.mp4", "--variants", "tv"], "variant='tv'"),
        (["clip.mp4", "--n-iters", "0"], "--n-iters must be at least 1"),
        (["clip.mp4", "small.py"], "CONFIG needs a CHECKPOINT"),
    ],
)
def test_energy_of_what_has_none(args, message, folder, tool, tmp_path):
    video, *args = args
    out = tmp_path / "energy.png"
    status, said = tool("plot_energy.py", folder / video, *args, "--out", out)
    assert status == 2 and message in said
    assert not out.exists()
