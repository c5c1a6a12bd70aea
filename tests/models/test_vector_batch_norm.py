import pytest
import torch
from torch import nn

from flowzoo.models.heads.vlad_heads import NetVLADHead, NeXtVLADHead
from flowzoo.models.layers.vector_batch_norm import VectorBatchNorm


def test_more_than_one_vector_is_batch_norm():
    ours, theirs = VectorBatchNorm(4), nn.BatchNorm1d(4)
    x = torch.randn(3, 4)
    assert torch.equal(ours(x), theirs(x))
    assert torch.equal(ours.running_var, theirs.running_var)
    assert torch.equal(ours.eval()(x), theirs.eval()(x))


def test_one_vector_is_normalized_as_in_evaluation():
    norm = VectorBatchNorm(4)
    for _ in range(3):
        norm(torch.randn(5, 4) + 2)
    before = {k: v.clone() for k, v in norm.state_dict().items()}
    x = torch.randn(1, 4, requires_grad=True)
    with pytest.raises(ValueError, match="more than 1 value"):
        nn.BatchNorm1d(4)(x)
    with pytest.warns(UserWarning, match="batch_size"):
        out = norm(x)
    out.sum().backward()
    assert torch.all(x.grad != 0)
    for name, value in norm.state_dict().items():
        assert torch.equal(value, before[name]), name
    assert torch.equal(out, norm.eval()(x))


@pytest.mark.filterwarnings("ignore:batch norm over a batch of one")
@pytest.mark.parametrize("frames", [1, 5])
@pytest.mark.parametrize("kind", [NetVLADHead, NeXtVLADHead])
def test_heads_train_on_one_video(kind, frames):
    head = kind(num_classes=3, in_channels=8, num_clusters=4, hidden_channels=8)
    head.train()
    logits = head.logits(torch.randn(1, frames, 8), None)
    logits.sum().backward()
    assert logits.shape == (1, 3) and torch.isfinite(logits).all()
