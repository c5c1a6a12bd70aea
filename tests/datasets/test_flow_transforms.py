import numpy as np
import pytest
import torch
from mmaction.registry import TRANSFORMS
from mmengine.dataset import Compose

from flowzoo.datasets.motionshapes.files import prepare
from flowzoo.datasets.motionshapes.flow import true_flow
from flowzoo.evaluation.flow_metrics import photometric_error


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    from flowzoo.datasets.motionshapes.files import MotionShapesSpec

    spec = MotionShapesSpec(
        num_train=16, num_val=8, num_test=8, num_frames=10, size=32, seed=3
    )
    return spec, prepare(spec, tmp_path_factory.mktemp("data"), workers=1)


def load(path, clip_len=5, num_clips=1, interval=1, **sampling):
    return Compose(
        [
            dict(type="OpenVideo"),
            dict(
                type="SampleFrames",
                clip_len=clip_len,
                num_clips=num_clips,
                frame_interval=interval,
                **sampling,
            ),
            dict(type="LoadMotionShapesFlow"),
            dict(type="DecodeFrames"),
        ]
    )(dict(filename=str(path), start_index=0, modality="RGB"))


def rebuilt(results):
    """How badly frames are rebuilt from the next ones: by the flow, by wrong flows."""
    frames = torch.from_numpy(np.stack(results["imgs"])).permute(0, 3, 1, 2).float()
    flow = torch.from_numpy(np.stack(results["gt_flow"])).permute(0, 3, 1, 2).float()

    def error(x, y):
        scaled = flow * torch.tensor([x, y]).view(2, 1, 1)
        return float(photometric_error(frames[:-1], frames[1:], scaled).mean())

    wrong = [(0, 0), (-1, 1), (1, -1), (0.5, 1), (1, 0.5), (2, 1), (1, 2)]
    return error(1, 1), min(error(*factors) for factors in wrong)


def test_flow_is_that_of_the_sampled_frames(folder):
    spec, root = folder
    for split, index in (("train", 6), ("test", 3)):
        path = root / spec.video_name(split, index)
        np.testing.assert_array_equal(true_flow(path), spec.render(split, index).flow)
        results = load(path)
        start = results["frame_inds"][0]
        expected = spec.render(split, index).flow[start : start + 4]
        found = np.stack(results["gt_flow"]).transpose(0, 3, 1, 2)
        np.testing.assert_array_equal(found, expected)


def test_flow_of_several_clips_and_of_repeated_frames(folder):
    spec, root = folder
    path = root / spec.video_name("train", 0)
    results = load(path, 3, num_clips=2, test_mode=True)
    flow = spec.render("train", 0).flow.transpose(0, 2, 3, 1)
    first, second = results["frame_inds"].reshape(2, 3)[:, 0]
    expected = flow[[first, first + 1, second, second + 1]]
    np.testing.assert_array_equal(np.stack(results["gt_flow"]), expected)
    results = load(path, 12, out_of_bound_opt="repeat_last")
    assert len(results["gt_flow"]) == 11
    np.testing.assert_array_equal(np.stack(results["gt_flow"][:9]), flow)
    assert not np.stack(results["gt_flow"][9:]).any()


@pytest.mark.parametrize(
    "transform",
    [
        dict(type="Flip", flip_ratio=1.0),
        dict(type="Flip", flip_ratio=1.0, direction="vertical"),
        dict(type="Resize", scale=(80, 48), keep_ratio=False),
        dict(type="RandomCrop", size=24),
        dict(type="MultiScaleCrop", input_size=24, scales=(1, 0.75)),
    ],
    ids=lambda t: f"{t['type']}-{t.get('direction', '')}",
)
def test_flow_goes_with_the_frames(transform, folder):
    spec, root = folder
    for index in range(4, 8):  # rotation and zoom, along both axes
        results = load(root / spec.video_name("train", index), test_mode=True)
        results = TRANSFORMS.build(dict(type="TransformWithFlow", transform=transform))(
            results
        )
        assert results["gt_flow"][0].shape[:2] == results["imgs"][0].shape[:2]
        right, wrong = rebuilt(results)
        assert right < wrong


def test_flips_and_sizes_by_hand():
    flow = np.arange(24, dtype=np.float32).reshape(3, 4, 2)

    def run(**transform):
        results = dict(
            imgs=[np.zeros((3, 4, 3), np.uint8)] * 2,
            gt_flow=[flow.copy()],
            img_shape=(3, 4),
            modality="RGB",
        )
        return TransformWithFlow(transform)(results)["gt_flow"][0]

    TransformWithFlow = TRANSFORMS.get("TransformWithFlow")
    mirrored = run(type="Flip", flip_ratio=1.0)
    np.testing.assert_array_equal(mirrored, flow[:, ::-1] * (-1, 1))
    upside_down = run(type="Flip", flip_ratio=1.0, direction="vertical")
    np.testing.assert_array_equal(upside_down, flow[::-1] * (1, -1))
    np.testing.assert_array_equal(run(type="Flip", flip_ratio=0.0), flow)
    larger = run(type="Resize", scale=(8, 9), keep_ratio=False)
    assert larger.shape == (9, 8, 2)
    np.testing.assert_allclose(larger.mean((0, 1)), flow.mean((0, 1)) * (2, 3), 1e-5)


def test_frames_without_flow_pass_through():
    results = dict(
        imgs=[np.zeros((4, 4, 3), np.uint8)], img_shape=(4, 4), modality="RGB"
    )
    flip = dict(type="Flip", flip_ratio=1.0)
    assert "gt_flow" not in TRANSFORMS.build(
        dict(type="TransformWithFlow", transform=flip)
    )(results)
    assert "gt_flow" not in TRANSFORMS.build(dict(type="FormatFlow"))(results)


def test_packed_flow(folder):
    spec, root = folder
    results = load(root / spec.video_name("val", 1))
    flow = np.stack(results["gt_flow"])
    packed = Compose(
        [
            dict(type="FormatFlow"),
            dict(type="FormatShape", input_format="NCTHW"),
            dict(type="PackActionInputs", algorithm_keys=("gt_flow",)),
        ]
    )(results)
    found = packed["data_samples"].gt_flow
    assert found.shape == (4, 2, 32, 32) and found.dtype == torch.float32
    np.testing.assert_array_equal(found[:, 1].numpy(), flow[..., 1])


def test_errors(folder, tmp_path):
    spec, root = folder
    path = root / spec.video_name("train", 0)
    with pytest.raises(ValueError, match="frame_interval=1"):
        load(path, interval=2)
    with pytest.raises(FileNotFoundError, match="not a file of MotionShapes"):
        true_flow(path.with_name("00000_left.mp4"))
    with pytest.raises(FileNotFoundError, match=r"manifest\.json not found"):
        true_flow(tmp_path / "train" / "00000_right.mp4")
    (tmp_path / "manifest.json").write_text('{"version": 1}')
    with pytest.raises(RuntimeError, match="version 1 of MotionShapes"):
        true_flow(tmp_path / "train" / "00000_right.mp4")
    crop = dict(
        type="TransformWithFlow", transform=dict(type="ThreeCrop", crop_size=16)
    )
    results = dict(
        imgs=[np.zeros((16, 32, 3), np.uint8)] * 2,
        gt_flow=[np.zeros((16, 32, 2), np.float32)],
        img_shape=(16, 32),
        modality="RGB",
    )
    with pytest.raises(ValueError, match="made 9 of 2 frames and 1 maps"):
        TRANSFORMS.build(crop)(results)
