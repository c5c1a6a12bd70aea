"""TVNet against TV-L1 flow, its gradients and its energy."""

import pytest
import torch

from flowzoo_kernels import TVNet, backward_warp, tvl1_energy, tvl1_flow
from flowzoo_kernels.tvl1_flow.tvnet import GROUPS


def moving(motion, frames=2, size=(40, 48)):
    """(1, 1, T, H, W), smooth, moving by ``motion`` (x, y) pixels a frame."""
    y = torch.arange(float(size[0])).view(-1, 1)
    x = torch.arange(float(size[1]))

    def image(dx, dy):
        return 120 + 50 * torch.sin((x - dx) / 4) + 50 * torch.cos((y - dy) / 5)

    clip = [image(t * motion[0], t * motion[1]) for t in range(frames)]
    return torch.stack(clip).view(1, 1, frames, *size)


@pytest.mark.parametrize(
    ("motion", "options"),
    [((0.6, -0.4), dict(warps=2)), ((3.0, -2.0), dict(warps=4, scales=2))],
)
def test_finds_a_motion(motion, options):
    flow = TVNet(n_iters=40, **options)(moving(motion))
    center = flow[0, :, 0, 10:-10, 10:-10].flatten(1)
    expected = torch.tensor(motion)
    assert (center.mean(1) - expected).abs().max() < 0.1 * expected.abs().max()


def test_large_motions_need_scales():
    motion = torch.tensor([8.0, 5.0])
    clip = moving(motion.tolist(), size=(64, 72))
    errors = []
    for scales in (1, 3):
        flow = TVNet(n_iters=40, warps=4, scales=scales)(clip)
        difference = flow[0, :, 0, 12:-12, 12:-12] - motion.view(2, 1, 1)
        errors.append(difference.norm(dim=0).mean())
    assert errors[0] > 2 and errors[1] < 0.1


def test_before_training_it_is_tvl1_flow():
    """Up to its smoothing, its borders and the scaling of the frames."""
    clip = moving((0.8, 0.5), frames=3)
    flow = TVNet(n_iters=60, warps=3)(clip)
    options = dict(scales=1, warps=3, epsilon=0, inner_iterations=60, median=1)
    other = tvl1_flow(
        clip,
        "cuda",
        data_range=255.0,
        outer_iterations=1,
        **options,
    )
    difference = (flow - other)[..., 8:-8, 8:-8]
    assert difference.abs().mean() < 0.05


def test_pairs_are_independent():
    clip = moving((0.7, 0.2), frames=4)
    net = TVNet(n_iters=5)
    together = net(clip)
    for t in range(3):
        torch.testing.assert_close(
            together[:, :, t : t + 1], net(clip[:, :, t : t + 2])
        )


@pytest.mark.parametrize("options", [{}, {"scales": 2, "warps": 2}])
def test_gradients(options):
    """Each group along a random direction, by central differences.

    The step is tiny because thresholds and the warp have kinks.
    """
    torch.manual_seed(0)
    size = (16, 17) if options else (32, 34)
    net = TVNet(n_iters=3, initial_size=size, **options).double()
    with torch.no_grad():
        net.initial_flow.uniform_(0.1, 0.4)
    clip = moving((0.6, -0.4), size=(32, 34)).double()
    clip += 5 * torch.rand(clip.shape).double()
    weights = torch.randn(net(clip).shape).double()

    def function(parameters):
        return (weights * torch.func.functional_call(net, parameters, (clip,))).sum()

    parameters = dict(net.named_parameters())
    found = dict(
        zip(
            parameters,
            torch.autograd.grad(function(parameters), parameters.values()),
            strict=True,
        )
    )
    assert set(found) == set(GROUPS)
    step = 1e-8
    for name, gradient in found.items():
        direction = torch.randn_like(gradient)
        values = [
            function(parameters | {name: parameters[name].detach() + s * direction})
            for s in (step, -step)
        ]
        expected = (values[0] - values[1]).detach() / (2 * step)
        torch.testing.assert_close(
            (gradient * direction).sum(), expected, rtol=1e-4, atol=1e-4
        )


def test_parameters():
    net = TVNet(n_iters=50)
    # image 2 x 3, flow and divergence 2 x 2 each, three numbers
    assert sum(p.numel() for p in net.parameters()) == 6 + 4 + 4 + 3
    net = TVNet(n_iters=50, warps=2, scales=3, initial_size=(7, 9))
    assert sum(p.numel() for p in net.parameters()) == 3 * 6 + 6 * 11 + 2 * 63
    net = TVNet(learn=("tau",))
    assert [n for n, p in net.named_parameters() if p.requires_grad] == ["tau"]


def test_initial_flow_serves_other_sizes():
    net = TVNet(n_iters=1, initial_size=(20, 24))
    clip = torch.full((1, 3, 2, 40, 48), 7.0)  # without gradient flow stays
    with torch.no_grad():
        net.initial_flow[:, 0] = 1.5
    flow = net(clip)
    assert flow.shape == (1, 2, 1, 40, 48)
    torch.testing.assert_close(flow[:, 0], torch.full((1, 1, 40, 48), 1.5))


def test_energy_is_smallest_near_the_motion():
    clip = moving((1.0, 0.0))
    flow = torch.zeros(1, 2, 1, 40, 48)
    energies = []
    for u in (0.0, 0.5, 1.0, 1.5):
        flow[:, 0] = u
        energies.append(tvl1_energy(clip, flow).item())
    assert min(energies) == energies[2]
    warped = backward_warp(clip[:, :, 1], flow[:, :, 0], "border")
    expected = 0.15 * (warped - clip[:, :, 0]).abs().mean()
    torch.testing.assert_close(tvl1_energy(clip, flow), expected)
    flow[0, 1, 0, 3, 4] = 1  # differs from four neighbors
    rough = (
        tvl1_energy(clip, flow)
        - 0.15
        * (backward_warp(clip[:, :, 1], flow[:, :, 0], "border") - clip[:, :, 0])
        .abs()
        .mean()
    )
    torch.testing.assert_close(rough, torch.tensor(4 / (40 * 48)))


def test_training_lowers_the_energy():
    torch.manual_seed(0)
    clip = moving((0.9, -0.5))
    net = TVNet(n_iters=5, initial_size=(40, 48))
    optimizer = torch.optim.Adam(net.parameters(), lr=0.003)
    energies = []
    for _ in range(25):
        optimizer.zero_grad()
        energy = tvl1_energy(clip, net(clip))
        energy.backward()
        optimizer.step()
        energies.append(energy.item())
    assert energies[-1] < 0.9 * energies[0]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(n_iters=0), "n_iters=0"),
        (dict(scale_step=1.0), "scale_step=1.0"),
        (dict(learn="tau"), "is a string"),
        (dict(learn=["taus"]), "learn group='taus'"),
        (dict(initial_size=5), "initial_size=5, but height and width"),
        (dict(initial_size=(0, 5)), "initial_size=0"),
    ],
)
def test_bad_arguments(options, message):
    with pytest.raises(ValueError, match=message):
        TVNet(**options)
    with pytest.raises(ValueError, match="T >= 2"):
        TVNet()(torch.zeros(1, 3, 1, 20, 20))


def test_frames_that_are_none():
    with pytest.raises(ValueError, match="no pixels"):
        TVNet()(torch.zeros(1, 3, 2, 0, 20))
    with pytest.raises(TypeError, match="frames is a ndarray"):
        TVNet()(torch.zeros(1, 3, 2, 20, 20).numpy())


def test_no_clips():
    assert TVNet()(torch.zeros(0, 3, 4, 20, 20)).shape == (0, 2, 3, 20, 20)
