"""mmaction2's own inferencer with the zoo's names and FlowZoo's pipelines."""

import pytest
from helpers.miniatures import write_clip
from mmaction.apis import MMAction2Inferencer

import flowzoo
from flowzoo.io.video import VideoError


def test_a_name_of_the_zoo(tmp_path):
    """Config and weights by name; scores as of FlowZoo's own inferencer."""
    write_clip(tmp_path / "a.mp4", 9)
    inferencer = MMAction2Inferencer("repflow_r18_motionshapes", device="cpu")
    result = inferencer(str(tmp_path / "a.mp4"))
    (scores,) = result["predictions"][0]["rec_scores"]
    own = flowzoo.Inferencer("repflow_r18_motionshapes", device="cpu", top=8)
    (prediction,) = own(tmp_path / "a.mp4")
    # these nine frames are one part, whose last one is repeated by both
    assert prediction.new == 9
    names = flowzoo.datasets.motionshapes.CLASSES
    assert len(scores) == len(names) and sum(scores) == pytest.approx(1, abs=1e-5)
    assert names[max(range(8), key=scores.__getitem__)] == prediction.classes[0]


def test_a_broken_video_is_named(tmp_path):
    (tmp_path / "broken.mp4").write_text("nothing")
    inferencer = MMAction2Inferencer("repflow_r18_motionshapes", device="cpu")
    with pytest.raises(VideoError, match=r"broken\.mp4"):
        inferencer(str(tmp_path / "broken.mp4"))


def test_weights_of_ones_own_and_unknown_names():
    weights = "flowzoo://repflow_r18_motionshapes"
    with pytest.raises(LookupError, match="no weights of 'repflow_r50_kinetics'"):
        MMAction2Inferencer("repflow_r50_kinetics", device="cpu")
    MMAction2Inferencer("repflow_r18_motionshapes_add", weights, device="cpu")
    with pytest.raises(ValueError, match="Cannot find model: nothing"):
        MMAction2Inferencer("nothing", device="cpu")
