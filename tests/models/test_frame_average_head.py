import pytest
import torch
from mmaction.structures import ActionDataSample

from flowzoo.models import FrameAverageHead


def samples(*labels):
    return [ActionDataSample().set_gt_label(label) for label in labels]


def test_scores_are_the_mean_of_the_steps():
    head = FrameAverageHead(5, 3).eval()
    x = torch.rand(2, 3, 4, 6, 7)
    steps = [head(x[:, :, t : t + 1]) for t in range(4)]
    torch.testing.assert_close(head(x), torch.stack(steps).mean(0))
    assert head(x).shape == (2, 5)


def test_dropout_differs_from_step_to_step():
    torch.manual_seed(0)
    head = FrameAverageHead(5, 64, dropout_ratio=0.5)
    seen = []
    head.fc_cls.register_forward_hook(lambda m, args, out: seen.append(args[0]))
    head(torch.ones(1, 64, 2, 1, 1))
    assert not torch.equal(seen[0][:, 0], seen[0][:, 1])


def test_loss_and_prediction_from_bfloat16():
    head = FrameAverageHead(5, 3, average_clips="prob").bfloat16()
    x = torch.rand(2, 3, 4, 6, 7).bfloat16()
    losses = head.loss(x, samples(1, 4))
    losses["loss_cls"].backward()
    assert head.fc_cls.weight.grad.abs().sum() > 0
    assert head(x).dtype == torch.float32
    scores = torch.stack([s.pred_score for s in head.predict(x, samples(1, 4))])
    torch.testing.assert_close(scores.sum(1), torch.ones(2))


def test_wrong_rank():
    with pytest.raises(ValueError, match="N, C, T, H, W"):
        FrameAverageHead(5, 3)(torch.rand(2, 3, 4))
