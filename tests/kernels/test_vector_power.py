"""Powers of vectors against those of float64."""

import numpy as np
import pytest

numba = pytest.importorskip("numba")

from flowzoo_kernels._common.simd import LANES, vload, vsplat, vstore  # noqa: E402
from flowzoo_kernels._common.vector_power import vpow  # noqa: E402


@numba.njit
def powers(values, exponent, out):
    for i in range(0, len(values), LANES):
        vstore(out, i, vpow(vload(values, i), vsplat(exponent)))


def power(values, exponent):
    out = np.empty_like(values)
    powers(values, values.dtype.type(exponent), out)
    return out


@pytest.mark.parametrize("exponent", [-1.0, -0.7, -0.1, 0.45, 2.5])
def test_float32(exponent):
    values = 2 ** np.random.default_rng(0).uniform(-40, 40, 1 << 14)
    values = values.astype(np.float32)
    exact = values.astype(np.float64) ** np.float64(np.float32(exponent))
    assert np.abs(power(values, exponent) / exact - 1).max() < 2e-7


def test_what_is_exact_or_not_finite():
    values = np.array([1, np.nan, np.inf, 4, 1e-30, 1e30, 2, 0.5], np.float32)
    assert (power(values, 0.0)[[0, 3, 4, 5, 6, 7]] == 1).all()
    result = power(values, -0.7)
    assert result[0] == 1
    assert np.isnan(result[1])
    assert result[2] == np.inf  # as it was: the kernels want it to stay
