from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch
from mmaction.structures import ActionDataSample
from mmaction.visualization import ActionVisualizer

from flowzoo.engine.visualization import FlowVisualizationHook, flow_image
from flowzoo.visualization import flow_to_color


def make(count=3, truth=True):
    inputs, samples = [], []
    for i in range(count):
        clip = torch.full((1, 3, 5, 16, 20), 10 * i, dtype=torch.uint8)
        clip[:, 0] += torch.arange(5, dtype=torch.uint8).view(1, 5, 1, 1)
        sample = ActionDataSample()
        sample.set_field(torch.randn(4, 2, 16, 20), "pred_flow")
        if truth:
            sample.set_field(torch.randn(4, 2, 16, 20), "gt_flow")
        inputs.append(clip)
        samples.append(sample)
    return dict(inputs=inputs), samples


@pytest.fixture(autouse=True)
def visualizer():
    return ActionVisualizer.get_instance("flow-images")


def test_image_has_frames_flow_and_truth_in_one_scale():
    first, second = torch.full((3, 4, 6), 7.0), torch.full((3, 4, 6), 9.0)
    flow, truth = torch.zeros(2, 4, 6), torch.zeros(2, 4, 6)
    flow[0], truth[0] = 1.0, 4.0
    image = flow_image(first, second, flow, truth)
    assert image.shape == (4, 24, 3)
    assert (image[:, :6] == 7).all() and (image[:, 6:12] == 9).all()
    np.testing.assert_array_equal(image[:, 12:18], flow_to_color(flow, 4.0))
    np.testing.assert_array_equal(image[:, 18:], flow_to_color(truth, 4.0))
    still = torch.zeros(2, 4, 6)
    assert (flow_image(first, second, still)[:, 12:] == 255).all()


def test_test_samples_are_drawn_into_a_folder(tmp_path):
    hook = FlowVisualizationHook(enable=True, interval=2, out_dir=str(tmp_path))
    data, samples = make()
    hook.after_test_iter(None, 1, data, samples)  # samples 3, 4 and 5
    (file,) = tmp_path.iterdir()
    assert file.name == "flow_00004_0.png"
    image = cv2.imread(str(file))[..., ::-1]
    # the middle one of four flows: between the frames 1 and 2
    clip, flow, truth = data["inputs"][1][0], samples[1].pred_flow, samples[1].gt_flow
    expected = flow_image(clip[:, 1], clip[:, 2], flow[1], truth[1])
    np.testing.assert_array_equal(image, expected)


def test_validation_samples_go_to_the_visualizer(visualizer, monkeypatch):
    drawn = []
    monkeypatch.setattr(
        type(visualizer), "add_image", lambda _, *args, **__: drawn.append(args)
    )
    hook = FlowVisualizationHook(enable=True, interval=1)
    hook._visualizer = visualizer
    data, samples = make(2, truth=False)
    runner = SimpleNamespace(train_loop=None, iter=70)
    hook.after_val_iter(runner, 0, data, samples)
    assert [(name, step) for name, _, step in drawn] == [
        ("flow_00000", 70),
        ("flow_00001", 70),
    ]
    assert drawn[0][1].shape == (16, 60, 3)


def test_nothing_is_drawn_unless_asked(tmp_path):
    # with the arguments that tools/test.py sets
    hook = FlowVisualizationHook(out_dir=str(tmp_path), show=False, wait_time=2)
    hook.after_test_iter(None, 0, *make())
    assert list(tmp_path.iterdir()) == []
