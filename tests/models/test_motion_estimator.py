import pytest
import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from torch import nn

from flowzoo.datasets.motionshapes.clip import render_clip
from flowzoo.models.recognizers import MotionEstimator, flow_in_pixels

PREPROCESSOR = dict(
    type="ActionDataPreprocessor",
    mean=[123.0, 117.0, 104.0],
    std=[255.0] * 3,
    format_shape="NCTHW",
)


def make(num_frames=3, loss=None, **backbone):
    torch.manual_seed(0)
    model = MotionEstimator(
        dict(type="TinyMotionNet", num_frames=num_frames, **backbone),
        loss or dict(type="UnsupervisedFlowLoss"),
        PREPROCESSOR,
    )
    model.backbone.init_weights()
    return model


def batch(frames, count=2, clips=1, size=32):
    """Images of moving shapes, as a data loader gives them."""
    inputs, samples = [], []
    for i in range(count):
        rendered = render_clip(i % 8, (5, i), max(frames * clips, 2), size)
        x = torch.from_numpy(rendered.frames).permute(3, 0, 1, 2)
        inputs.append(torch.stack(x.split(frames, 1)))
        samples.append(ActionDataSample())
    return dict(inputs=inputs, data_samples=samples)


def test_one_unit_of_flow_is_20_pixels():
    flow = torch.randn(2, 6, 5, 7)
    full = flow_in_pixels(flow, (9, 13))
    assert full.shape == (2, 3, 2, 9, 13)
    # corners stay, and so do all pixels that lie on the coarse ones
    torch.testing.assert_close(full[..., ::2, ::2].flatten(1, 2), 20 * flow)


def test_prediction_has_the_pairs_of_all_clips_in_their_order():
    model = make(num_frames=3)

    class Counter(nn.Module):
        """Flow that says which clip, pair and component it is."""

        def forward(self, clips):
            n, _, t = clips.shape[:3]
            numbers = torch.arange(n * 2 * (t - 1), dtype=torch.float)
            flow = numbers.view(n, -1, 1, 1) / 20
            return [flow.expand(-1, -1, 16, 16)]

    model.backbone = Counter()
    data = batch(3, count=2, clips=2)
    samples = model.val_step(data)
    found = torch.stack([s.pred_flow for s in samples])
    assert found.shape == (2, 4, 2, 32, 32)
    torch.testing.assert_close(found[..., 3, 5].flatten(), torch.arange(16.0))


def test_prediction_without_data_samples():
    (sample,) = make(2)(torch.zeros(1, 1, 3, 2, 16, 16), mode="predict")
    assert sample.pred_flow.shape == (1, 2, 16, 16)


def test_loss_is_logged_by_parts():
    model = make()
    data = model.data_preprocessor(batch(3, clips=2), True)
    losses = model(**data, mode="loss")
    names = {
        f"{p}_{s}" for p in ("photometric", "smoothness", "ssim") for s in (2, 4, 8)
    }
    assert set(losses) == names | {"loss_motion"}
    total, logged = model.parse_losses(losses)
    torch.testing.assert_close(total, losses["loss_motion"])
    assert names < set(logged)


def train(backend, steps=50):
    """The losses of training on one batch."""
    model = make(2, dict(type="UnsupervisedFlowLoss", backend=backend))
    # So small that rounding errors do not grow: with 1e-4, a change of the weights by
    # 1e-13 changes the loss by 0.1 after 12 steps, whatever computes it.
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-6)
    data = model.data_preprocessor(batch(2, size=16), True)
    curve = []
    for _ in range(steps):
        loss = model(**data, mode="loss")["loss_motion"]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        curve.append(loss.item())
    return torch.tensor(curve)


def test_fused_losses_train_as_the_reference_does():
    fused, reference = train("auto"), train("reference")
    torch.testing.assert_close(fused, reference, rtol=1e-3, atol=0)
    torch.testing.assert_close(fused[:3], reference[:3], rtol=1e-5, atol=0)
    assert reference[-1] < 0.85 * reference[0]


def test_it_is_registered_and_rejects_what_does_not_fit():
    assert MODELS.get("MotionEstimator") is MotionEstimator
    model = make(2)
    assert len(model(torch.zeros(1, 2, 3, 2, 16, 16))) == 3
    with pytest.raises(ValueError, match="mode='losses'"):
        model(torch.zeros(1, 1, 3, 2, 16, 16), mode="losses")
    with pytest.raises(ValueError, match="FormatShape"):
        model(torch.zeros(1, 3, 2, 16, 16))
