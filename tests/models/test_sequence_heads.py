import numpy as np
import pytest
import torch
from mmaction.models.heads.trn_head import RelationModuleMultiScale
from mmaction.structures import ActionDataSample

from flowzoo.models.heads import (
    LinearSequenceHead,
    NetVLADHead,
    NeXtVLADHead,
    TRNSequenceHead,
)

small = dict(num_clusters=3, hidden_channels=10)
HEADS = {
    "linear": lambda **k: LinearSequenceHead(5, 6, **k),
    "trn": lambda **k: TRNSequenceHead(
        5, 6, num_segments=4, relation_type="TRN", hidden_dim=7, **k
    ),
    "trn-multiscale": lambda **k: TRNSequenceHead(
        5, 6, num_segments=4, hidden_dim=7, **k
    ),
    "netvlad": lambda **k: NetVLADHead(5, 6, **small, **k),
    "nextvlad": lambda **k: NeXtVLADHead(5, 6, groups=4, **small, **k),
}


@pytest.fixture(params=HEADS)
def make(request):
    torch.manual_seed(0)
    return HEADS[request.param]


def padded(x, steps):
    """x of the first sequence ends after ``steps``; what follows is not a number."""
    mask = torch.ones(x.shape[:2], dtype=torch.bool)
    mask[0, steps:] = False
    return x.masked_fill(~mask[..., None], torch.nan), mask


def test_padding_changes_nothing(make):
    head = make().eval().double()
    x, mask = padded(torch.rand(2, 9, 6, dtype=torch.float64), 5)
    y = head(x, mask)
    assert y.shape == (2, 5) and y.dtype == torch.float32
    torch.testing.assert_close(y[:1], head(x[:1, :5]))
    torch.testing.assert_close(y[1:], head(x[1:]))


@pytest.mark.parametrize("name", ["netvlad", "nextvlad"])
def test_padding_does_not_reach_the_statistics(name):
    torch.manual_seed(0)
    head = HEADS[name](dropout_ratio=0)
    x, mask = padded(torch.rand(3, 9, 6), 5)
    head(x, mask)
    assert all(torch.isfinite(b).all() for b in head.buffers())
    norm = head.norm_assign
    steps = head.expand(x[mask]) if name == "nextvlad" else x[mask]
    expected = head.assign(steps).mean(0)
    torch.testing.assert_close(norm.running_mean, 0.1 * expected.detach())


def test_single_label(make):
    head = make()
    samples = [ActionDataSample().set_gt_label(label) for label in (1, 4)]
    losses = head.loss(torch.rand(2, 9, 6), samples)
    assert {"loss_cls", "top1_acc"} <= set(losses)
    losses["loss_cls"].backward()
    # TRN at random: some of its tuples
    assert sum(p.grad is not None for p in head.parameters()) >= 2
    head.eval().predict(torch.rand(2, 9, 6), samples)
    for sample in samples:
        assert sample.pred_score.sum().item() == pytest.approx(1)
        assert sample.pred_label.item() == sample.pred_score.argmax()


def test_several_labels(make):
    head = make(multi_class=True)
    x = torch.rand(2, 9, 6)
    labels = torch.tensor([[1.0, 0, 0, 1, 0], [0, 0, 0, 0, 0]])
    samples = [ActionDataSample().set_gt_label(label) for label in labels]
    torch.manual_seed(1)
    loss = head.loss(x, samples)["loss_cls"]
    torch.manual_seed(1)  # the same dropout
    score = head(x).sigmoid()
    expected = -(labels * score.log() + (1 - labels) * (1 - score).log()).mean()
    torch.testing.assert_close(loss, expected)
    head.eval().predict(x, samples)
    torch.testing.assert_close(samples[0].pred_score, head(x)[0].sigmoid())


def test_linear_by_hand():
    head = LinearSequenceHead(2, 2).eval()
    with torch.no_grad():
        head.fc_cls.weight[:] = torch.tensor([[1.0, 0.0], [0.0, 2.0]])
        head.fc_cls.bias[:] = torch.tensor([0.0, 0.5])
    x, mask = padded(torch.tensor([[[1.0, 1.0], [3.0, 2.0], [9.0, 9.0]]]), 2)
    assert head(x, mask).tolist() == [[2.0, 3.5]]


