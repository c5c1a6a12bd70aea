"""Files of representation flow, and how it is got out of a model."""

import av
import mmcv
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope
from torch import nn

from flowzoo.io.write_video import write_video
from flowzoo.visualization import (
    FlowRecorder,
    first_clip,
    read_clip,
    write_flow_images,
)
from flowzoo_kernels import RepresentationFlow

RED, YELLOW, PALE_YELLOW = (255, 0, 0), (255, 229, 0), (255, 242, 127)
WHITE = (255, 255, 255)


def read(path):
    return mmcv.imread(str(path))[..., ::-1]


@pytest.fixture
def flow():
    """Two channels, three steps, 5 x 7: down, and twice as long to the right."""
    u = torch.zeros(2, 2, 3, 5, 7)  # direction, channel
    u[1, 0, :, :3] = 2
    u[0, 1, :, :3] = 4
    return u.flatten(0, 1)


def test_files(flow, tmp_path):
    frames = np.arange(4, dtype=np.uint8).repeat(3 * 8 * 10).reshape(4, 8, 10, 3)
    *folders, video = write_flow_images(tmp_path, frames, flow, max_flow=4)
    names = ["frames", "magnitude", "channel_000", "channel_001"]
    assert [folder.name for folder in folders] == names
    for folder in folders:
        assert len(list(folder.iterdir())) == 3
    for step in range(3):  # the last of the four frames starts no flow
        assert (read(folders[0] / f"{step:04d}.png") == step).all()
        magnitude = read(folders[1] / f"{step:04d}.png")
        assert (magnitude[:3] == 255).all() and (magnitude[3:] == 0).all()
    down, right = read(folders[2] / "0002.png"), read(folders[3] / "0002.png")
    assert tuple(down[0, 0]) == PALE_YELLOW and tuple(down[4, 6]) == WHITE
    assert down.shape == (5, 7, 3)
    assert tuple(right[2, 6]) == RED

    with av.open(str(video)) as container:
        images = [f.to_ndarray(format="rgb24") for f in container.decode(video=0)]
    assert len(images) == 3
    tile = 14 + 90, 126  # a label and 18 times the map
    assert images[0].shape == (2 * tile[0], 3 * tile[1], 3)
    at = images[2][14 + 20, 2 * tile[1] + 20].astype(int)  # channel 0
    assert np.abs(at - PALE_YELLOW).max() < 12  # the video is compressed
    legend = images[2][tile[0] + 14 :, tile[1] : 2 * tile[1]].astype(int)
    assert np.abs(legend[45, 78] - (255, 64, 64)).max() < 30  # three quarters out
    assert np.abs(legend[45, 45] - WHITE).max() < 12


def test_options(flow, tmp_path):
    frames = np.zeros((4, 8, 10, 3), np.uint8)
    names = [p.name for p in write_flow_images(tmp_path, frames, flow, channels=[1])]
    assert names == ["frames", "magnitude", "channel_001", "flow.mp4"]
    # without max_flow the scale is that of what is shown
    write_flow_images(tmp_path, frames, flow, channels=[0])
    assert tuple(read(tmp_path / "channel_000" / "0000.png")[0, 0]) == YELLOW
    write_flow_images(tmp_path, frames, torch.zeros_like(flow))
    assert (read(tmp_path / "channel_000" / "0000.png") == 255).all()
    with pytest.raises(ValueError, match="the layer has the channels 0 to 1"):
        write_flow_images(tmp_path, frames, flow, channels=[2])
    with pytest.raises(ValueError, match=r"expected \(2C, S, h, w\)"):
        write_flow_images(tmp_path, frames, flow[:3])
    with pytest.raises(ValueError, match=r"expected \(T, H, W, 3\)"):
        write_flow_images(tmp_path, frames[..., 0], flow)
    (tmp_path / "file").touch()
    with pytest.raises(OSError):
        write_flow_images(tmp_path / "file", frames, flow)


def test_first_clip():
    views = torch.randint(256, (2, 3, 4, 5, 6), dtype=torch.uint8)
    expected = views[0].permute(1, 2, 3, 0).numpy()
    assert (first_clip(views, num_clips=2) == expected).all()
    frames = torch.cat([views[0].transpose(0, 1), views[1].transpose(0, 1)])
    assert (first_clip(frames, num_clips=2) == expected).all()
    scaled = first_clip(views.float() / 255 - 0.5, num_clips=2)
    assert scaled.min() == 0 and scaled.max() == 255 and scaled.dtype == np.uint8
    with pytest.raises(ValueError, match=r"\(2, 2, 4, 5, 6\); expected"):
        first_clip(views[:, :2], num_clips=2)


class TwoLayers(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = RepresentationFlow(1, n_iters=2, variant="tvl1")
        self.inner = nn.ModuleList([RepresentationFlow(2, n_iters=2, variant="tvl1")])

    def forward(self, x):
        return self.inner[0](self.first(x))


def test_recorder():
    model, x = TwoLayers(), torch.rand(2, 1, 4, 5, 6)
    with torch.no_grad(), FlowRecorder(model) as recorder:
        out = model(x)
        model(x + 1)  # of several calls the first is kept
    assert list(recorder.flows) == ["first", "inner.0"]
    assert torch.equal(recorder.inputs["first"], x)
    assert torch.equal(recorder.flows["inner.0"], out)
    assert torch.equal(recorder.inputs["inner.0"], recorder.flows["first"])
    model(x)
    with recorder:
        pass
    assert not recorder.flows  # and no hook is left
    assert not model.first._forward_hooks
    with pytest.raises(ValueError, match="Linear has no RepresentationFlow layer"):
        FlowRecorder(nn.Linear(1, 1))


def test_read_clip_in_plain_python(tmp_path):
    """mmengine's default scope, which knows no OpenVideo, is what a script has."""
    write_video(tmp_path / "clip.mp4", np.zeros((6, 32, 48, 3), np.uint8))
    pipeline = [
        dict(type="OpenVideo"),
        dict(type="SampleFrames", clip_len=4, num_clips=2, test_mode=True),
        dict(type="DecodeFrames"),
        dict(type="FormatShape", input_format="NCTHW"),
        dict(type="PackActionInputs"),
    ]
    with DefaultScope.overwrite_default_scope("mmengine"):
        batch = read_clip(Config(dict(val_pipeline=pipeline)), tmp_path / "clip.mp4")
    (inputs,) = batch["inputs"]
    assert inputs.shape == (1, 3, 4, 32, 48)  # the first of two views
