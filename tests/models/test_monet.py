"""MoNet against a transcription of its equations in NumPy, step by step."""

import numpy as np
import pytest
import torch
from torch import nn

from flowzoo.models.necks import MoNet


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def softmax3(a, b, c):
    exps = [np.exp(value) for value in (a, b, c)]
    return [value / sum(exps) for value in exps]


def paper_transcription(p, x, num_layers, activation):
    """Eqs. 6 to 12 for one sequence, with matrices named as in the paper.

    Args:
        p: dict of W_rf, W_rb, W_zf, W_zb, W_h (D, D_in), their biases b_rf, ...,
            U_rf, U_rb, U_zf, U_zb (D, D) and U_h (D, 2 D).
        x: (T, D_in).
    """
    T, D = len(x), len(p["W_h"])
    s = np.zeros((T + 2, D))  # s[t + 1] is the state of step t, with both ends
    for _ in range(num_layers):
        new = np.zeros_like(s)
        for t in range(T):
            before, after = s[t], s[t + 2]
            r_f = sigmoid(p["W_rf"] @ x[t] + p["b_rf"] + p["U_rf"] @ before)
            r_b = sigmoid(p["W_rb"] @ x[t] + p["b_rb"] + p["U_rb"] @ after)
            z_f = sigmoid(p["W_zf"] @ x[t] + p["b_zf"] + p["U_zf"] @ before)
            z_b = sigmoid(p["W_zb"] @ x[t] + p["b_zb"] + p["U_zb"] @ after)
            both = np.concatenate([after * r_b, before * r_f])
            h = activation(p["W_h"] @ x[t] + p["b_h"] + p["U_h"] @ both)
            z, z_b, z_f = softmax3(np.ones(D), z_b, z_f)
            new[t + 1] = z * h + z_b * after + z_f * before
        s = new
    return s[1:-1]


def released_transcription(p, x, num_layers, activation):
    """The authors' network for one sequence; W and b of x, C and c of s."""
    T, D = len(x), len(p["W_h"])
    s = np.zeros((T + 2, D))
    for _ in range(num_layers):
        new = np.zeros_like(s)
        for t in range(T):
            before, now, after = s[t], s[t + 1], s[t + 2]

            def gate(name, t=t, before=before, now=now, after=after):
                C = p[f"C_{name}"]  # (D, D, 3): for t-1, t, t+1
                of_s = C[..., 0] @ before + C[..., 1] @ now + C[..., 2] @ after
                of_x = p[f"W_{name}"] @ x[t] + p[f"b_{name}"]
                return of_x + of_s + p[f"c_{name}"]

            z, z_b, z_f = softmax3(gate("z"), gate("zb"), gate("zf"))
            h = p["W_h"] @ x[t] + p["b_h"]
            h = h + p["U_f"] @ (before * sigmoid(gate("rf"))) + p["d_f"]
            h = h + p["U_b"] @ (after * sigmoid(gate("rb"))) + p["d_b"]
            new[t + 1] = z * activation(h) + z_b * after + z_f * before
        s = new
    return s[1:-1]


def parameters(net):
    """The parameters of a MoNet under the transcriptions' names."""
    D = net.out_channels
    value = {n: q.detach().numpy() for n, q in net.named_parameters()}
    if net.variant == "paper":
        gates = ["rf", "zf", "rb", "zb", "h"]
        of_s = np.split(value["of_s.weight"], 4)
        p = {f"U_{g}": w for g, w in zip(gates[:4], of_s, strict=True)}
        p["U_h"] = value["of_reset.weight"]
    else:
        gates = ["z", "zb", "zf", "rb", "rf", "h"]
        of_s = np.split(value["of_s.weight"], 5)
        p = {f"C_{g}": w for g, w in zip(gates[:5], of_s, strict=True)}
        biases = np.split(value["of_s.bias"], 5)
        p |= {f"c_{g}": w for g, w in zip(gates[:5], biases, strict=True)}
        for side in "fb":
            p[f"U_{side}"] = value[f"of_reset_{side}.weight"]
            p[f"d_{side}"] = value[f"of_reset_{side}.bias"]
    for i, g in enumerate(gates):
        p[f"W_{g}"] = value["of_x.weight"][i * D : (i + 1) * D]
        p[f"b_{g}"] = value["of_x.bias"][i * D : (i + 1) * D]
    return p


def transcribed(net, x):
    function = paper_transcription
    if net.variant == "released":
        function = released_transcription
    activation = np.tanh if net.activation == "tanh" else lambda a: np.maximum(a, 0)
    p = parameters(net)
    return np.stack([function(p, row, net.num_layers, activation) for row in x.numpy()])


def random_net(seed=0, **kwargs):
    """Weights and biases large enough for every gate to matter."""
    torch.manual_seed(seed)
    net = MoNet(3, 2, **kwargs).double()
    for q in net.parameters():
        nn.init.normal_(q)
    return net


@pytest.mark.parametrize("num_layers", [1, 2, 5])
@pytest.mark.parametrize("activation", [None, "tanh", "relu"])
@pytest.mark.parametrize("variant", ["paper", "released"])
def test_equations(variant, activation, num_layers):
    net = random_net(variant=variant, activation=activation, num_layers=num_layers)
    x = torch.randn(4, 5, 3, dtype=torch.float64)
    np.testing.assert_allclose(net(x).detach(), transcribed(net, x), atol=1e-12)


