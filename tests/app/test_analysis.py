"""What the web page shows of a video."""

import numpy as np
import pytest
import torch
from helpers.miniatures import write_clip

from flowzoo.app.analysis import MAX_PARTS, analyze, classifiers, motionnet_of_frames
from flowzoo.datasets.motionshapes import CLASSES
from flowzoo.datasets.motionshapes.clip import render_clip
from flowzoo.inference import Inferencer
from flowzoo.io.video import VideoError
from flowzoo.io.write_video import write_video


@pytest.fixture(scope="module")
def inferencer():
    return Inferencer("repflow_r18_motionshapes", device="cpu")


@pytest.fixture(scope="module")
def analysis(inferencer, tmp_path_factory):
    path = tmp_path_factory.mktemp("app") / "right.mp4"
    clip = render_clip(CLASSES.index("right"), (3,), num_frames=20)
    write_video(path, clip.frames)
    return analyze(inferencer, path)


def test_the_model_s_flow_is_that_after_its_own_iterations(analysis):
    assert [len(p.prediction.frames) for p in analysis.parts] == [9, 9, 9]
    own = analysis.parts[1].prediction.flow
    again = analysis.flow_after(1, analysis.layer.n_iters)
    torch.testing.assert_close(again, own)
    assert not torch.allclose(analysis.flow_after(1, 1), own)
    assert analysis.layer.n_iters == 20


def test_energy_of_the_chosen_channels(analysis):
    energies = analysis.energies(0, [2, 5])
    assert len(energies) == 51 and energies[0] == pytest.approx(1)
    assert energies[-1] < 0.9
    assert analysis.energies(0) != energies


def test_channels_and_parameters(analysis):
    flow = analysis.parts[0].prediction.flow
    lengths = torch.hypot(*flow.chunk(2)).mean((1, 2, 3))
    assert analysis.liveliest_channels(0, 2) == lengths.topk(2).indices.tolist()
    rows = {name: (before, now) for name, before, now in analysis.parameters()}
    assert rows["theta"][0] == "0.3000" != rows["theta"][1]
    assert rows["image_kernel"][1] == "as before" != rows["div_kernel"][1]


def test_sheet_has_a_row_for_each_kind(analysis):
    height = analysis.sheet(0).shape[0]
    assert height % 3 == 0  # frames, TV-L1, MotionNet
    assert analysis.sheet(0, [1, 4]).shape[0] == height // 3 * 5
    few, many = (analysis.sheet(0, [1], iterations=n) for n in (1, 50))
    assert (few != many).any(axis=(1, 2)).sum() <= height // 3  # only that row
    assert not np.array_equal(few, many)


def test_motionnet_sees_the_motion():
    clip = render_clip(CLASSES.index("right"), (3,), num_frames=4)
    flow = motionnet_of_frames(clip.frames).numpy()
    assert flow.shape == clip.flow.shape
    error = np.linalg.norm(flow - clip.flow, axis=1).mean()
    assert error < 0.35 * np.linalg.norm(clip.flow, axis=1).mean()


def test_videos_that_cannot_be_looked_at(inferencer, tmp_path):
    write_clip(tmp_path / "one.mp4", 1)
    with pytest.raises(VideoError, match=r"one\.mp4 has a single frame"):
        analyze(inferencer, tmp_path / "one.mp4")
    (tmp_path / "broken.mp4").write_text("nothing")
    with pytest.raises(VideoError, match=r"broken\.mp4"):
        analyze(inferencer, tmp_path / "broken.mp4")


def test_the_first_parts_of_a_long_video(inferencer, tmp_path):
    write_clip(tmp_path / "long.mp4", 100)
    assert len(analyze(inferencer, tmp_path / "long.mp4").parts) == MAX_PARTS


def test_models_to_choose_from():
    names = classifiers()
    assert names[0] == "repflow_r18_motionshapes"
    assert "tinymotionnet_motionshapes" not in names  # classifies nothing
    assert "slowonly_r18_motionshapes_flow" not in names  # reads flow of the dataset
