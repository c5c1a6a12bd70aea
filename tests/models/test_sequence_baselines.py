import pytest
import torch

from flowzoo.models.necks import SequenceConv, SequenceMLP, SequenceRNN
from flowzoo.models.necks.sequence_baselines import IndRNN

BASELINES = {
    "mlp": lambda: SequenceMLP(3, 4),
    "conv": lambda: SequenceConv(3, 4),
    "gru": lambda: SequenceRNN(3, 4),
    "lstm": lambda: SequenceRNN(3, 4, cell="lstm"),
    "bigru": lambda: SequenceRNN(3, 4, bidirectional=True),
    "bilstm": lambda: SequenceRNN(3, 4, cell="lstm", bidirectional=True),
    "indrnn": lambda: SequenceRNN(3, 4, cell="indrnn"),
    "gru-2layer": lambda: SequenceRNN(3, 4, num_layers=2, hidden_channels=5),
    "lstm-2layer": lambda: SequenceRNN(3, 4, cell="lstm", num_layers=2),
}
# how many steps of x before and after t reach s_t (of 9)
REACH = dict.fromkeys(BASELINES, (9, 0))
REACH |= {"mlp": (0, 0), "conv": (2, 2), "bigru": (9, 9), "bilstm": (9, 9)}


@pytest.fixture(params=BASELINES)
def name(request):
    torch.manual_seed(0)
    return request.param


def test_what_reaches_a_step(name):
    net = BASELINES[name]().double()
    if name == "indrnn":  # off the flat side of the ReLU
        torch.nn.init.constant_(net.rnn.inputs[0].bias, 2)
    x = torch.rand(1, 9, 3, dtype=torch.float64, requires_grad=True)
    s = net(x)
    assert s.shape == (1, 9, 4)
    (grad,) = torch.autograd.grad(s[0, 4].sum(), x)
    reached = (grad[0] != 0).any(1).tolist()
    before, after = REACH[name]
    assert reached == [-before <= t - 4 <= after for t in range(9)]


def test_padding_changes_nothing(name):
    net = BASELINES[name]().double()
    x = torch.rand(2, 6, 3, dtype=torch.float64)
    mask = torch.ones(2, 6, dtype=torch.bool)
    mask[0, 4:] = False
    x[0, 4:] = torch.nan
    s = net(x, mask)
    torch.testing.assert_close(s[:1, :4], net(x[:1, :4]))
    torch.testing.assert_close(s[1:], net(x[1:]))
    assert (s[0, 4:] == 0).all()


def test_all_parameters_learn(name):
    net = BASELINES[name]()
    net(torch.rand(2, 5, 3)).sum().backward()
    assert all(p.grad.abs().sum() > 0 for p in net.parameters())


def test_indrnn_by_hand():
    net = IndRNN(2, 2, 1)
    with torch.no_grad():
        net.inputs[0].weight[:] = torch.tensor([[1.0, 0.0], [0.0, -1.0]])
        net.inputs[0].bias[:] = torch.tensor([0.0, 3.0])
        net.recurrent[:] = torch.tensor([[0.5, 2.0]])
    x = torch.tensor([[[1.0, 1.0], [2.0, 4.0], [-9.0, 20.0]]])
    hidden, last = net(x)
    # channel 0: 1, 2 + 0.5, relu(-9 + ..); channel 1: 2, -1 + 4, relu(-17 + 6)
    assert hidden.tolist() == [[[1.0, 2.0], [2.5, 3.0], [0.0, 0.0]]]
    assert last.tolist() == [[[0.0, 0.0]]]


def test_errors():
    with pytest.raises(ValueError, match="'gru', 'lstm', 'indrnn'"):
        SequenceRNN(3, cell="rnn")
    with pytest.raises(ValueError, match="no bidirectional 'indrnn'"):
        SequenceRNN(3, cell="indrnn", bidirectional=True)
    with pytest.raises(ValueError, match="odd, got 4"):
        SequenceConv(3, kernel_size=4)
    with pytest.raises(ValueError, match="SequenceRNN takes features"):
        SequenceRNN(3)(torch.rand(3, 5, 2))