def test_default_activations():
    assert MoNet(2, variant="paper").activation == "relu"
    assert MoNet(2, variant="released").activation == "tanh"
    assert MoNet(2).out_channels == 2


@pytest.mark.parametrize("variant", ["paper", "released"])
def test_gradients(variant):
    """Of x by gradcheck; of every parameter by differences of the transcription."""
    net = random_net(variant=variant, num_layers=3)
    x = torch.randn(2, 4, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(net, (x,))
    x = x.detach()
    weight = torch.randn(2, 4, 2, dtype=torch.float64)
    (net(x) * weight).sum().backward()

    def loss():
        return (transcribed(net, x) * weight.numpy()).sum()

    step = 1e-6
    rng = np.random.default_rng(0)
    for name, q in net.named_parameters():
        flat = q.data.view(-1)
        assert q.grad.abs().max() > 0, name
        for i in rng.choice(len(flat), min(6, len(flat)), replace=False):
            middle = flat[i].item()
            values = []
            for value in (middle + step, middle - step):
                flat[i] = value
                values.append(loss())
            flat[i] = middle
            slope = (values[0] - values[1]) / (2 * step)
            assert q.grad.view(-1)[i].item() == pytest.approx(slope, rel=1e-5, abs=1e-7)


@pytest.mark.parametrize("variant", ["paper", "released"])
def test_padding_changes_nothing(variant):
    net = random_net(variant=variant, num_layers=4)
    x = torch.randn(2, 6, 3, dtype=torch.float64)
    mask = torch.ones(2, 6, dtype=torch.bool)
    mask[0, 4:] = False
    x[0, 4:] = torch.nan  # whatever was left there
    s = net(x, mask)
    torch.testing.assert_close(s[:1, :4], net(x[:1, :4]))
    torch.testing.assert_close(s[1:], net(x[1:]))
    assert (s[0, 4:] == 0).all()


@pytest.mark.parametrize("variant", ["paper", "released"])
def test_a_layer_reaches_one_step_further(variant):
    """s_t of n layers sees x_{t-n+1} .. x_{t+n-1}, as in figure 2."""
    net = random_net(variant=variant, num_layers=3)
    x = torch.randn(1, 9, 3, dtype=torch.float64)
    changed = x.clone()
    changed[0, 4] += 1
    moved = (net(x) != net(changed)).any(2)[0]
    assert moved.tolist() == [abs(t - 4) <= 2 for t in range(9)]


def gru_transcription(p, x):
    """Eqs. 2 to 5 for one sequence."""
    s = np.zeros(len(p["W_h"]))
    states = []
    for x_t in x:
        r = sigmoid(p["W_rf"] @ x_t + p["U_r"] @ s)
        z = sigmoid(p["W_zf"] @ x_t + p["U_z"] @ s)
        h = np.tanh(p["W_h"] @ x_t + p["U_f"] @ (r * s))
        s = z * s + (1 - z) * h
        states.append(s)
    return np.stack(states)


def test_without_backward_connections_it_is_a_gru():
    """Section 3.2, relations with existing models: the path where layer i = step t.

    The released gates, softmax over (z, z_b, z_f), are the GRU's sigmoid where z is 0
    and the way back is shut. With the paper's, softmax over (1, sigmoid, sigmoid), no
    weights give the GRU's Eq. 5: they confine s_{t-1}'s share to between 1/(1 + 2e) and
    e/(2 + e).
    """
    T, D = 4, 2
    net = random_net(variant="released", num_layers=T)
    with torch.no_grad():
        net.of_s.weight[..., 1:] = 0  # of s_t and s_{t+1}
        net.of_x.bias[:] = 0
        for bias in (net.of_s.bias, net.of_reset_f.bias, net.of_reset_b.bias):
            bias[:] = 0
        net.of_x.weight[:D] = 0  # z
        net.of_s.weight[:D] = 0
        net.of_x.weight[D : 2 * D] = 0  # z_b: never
        net.of_s.weight[D : 2 * D] = 0
        net.of_x.bias[D : 2 * D] = -torch.inf
        net.of_reset_b.weight[:] = 0
    p = parameters(net)
    p["U_r"], p["U_z"] = p["C_rf"][..., 0], p["C_zf"][..., 0]
    x = torch.randn(1, T, 3, dtype=torch.float64)
    expected = gru_transcription(p, x[0].numpy())
    for step in range(T):
        net.num_layers = step + 1
        actual = net(x)[0, step].detach()
        np.testing.assert_allclose(actual, expected[step], atol=1e-12)


def test_layers_share_weights():
    sizes = {
        n: sum(q.numel() for q in MoNet(3, num_layers=n).parameters()) for n in (1, 5)
    }
    assert sizes[1] == sizes[5]


def test_errors():
    with pytest.raises(ValueError, match="'paper', 'released'"):
        MoNet(3, variant="authors")
    with pytest.raises(ValueError, match="'relu' or 'tanh'"):
        MoNet(3, activation="gelu")
    with pytest.raises(ValueError, match="at least 1, got 0"):
        MoNet(3, num_layers=0)
    net = MoNet(3)
    with pytest.raises(ValueError, match=r"MoNet takes features \(N, T, 3\)"):
        net(torch.zeros(2, 5, 4))
    with pytest.raises(ValueError, match=r"mask \(2, 5\) of bool"):
        net(torch.zeros(2, 5, 3), torch.ones(2, 5))
