"""MotionCrop: the window in which a clip's frames differ."""

import math

import numpy as np
import pytest

from flowzoo.datasets.transforms import MotionCrop


def clip(*corners, size=(144, 180), side=20):
    """Gray frames with a white square at each of the (left, top) corners in turn."""
    frames = []
    for left, top in corners:
        frame = np.full((*size, 3), 100, np.uint8)
        frame[top : top + side, left : left + side] = 255
        frames.append(frame)
    return frames


def crop(frames, clip_len=None, **options):
    results = dict(imgs=list(frames), clip_len=clip_len or len(frames))
    return MotionCrop(**(dict(scale=(96, 80)) | options))(results)


def test_what_moves_is_in_the_middle():
    left, top, right, bottom = MotionCrop((96, 80), smallest=0.5).window(
        clip((70, 60), (80, 64))
    )
    assert (left + right) / 2 == pytest.approx((70 + 100) / 2, abs=1)
    assert (top + bottom) / 2 == pytest.approx((60 + 84) / 2, abs=1)
    assert bottom - top == 72  # the smallest
    assert right - left == pytest.approx(72 * 1.2, abs=1)


@pytest.mark.parametrize("size", [(144, 180), (144, 400), (400, 180)])
def test_windows_hold_all_motion(size):
    height, width = size
    ends = (5, 60), (width - 25, height - 70)
    window = MotionCrop((96, 80)).window(clip(*ends, size=size))
    left, top, right, bottom = window
    assert 0 <= left <= 5 and width - 5 <= right <= width
    assert 0 <= top <= 60 and height - 50 <= bottom <= height


@pytest.mark.parametrize("corner", [(0, 0), (160, 0), (0, 124), (160, 124)])
def test_windows_stay_in_the_frame(corner):
    frames = clip(corner, (80, 60), corner)
    transform = MotionCrop((96, 80), smallest=0.3)
    left, top, right, bottom = transform.window(frames[:1] + clip((300, 300)))
    assert 0 <= left < right <= 180 and 0 <= top < bottom <= 144
    x, y = corner
    assert left <= x and right >= x + 20 and top <= y and bottom >= y + 20


def test_clips_are_cut_one_by_one():
    still, moving = clip((80, 60), (80, 60)), clip((40, 60), (48, 60))
    results = crop(still + moving, clip_len=2)
    assert results["img_shape"] == (80, 96)
    assert {f.shape for f in results["imgs"]} == {(80, 96, 3)}
    alone = crop(moving)
    np.testing.assert_array_equal(results["imgs"][2:], alone["imgs"])
    # a clip without motion stays whole: its square is as small as in the frame
    area = [(f > 200).all(-1).mean() for f in results["imgs"]]
    assert area[0] == pytest.approx(400 / (144 * 180), rel=0.2)
    assert area[2] > 1.8 * area[0]


def test_single_frames_have_a_window_together():
    frames = clip((40, 60), (48, 60), (60, 60))
    alone, together = crop(frames, clip_len=1), crop(frames, clip_len=3)
    np.testing.assert_array_equal(alone["imgs"], together["imgs"])


def test_lazy_transforms_come_first():
    results = dict(imgs=clip((40, 60), (48, 60)), clip_len=2, lazy={})
    with pytest.raises(ValueError, match="needs Fuse"):
        MotionCrop((96, 80))(results)


def test_the_window_is_noted_as_by_other_crops():
    frames = clip((70, 60), (80, 64))
    left, top, right, bottom = MotionCrop((96, 80)).window(frames)
    results = MotionCrop((96, 80))(
        dict(imgs=frames, clip_len=2, crop_quadruple=np.array([0.5, 0, 0.5, 1.0]))
    )
    wanted = [
        0.5 + 0.5 * left / 180,
        top / 144,
        0.5 * (right - left) / 180,
        (bottom - top) / 144,
    ]
    np.testing.assert_allclose(results["crop_quadruple"], wanted, rtol=1e-6)
    assert "crop_quadruple" not in crop(frames + frames, clip_len=2)


def test_noise_is_no_motion():
    rng = np.random.default_rng(0)
    clean = clip((70, 60), (80, 64), (75, 62))
    noisy = [
        np.clip(f + rng.normal(0, 4, f.shape), 0, 255).astype(np.uint8) for f in clean
    ]
    transform = MotionCrop((96, 80))
    assert transform.window(noisy) == pytest.approx(transform.window(clean), abs=2)
    assert transform.window([noisy[0]] * 3) == (0, 0, 180, 144)


@pytest.mark.parametrize("size", [(1, 1), (3, 500), (500, 3)])
def test_extreme_frames(size):
    frames = [np.full((*size, 3), value, np.uint8) for value in (0, 255)]
    assert crop(frames)["imgs"][0].shape == (80, 96, 3)


@pytest.mark.parametrize("size", [(1920, 1080), (500, 100), (100, 500), (80, 96)])
def test_windows_keep_the_aspect_ratio(size):
    height, width = size
    middle = width // 2, height // 2
    left, top, right, bottom = MotionCrop((96, 80)).window(
        clip(middle, (middle[0] + 4, middle[1]), size=size, side=10)
    )
    assert (right - left) / (bottom - top) == pytest.approx(1.2, rel=0.03)
    largest = min(height, width / 1.2)
    assert bottom - top == pytest.approx(0.65 * largest, abs=1)


@pytest.mark.parametrize(
    "wrong",
    [
        *[dict(scale=s) for s in [(0, 8), (8,), (8, 8, 8), 8, None, "88", (8.5, 8)]],
        *[dict(smallest=v) for v in (0, 1.5, math.nan)],
        *[dict(threshold=v) for v in (0, 255, math.nan)],
        *[dict(margin=v) for v in (-1, math.inf, math.nan)],
    ],
)
def test_wrong_arguments(wrong):
    name = "scale should be" if "scale" in wrong else "MotionCrop needs"
    with pytest.raises(ValueError, match=name):
        MotionCrop(**(dict(scale=(96, 80)) | wrong))


@pytest.mark.parametrize(
    "frame", [np.zeros((8, 8, 3), np.float32), np.zeros((8, 8), np.uint8)]
)
def test_wrong_frames(frame):
    with pytest.raises(ValueError, match="RGB frames of unsigned bytes"):
        crop([frame, frame])
