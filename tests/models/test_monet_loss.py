import pytest
import torch

from flowzoo.models.losses import HallucinationLoss


def test_by_hand():
    a = torch.tensor([[[1.0, 2.0], [0.0, 0.0]], [[1.0, 1.0], [9.0, 9.0]]])
    b = torch.tensor([[[0.0, 2.0], [0.0, 2.0]], [[1.0, 4.0], [0.0, 0.0]]])
    p = torch.tensor([[0.75, 0.25], [0.5, 0.5]])
    q = torch.tensor([[0.25, 0.75], [0.5, 0.5]])
    losses = HallucinationLoss(alpha=3)(a, b, p, q)
    assert losses["loss_mse"].item() == (1 + 4 + 9 + 2 * 81) / 8
    assert losses["loss_prob"].item() == 3 * (0.5 + 0.5) / 4
    mask = torch.tensor([[True, True], [True, False]])
    losses = HallucinationLoss()(a, b, p, q, mask)
    assert losses["loss_mse"].item() == pytest.approx((1 + 4 + 9) / 6)
    assert losses["loss_prob"].item() == 2.5


def test_shapes():
    p = torch.zeros(2, 3)
    with pytest.raises(ValueError, match=r"features differ.*\(2, 4, 3\) and \(2, 5, 3"):
        HallucinationLoss()(torch.zeros(2, 4, 3), torch.zeros(2, 5, 3), p, p)
