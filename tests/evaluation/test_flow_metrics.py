import pytest
import torch
from mmaction.registry import METRICS

from flowzoo.datasets.motionshapes.clip import render_clip
from flowzoo.evaluation.flow_metrics import (
    FlowMetric,
    end_point_error,
    is_outlier,
    photometric_error,
)


def make(pairs=2, size=8, clips=1):
    flow = torch.zeros(pairs * clips, 2, size, size)
    inputs = torch.zeros(clips, 3, pairs + 1, size, size, dtype=torch.uint8)
    return inputs, dict(pred_flow=flow.clone(), gt_flow=flow.clone())


def evaluate(*batches):
    metric = FlowMetric()
    size = 0
    for samples in batches:
        inputs, found = zip(*samples, strict=True)
        metric.process(dict(inputs=list(inputs)), list(found))
        size += len(samples)
    return metric.evaluate(size)


def test_end_point_error_and_outliers():
    truth = torch.tensor([[3.0, 4.0], [100.0, 0.0], [0.0, 0.0]]).T.reshape(2, 1, 3)
    error = end_point_error(torch.zeros_like(truth), truth)
    torch.testing.assert_close(error, torch.tensor([[5.0, 100.0, 0.0]]))
    # 4 pixels are more than 3, but not more than 5 % of 100
    error = torch.tensor([[3.1, 4.0, 2.9]])
    assert is_outlier(error, truth).tolist() == [[True, False, False]]


def test_metric_by_hand():
    inputs, sample = make()
    sample["gt_flow"][0, 0] = 4.0
    sample["gt_flow"][1, 1] = 1.0
    sample["pred_flow"][1, 1] = 1.5
    assert evaluate([(inputs, sample)]) == {
        "flow/EPE": pytest.approx((4 + 0.5) / 2),
        "flow/EPE_zero": pytest.approx((4 + 1) / 2),
        "flow/Fl-all": pytest.approx(50.0),
        "flow/photometric": 0.0,
        "flow/photometric_zero": 0.0,
    }


def test_unknown_flow_does_not_count():
    inputs, sample = make()
    sample["gt_flow"][:, 0] = 2.0
    sample["gt_flow"][0, 1, :, :4] = float("nan")
    other = make()
    metrics = evaluate([(inputs, sample)], [other])
    known = 2 * 64 - 32
    assert metrics["flow/EPE"] == pytest.approx(2 * known / (known + 2 * 64))


def test_nan_of_a_network_shows():
    inputs, sample = make()
    sample["pred_flow"][0, 0, 0, 0] = float("nan")
    metrics = evaluate([(inputs, sample)])
    assert torch.tensor(metrics["flow/EPE"]).isnan()
    assert metrics["flow/Fl-all"] == pytest.approx(100 / 128)


def test_photometric_error_falls_with_the_true_flow():
    clip = render_clip(0, (3,), 3, 32)
    inputs = torch.from_numpy(clip.frames).permute(3, 0, 1, 2)[None]
    truth = torch.from_numpy(clip.flow)
    metrics = evaluate([(inputs, dict(pred_flow=truth))])
    assert set(metrics) == {"flow/photometric", "flow/photometric_zero"}
    assert metrics["flow/photometric"] < 0.7 * metrics["flow/photometric_zero"]
    wrong = evaluate([(inputs, dict(pred_flow=-truth))])
    assert wrong["flow/photometric"] > metrics["flow/photometric_zero"]


def test_photometric_error_goes_with_the_pairs_of_several_clips():
    inputs, sample = make(pairs=2, clips=2)
    inputs[1, :, 2] = 30  # between the second and third frame of the second clip
    metrics = evaluate([(inputs, sample)])
    assert metrics["flow/photometric_zero"] == pytest.approx(30 / 4)
    first, second = torch.rand(2, 3, 3, 5, 5)
    error = photometric_error(first, second, torch.zeros(3, 2, 5, 5))
    torch.testing.assert_close(error, (first - second).abs().mean((1, 2, 3)))


def test_it_is_registered():
    assert METRICS.get("FlowMetric") is FlowMetric
