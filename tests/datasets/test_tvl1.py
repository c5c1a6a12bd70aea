import cv2
import numpy as np
import pytest
from mmaction.registry import TRANSFORMS
from mmengine.dataset import Compose

from flowzoo.datasets.transforms import TVL1Flow


def frames(places, size=48):
    """A smooth texture, shifted by each of the places (x, y), in pixels."""
    rng = np.random.default_rng(0)
    noise = rng.random((size + 32, size + 32, 3)).astype(np.float32)
    texture = cv2.GaussianBlur(noise, (0, 0), 3)
    texture = 255 * (texture - texture.min()) / np.ptp(texture)
    clip = []
    for x, y in places:
        clip.append(texture[16 - y : 16 - y + size, 16 - x : 16 - x + size])
    return [frame.astype(np.uint8) for frame in clip]


def medians(flow):
    return [np.median(f[8:-8, 8:-8], axis=(0, 1)).round(1).tolist() for f in flow]


def test_flow_of_shifted_frames():
    """Two clips, with no flow between them."""
    places = [(0, 0), (2, 0), (2, -1), (9, 9), (8, 9), (8, 12)]
    results = dict(imgs=frames(places), clip_len=3, num_clips=2)
    results = TRANSFORMS.build(dict(type="TVL1Flow"))(results)
    flow = results["gt_flow"]
    expected = np.array([(2, 0), (0, -1), (-1, 0), (0, 3)])
    np.testing.assert_allclose(medians(flow), expected, atol=0.2)
    assert all(f.shape == (48, 48, 2) and f.dtype == np.float32 for f in flow)


def test_bound():
    results = dict(imgs=frames([(0, 0), (4, -3)]), clip_len=2)
    flow = TVL1Flow(bound=2.5)(results)["gt_flow"]
    assert medians(flow) == [[2.5, -2.5]]
    assert "bound=2.5" in repr(TVL1Flow(bound=2.5))


def test_in_the_place_of_frames():
    steps = ("TVL1Flow", "FlowAsFrames")
    pipeline = [dict(type=name) for name in steps]
    pipeline.append(dict(type="FormatShape", input_format="NCTHW"))
    clip = dict(imgs=frames([(0, 0)] * 3, size=20), clip_len=3, num_clips=1)
    assert Compose(pipeline)(clip)["imgs"].shape == (1, 2, 2, 20, 20)


def test_needs_two_frames():
    with pytest.raises(ValueError, match="raise clip_len"):
        TVL1Flow()(dict(imgs=frames([(0, 0)]), clip_len=1))


def test_frames_of_another_kind():
    clip = frames([(0, 0), (2, 1)])
    for bad in (
        [frame.astype(np.float32) for frame in clip],
        [frame[..., 0] for frame in clip],
        [clip[0], clip[1][:-1]],
        np.stack(clip).transpose(0, 3, 1, 2),
    ):
        with pytest.raises(ValueError, match="uint8 RGB frames of one size, not"):
            TVL1Flow()(dict(imgs=bad, clip_len=2))
    with pytest.raises(ValueError, match="3 frames are not clips of 2"):
        TVL1Flow()(dict(imgs=[*clip, clip[0]], clip_len=2))


@pytest.mark.parametrize(
    "options, message",
    [
        (dict(bound=0), "bound=0"),
        (dict(bound=float("nan")), "bound=nan"),
        (dict(preset="best"), "preset='best'"),
        (dict(warps=0), "warps=0"),
    ],
)
def test_bad_parameters_are_refused_when_it_is_built(options, message):
    with pytest.raises(ValueError, match=message):
        TVL1Flow(**options)


def test_wrong_order():
    as_frames = TRANSFORMS.build(dict(type="FlowAsFrames"))
    clip = dict(imgs=frames([(0, 0)] * 2), clip_len=2)
    with pytest.raises(ValueError, match="put TVL1Flow"):
        as_frames(dict(clip))
    clip = TVL1Flow(preset="fast")(clip)
    clip["imgs"] = [frame[:24] for frame in clip["imgs"]]
    with pytest.raises(ValueError, match="has to be in TransformWithFlow"):
        as_frames(clip)


def test_presets_and_parameters():
    clip = frames([(0, 0), (2, 1)])
    fast = TVL1Flow(preset="fast", warps=4)
    flow = fast(dict(imgs=clip, clip_len=2))["gt_flow"]
    np.testing.assert_allclose(medians(flow), [[2, 1]], atol=0.2)
    assert "preset='fast', warps=4" in repr(fast)


def test_is_opencvs_flow():
    if not hasattr(cv2, "optflow"):
        pytest.skip("OpenCV lacks its contrib modules")
    clip = frames([(0, 0), (2, 1)], size=96)
    (ours,) = TVL1Flow()(dict(imgs=clip, clip_len=2))["gt_flow"]
    gray = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in clip]
    theirs = cv2.optflow.createOptFlow_DualTVL1().calc(*gray, None)
    assert np.abs(ours - theirs).mean() < 0.05