def test_trn_takes_evenly_spread_steps():
    head = TRNSequenceHead(5, 1, num_segments=3, hidden_dim=1, dropout_ratio=0)
    seen = []
    head.reduce.register_forward_hook(lambda m, args, out: seen.append(args[0]))
    x, mask = padded(torch.arange(9.0).expand(3, 9)[..., None], 2)
    mask[1, 6:] = False
    head(x, mask)
    assert seen[0][..., 0].tolist() == [[0, 1, 1], [1, 3, 5], [1, 4, 7]]


def test_trn_is_repeatable_in_testing_and_mmactions_in_sum():
    head = HEADS["trn-multiscale"]()
    x = torch.rand(2, 9, 6)
    torch.manual_seed(0)
    first, second = head(x), head(x)
    assert not torch.equal(first, second)
    head.eval()
    torch.testing.assert_close(head(x), head(x), rtol=0, atol=0)
    # with three segments every tuple is taken, at random or not
    head = TRNSequenceHead(5, 6, num_segments=3, hidden_dim=7, dropout_ratio=0).eval()
    theirs = RelationModuleMultiScale(7, 3, 5)
    theirs.load_state_dict(head.relations.state_dict())
    steps = torch.rand(2, 3, 7)
    torch.testing.assert_close(head.relations(steps), theirs(steps))


def unit(v):
    return v / np.linalg.norm(v)


def test_netvlad_encoding_by_definition():
    head = HEADS["netvlad"]().eval().double()
    torch.nn.init.normal_(head.norm_assign.running_mean)
    x = torch.rand(1, 4, 6, dtype=torch.float64)
    mask = torch.ones(1, 4, dtype=torch.bool)
    logits = head.assign(x[0]) - head.norm_assign.running_mean
    logits = (logits / np.sqrt(1 + head.norm_assign.eps)).detach().numpy()
    share = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    centers = head.centers.detach().numpy()
    rows = [
        unit(sum(share[t, k] * (x[0, t].numpy() - centers[k]) for t in range(4)))
        for k in range(3)
    ]
    expected = unit(np.concatenate(rows))
    np.testing.assert_allclose(head.encode(x, mask)[0].detach(), expected)


def test_nextvlad_encoding_by_definition():
    head = HEADS["nextvlad"]().eval().double()
    x = torch.rand(1, 4, 6, dtype=torch.float64)
    mask = torch.ones(1, 4, dtype=torch.bool)
    wide = head.expand(x[0]).detach()
    attention = head.attention(wide).sigmoid().detach().numpy()
    logits = head.norm_assign(head.assign(wide)).detach().numpy().reshape(4, 4, 3)
    share = np.exp(logits) / np.exp(logits).sum(2, keepdims=True)
    groups = wide.numpy().reshape(4, 4, 3)  # steps, groups, width
    centers = head.centers.detach().numpy()
    rows = []
    for k in range(3):
        row = 0
        for t in range(4):
            for g in range(4):
                weight = attention[t, g] * share[t, g, k]
                row = row + weight * (groups[t, g] - centers[k])
        rows.append(unit(row))
    expected = np.concatenate(rows) / np.sqrt(1 + head.norm_vlad.eps)
    np.testing.assert_allclose(head.encode(x, mask)[0].detach(), expected)


def test_order_matters_to_trn_only(make):
    head = make().eval().double()
    x = torch.rand(2, 8, 6, dtype=torch.float64)
    same = torch.allclose(head(x), head(x.flip(1)))
    assert same == (not isinstance(head, TRNSequenceHead))


def test_errors():
    with pytest.raises(ValueError, match="split into groups=5"):
        NeXtVLADHead(5, 6, groups=5)
    with pytest.raises(ValueError, match="'TRN', 'TRNMultiScale'"):
        TRNSequenceHead(5, 6, relation_type="trn")
    with pytest.raises(ValueError, match=r"LinearSequenceHead takes features"):
        LinearSequenceHead(5, 6)(torch.rand(2, 6))
