import cv2
import numpy as np
import pytest
import torch
from mmaction.registry import DATASETS

from flowzoo.datasets import MotionScenesDataset
from flowzoo.datasets.motionshapes.scene import Scene, render_scene
from flowzoo_kernels import backward_warp

SEEDS = range(12)
PIPELINE = [
    dict(type="RenderMotionScene"),
    dict(type="FormatFlow"),
    dict(type="FormatShape", input_format="NCTHW"),
    dict(type="PackActionInputs", algorithm_keys=("gt_flow",)),
]


@pytest.fixture(scope="module")
def scenes():
    return [render_scene((3, i), height=96, width=128) for i in SEEDS]


def rebuilding_error(scene, flow):
    """Median difference in gray levels of a frame and the next one warped to it."""
    first, second = torch.from_numpy(scene.frames).permute(0, 3, 1, 2).float()
    rebuilt = backward_warp(second[None], torch.from_numpy(flow), "border")[0]
    return float((first - rebuilt).abs().median())


def test_true_flow_rebuilds_the_frames(scenes):
    """Nothing but noise is left; with the flow of another scene, much more."""
    still = np.zeros_like(scenes[0].flow)
    true = np.mean([rebuilding_error(s, s.flow) for s in scenes])
    other = [rebuilding_error(s, scenes[i - 1].flow) for i, s in enumerate(scenes)]
    assert true < 3
    assert np.mean([rebuilding_error(s, still) for s in scenes]) > 3 * true
    assert np.mean(other) > 3 * true


def test_true_flow_is_that_of_each_frame():
    scenes = [render_scene((3, i), 3, height=96, width=128) for i in SEEDS]
    assert scenes[0].frames.shape == (3, 96, 128, 3)
    assert scenes[0].flow.shape == (2, 2, 96, 128)
    for t in (0, 1):
        parts = [Scene(s.frames[t : t + 2], s.flow[t : t + 1]) for s in scenes]
        assert np.mean([rebuilding_error(part, part.flow) for part in parts]) < 3


def test_motion_is_large_but_no_larger_than_asked(scenes):
    lengths = np.stack([np.hypot(*s.flow[0]) for s in scenes])
    assert lengths.max() <= 20
    assert lengths.max() > 10
    assert lengths.mean() > 2
    slow = render_scene((3, 0), max_motion=4.0)
    assert np.hypot(*slow.flow[0]).max() <= 4


def test_flow_has_edges_and_varies_within_objects(scenes):
    """Several layers, and motion that is more than translation."""
    steps = np.concatenate([np.abs(np.diff(s.flow[0], axis=2)).ravel() for s in scenes])
    assert (steps > 1).mean() > 0.002
    assert ((steps > 1e-4) & (steps < 0.2)).mean() > 0.5


def test_a_scene_is_that_of_its_seed():
    first, again, other = (render_scene((5, i)) for i in (0, 0, 1))
    np.testing.assert_array_equal(first.frames, again.frames)
    np.testing.assert_array_equal(first.flow, again.flow)
    assert not np.array_equal(first.frames, other.frames)


def test_sizes_are_those_asked_for():
    scene = render_scene((6, 0), height=129, width=200)
    assert scene.frames.shape == (2, 129, 200, 3)
    assert scene.flow.shape == (1, 2, 129, 200)


def make(split="val", **kwargs):
    options = dict(length=3, scene=dict(height=64, width=96)) | kwargs
    return MotionScenesDataset(split, pipeline=PIPELINE, **options)


def test_dataset_renders_when_asked():
    dataset = make()
    assert DATASETS.get("MotionScenesDataset") is MotionScenesDataset
    assert len(dataset) == 3
    sample = dataset[1]
    assert sample["inputs"].shape == (1, 3, 2, 64, 96)
    assert sample["inputs"].dtype == torch.uint8
    assert sample["data_samples"].gt_flow.shape == (1, 2, 64, 96)
    again = make()[1]
    assert torch.equal(sample["inputs"], again["inputs"])
    assert torch.equal(sample["data_samples"].gt_flow, again["data_samples"].gt_flow)


def test_splits_and_seeds_have_scenes_of_their_own():
    inputs = [make(s)[0]["inputs"] for s in ("train", "val", "test")]
    inputs.append(make(seed=1)[0]["inputs"])
    for i, first in enumerate(inputs):
        assert not any(torch.equal(first, second) for second in inputs[i + 1 :])


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match=r"splits .*'training'"):
        make("training")
    with pytest.raises(ValueError, match="length=0"):
        make(length=0)


def test_opencv_flow_finds_the_true_one(scenes):
    """The convention is OpenCV's: DIS comes much closer than zero flow."""
    estimator = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    errors, lengths = [], []
    for scene in scenes:
        gray = [cv2.cvtColor(f, cv2.COLOR_RGB2GRAY) for f in scene.frames]
        found = estimator.calc(*gray, None).transpose(2, 0, 1)
        errors.append(np.hypot(*(found - scene.flow[0])).mean())
        lengths.append(np.hypot(*scene.flow[0]).mean())
    assert np.mean(errors) < 0.4 * np.mean(lengths)
