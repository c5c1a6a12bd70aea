"""The energy of Eq. 7 against NumPy, and its fall."""

import numpy as np
import pytest
import torch

from flowzoo.datasets.motionshapes.clip import render_clip
from flowzoo.visualization import energy_by_iteration, flow_energy
from flowzoo_kernels import RepresentationFlow
from flowzoo_kernels.modules import normalize_maps


def forward(u, axis):
    """Forward difference, 0 at the end."""
    out = np.zeros_like(u)
    ahead, here = np.moveaxis(out, axis, 0), np.moveaxis(u, axis, 0)
    ahead[:-1] = here[1:] - here[:-1]
    return out


def central(f1, f2, axis):
    """Half the central difference of f2; half the one-sided one of f1 at the ends."""
    out = np.zeros_like(f2)
    o, a, b = (np.moveaxis(m, axis, 0) for m in (out, f1, f2))
    o[1:-1] = (b[2:] - b[:-2]) / 2
    o[0], o[-1] = (a[1] - a[0]) / 2, (a[-1] - a[-2]) / 2
    return out


def energy_of_one_pair(f1, f2, u1, u2, lam):
    rho = f2 - f1 + central(f1, f2, 1) * u1 + central(f1, f2, 0) * u2
    smoothness = sum(np.sqrt(forward(u, 1) ** 2 + forward(u, 0) ** 2) for u in (u1, u2))
    return (smoothness + lam * np.abs(rho)).mean()


def test_is_numpys():
    layer = RepresentationFlow(2, variant="tvl1").double().requires_grad_(False)
    x = torch.rand(2, 2, 3, 5, 7, dtype=torch.float64)
    flow = torch.randn(2, 4, 2, 5, 7, dtype=torch.float64)
    energy = flow_energy(x, flow, layer.image_kernel, layer.flow_kernel, 0.4, "tvl1")
    assert energy.shape == (2, 2, 2)
    for n, c, t in np.ndindex(energy.shape):
        f1, f2 = x[n, c, t : t + 2].numpy()
        u1, u2 = flow[n, [c, 2 + c], t].numpy()
        expected = energy_of_one_pair(f1, f2, u1, u2, 0.4)
        assert energy[n, c, t].item() == pytest.approx(expected, rel=1e-12)


def motionshapes(label):
    frames = torch.from_numpy(render_clip(label, (0, 2, label), 3, 64).frames)
    return frames.float().mean(-1)[None, None]


@pytest.mark.parametrize("label", range(8))
def test_falls(label):
    """From the second iteration on: in the first one there is nothing to smooth yet."""
    x = motionshapes(label)
    layer = RepresentationFlow(1, variant="tvl1", normalize=None)
    energies, flow = energy_by_iteration(layer, x, n_iters=20)
    assert energies.shape == (21, 1, 1, 2)
    energy = energies.mean((1, 2, 3))
    assert (energy[3:] < energy[2:-1]).all()
    assert energy[20] == energy.min() and energy[20] < 0.9 * energy[0]
    layer.n_iters = 20
    torch.testing.assert_close(flow, layer(x))


def test_uses_the_layers_parameters():
    x = motionshapes(0)
    layer = RepresentationFlow(1, n_iters=7, variant="tvl1", normalize="legacy")
    torch.nn.init.constant_(layer.lam, -1.0)  # counts as 0.01, as it is learned
    energies, _ = energy_by_iteration(layer, x, n_iters=1)
    assert layer.n_iters == 7
    still = 0.01 * normalize_maps(x, "legacy").diff(dim=2).abs().mean((3, 4))
    torch.testing.assert_close(energies[0], still)
