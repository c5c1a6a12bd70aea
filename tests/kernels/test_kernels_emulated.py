"""Every Triton kernel on the emulator: results, memory, races, order.

``python tests/emulate_kernels.py`` runs many more cases.
"""

import pytest

pytest.importorskip("triton")

from helpers.emulated_cases import outcome, quick_cases


@pytest.mark.parametrize("seed", [None, 0], ids=["in order", "random order"])
@pytest.mark.parametrize("case", quick_cases(), ids=str)
def test_emulated(case, seed):
    found = outcome(case, seed)
    assert found["launches"] > 0
    assert not found["findings"]
    assert not [name for name, row in found["errors"].items() if row["wrong"]], found
