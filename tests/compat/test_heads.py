"""Heads take scores of bfloat16."""

import numpy as np
import pytest
import torch


@pytest.fixture
def head():
    from mmaction.models import TSNHead

    return TSNHead(num_classes=3, in_channels=4, topk=(1,), average_clips="prob")


@pytest.fixture
def samples():
    from mmaction.structures import ActionDataSample

    return [ActionDataSample().set_gt_label(i) for i in range(2)]


def test_heads_take_bfloat16_scores(head, samples):
    scores = torch.tensor([[2.0, 1, 0], [0, 1, 2]], dtype=torch.bfloat16)
    scores.requires_grad_()
    with pytest.raises(TypeError, match="BFloat16"):
        type(head).loss_by_feat.__wrapped__(head, scores, samples)
    losses = head.loss_by_feat(scores, samples)
    assert losses["loss_cls"].dtype == torch.float32
    assert losses["top1_acc"] == 0.5
    losses["loss_cls"].backward()
    assert scores.grad.dtype == torch.bfloat16 and scores.grad.abs().sum() > 0


def test_heads_predict_from_bfloat16_scores(head, samples):
    scores = torch.tensor([[2.0, 1, 0], [0, 1, 2]], dtype=torch.bfloat16)
    predictions = head.predict_by_feat(scores, samples)
    assert predictions[0].pred_score.numpy().dtype == np.float32
    assert [int(p.pred_label) for p in predictions] == [0, 2]


def test_heads_leave_other_precisions_alone(head, samples):
    scores = torch.rand(2, 3, dtype=torch.float64)
    assert head.predict_by_feat(scores, samples)[0].pred_score.dtype == torch.float64
