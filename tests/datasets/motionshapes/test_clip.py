import dataclasses
import hashlib

import cv2
import numpy as np
import pytest

from flowzoo.datasets.motionshapes import clip as motionshapes_clip
from flowzoo.datasets.motionshapes.clip import CLASSES, render_clip

LABELS = range(len(CLASSES))
CHANCE = 1 / len(CLASSES)


@pytest.fixture(scope="module")
def clips():
    """Forty clips of each class."""
    return [render_clip(i % 8, (7, i)) for i in range(320)]


def test_frames_do_not_depend_on_the_machine():
    frames = np.stack([render_clip(label, (1, label)).frames for label in LABELS])
    digest = hashlib.sha256(frames.tobytes()).hexdigest()
    # To be changed together with motionshapes.files.VERSION.
    assert digest.startswith("c4e5c00dc5791a9d")


@pytest.mark.parametrize("label", LABELS)
def test_a_clip_played_backwards_is_a_clip_of_the_opposite_class(label):
    opposite = label ^ 1
    forwards, backwards = (render_clip(i, (2, label)) for i in (label, opposite))
    assert CLASSES[label] != CLASSES[opposite]
    np.testing.assert_array_equal(forwards.frames[::-1], backwards.frames)
    assert not np.array_equal(forwards.frames, backwards.frames)


def test_classes_move_as_they_are_called(clips):
    means = np.array([_motion(clips[label]) for label in LABELS])
    # Mean motion of the shape: right, down, clockwise, growth.
    expected = {
        "right": (0, 1),
        "left": (0, -1),
        "down": (1, 1),
        "up": (1, -1),
        "clockwise": (2, 1),
        "counterclockwise": (2, -1),
        "zoom_in": (3, 1),
        "zoom_out": (3, -1),
    }
    limits = np.array([0.5, 0.5, 0.03, 0.03])
    for name, (axis, sign) in expected.items():
        scaled = means[CLASSES.index(name)] / limits
        assert np.abs(scaled).argmax() == axis
        assert sign * scaled[axis] > 1


def test_every_frame_has_the_same_poses_in_all_classes():
    def deviation(values):
        """Kolmogorov-Smirnov statistic against the uniform law on [0, 1]."""
        ranks = np.arange(1, len(values) + 1) / len(values)
        return np.abs(np.sort(values) - ranks).max()

    count, worst, unwrapped = 120, 0, 0
    for label in LABELS:
        scenes = [
            motionshapes_clip._sample_scene(label, (3, label, i), 16, 32)
            for i in range(count)
        ]
        poses = np.stack(
            [
                np.column_stack([s.place / 32, s.angle / (2 * np.pi), s.zoom])
                for s in scenes
            ]
        )  # (clips, frames, 4)
        for frame in (0, 7, 15):
            for pose in poses[:, frame].T:
                worst = max(worst, deviation(pose % 1))
                unwrapped = max(unwrapped, deviation(pose))
    critical = 2.3 / np.sqrt(count)  # exceeded once in 20 000 times
    assert worst < critical
    assert unwrapped > critical


@pytest.mark.parametrize("frame", [0, 8, 15])
def test_single_frames_carry_no_label(clips, frame):
    labels = np.array([clip.label for clip in clips])
    # Three standard deviations of a guess on all clips.
    limit = CHANCE + 3 * np.sqrt(CHANCE * (1 - CHANCE) / len(clips))
    for features in _frame_features(clips, frame):
        assert _accuracy(features, labels) < limit
    motion = np.stack([_motion(clip, min(frame, 14)) for clip in clips])
    assert _accuracy(motion, labels) > 0.7


def test_single_frames_would_betray_a_label_if_they_had_one(monkeypatch):
    sample = motionshapes_clip._sample_scene

    def always_start_in_the_middle(*args):
        scene = sample(*args)
        return dataclasses.replace(scene, place=scene.place - scene.place[0] + 32)

    monkeypatch.setattr(motionshapes_clip, "_sample_scene", always_start_in_the_middle)
    clips = [render_clip(i % 8, (8, i)) for i in range(160)]
    labels = np.array([clip.label for clip in clips])
    accuracies = [_accuracy(f, labels) for f in _frame_features(clips, 15)]
    assert max(accuracies) > 2 * CHANCE


