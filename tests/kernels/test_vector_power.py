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


@pytest.mark.parametrize("exponent", [-20.0, -8.0, 8.0])
def test_error_grows_with_the_exponent(exponent):
    limit = 125 / abs(exponent)
    values = 2 ** np.random.default_rng(0).uniform(-limit, limit, 1 << 14)
    values = values.astype(np.float32)
    exact = values.astype(np.float64) ** exponent
    assert np.abs(power(values, exponent) / exact - 1).max() < (
        1e-7 * (1 + abs(exponent))
    )


def test_what_is_exact_or_nan():
    values = np.array([1, np.nan, 3, 4, 1e-30, 1e30, 2, 0.5], np.float32)
    assert (power(values, 0.0)[[0, 2, 3, 4, 5, 6, 7]] == 1).all()
    result = power(values, -0.7)
    assert result[0] == 1
    assert np.isnan(result).tolist() == np.isnan(values).tolist()


@pytest.mark.parametrize("exponent", [-9.0, 9.0])
def test_too_large_and_too_small_results(exponent):
    values = np.array([np.inf, 1e38, 1e30, 1e5, 1e-5, 1e-30, 1.2e-38, 1], np.float32)
    expected = np.array([np.inf] * 4 + [0] * 3 + [1], np.float32)
    if exponent < 0:
        expected[:7] = np.where(expected[:7] == 0, np.inf, 0)
    assert power(values, exponent).tolist() == expected.tolist()