@pytest.mark.parametrize("label", LABELS)
def test_flow_leads_to_the_same_content_in_the_next_frame(label):
    moved, still = [], []
    for i in range(4):
        clip = render_clip(label, (4, label, i))
        for t in range(0, 15, 2):
            errors = _warp_errors(clip, t, clip.flow[t])
            moved.append(errors)
            still.append(_warp_errors(clip, t, np.zeros_like(clip.flow[t])))
    background, shape = (np.concatenate(e) for e in zip(*moved, strict=True))
    unmoved_shape = np.concatenate([e[1] for e in still])
    assert np.median(background) < 4 and np.quantile(background, 0.95) < 12
    assert np.median(shape) < 4
    assert np.median(unmoved_shape) > 2 * np.median(shape)


def test_flow_is_a_few_pixels(clips):
    lengths = [np.hypot(c.flow[:, 0], c.flow[:, 1])[c.foreground[:-1]] for c in clips]
    lengths = np.concatenate(lengths)
    assert 1 < lengths.mean() < 3
    assert lengths.max() < 6


def test_other_sizes_and_lengths():
    clip = render_clip(6, (5,), num_frames=5, size=96)
    assert clip.frames.shape == (5, 96, 96, 3)
    assert clip.flow.shape == (4, 2, 96, 96)
    assert clip.foreground.shape == (5, 96, 96)


def _motion(clip, t=0):
    """Mean right, down, clockwise and outward motion of the shape in a frame."""
    v, u = np.nonzero(clip.foreground[t])
    # A shape that continues on the opposite side has two centers: use one part.
    near = (np.abs(u - np.median(u)) < 20) & (np.abs(v - np.median(v)) < 20)
    v, u = v[near], u[near]
    flow = clip.flow[t][:, v, u]
    x, y = u - u.mean(), v - v.mean()
    # The similarity transform that fits best: flow = a + b * (-y, x) + c * (x, y).
    ones, zeros = np.ones(len(u)), np.zeros(len(u))
    columns = np.concatenate(
        [np.stack([ones, zeros, -y, x], 1), np.stack([zeros, ones, x, y], 1)]
    )
    return np.linalg.lstsq(columns, flow.ravel(), rcond=None)[0]


def _frame_features(clips, frame):
    """Small images, small silhouettes, contrast and edges of single frames."""

    def small(image):
        size = (8, 8)
        return cv2.resize(image, size, interpolation=cv2.INTER_AREA).ravel()

    images = [clip.frames[frame].astype(np.float32) for clip in clips]
    yield np.stack([small(image) for image in images])
    yield np.stack([small(clip.foreground[frame].astype(np.float32)) for clip in clips])
    edges = (
        [p.std(), *(np.abs(np.diff(p, axis=i)).mean() for i in (0, 1))] for p in images
    )
    yield np.stack(list(edges))


def _accuracy(features, labels, folds=4):
    """Cross-validated accuracy of ridge regression onto one-hot labels."""
    features = (features - features.mean(0)) / (features.std(0) + 1e-6)
    features = np.column_stack([features, np.ones(len(features))])
    targets = np.eye(8)[labels]
    # Whole groups of eight clips, one of each class, go into the same fold.
    fold = np.arange(len(labels)) // 8 % folds
    right = 0
    for k in range(folds):
        train, test = fold != k, fold == k
        gram = features[train].T @ features[train]
        gram += len(features) / 10 * np.eye(len(gram))
        weights = np.linalg.solve(gram, features[train].T @ targets[train])
        right += ((features[test] @ weights).argmax(1) == labels[test]).sum()
    return right / len(labels)


def _warp_errors(clip, t, flow):
    """Differences in gray levels, inside the background and inside the shape."""
    y, x = np.mgrid[:64, :64].astype(np.float32)
    x, y = x + flow[0], y + flow[1]
    following = cv2.remap(
        clip.frames[t + 1].astype(np.float32),
        x,
        y,
        cv2.INTER_LINEAR,
        None,
        cv2.BORDER_CONSTANT,
        np.nan,
    )
    error = np.abs(following - clip.frames[t]).mean(-1)
    inner = []
    for now, then in (
        (~clip.foreground[t], ~clip.foreground[t + 1]),
        (clip.foreground[t], clip.foreground[t + 1]),
    ):
        # Away from the edges, and not hidden in the next frame.
        then = cv2.remap(
            cv2.erode(then.astype(np.float32), np.ones((5, 5))), x, y, cv2.INTER_LINEAR
        )
        now = cv2.erode(now.astype(np.uint8), np.ones((5, 5))) > 0
        inner.append(error[now & (then == 1) & np.isfinite(error)])
    return inner
