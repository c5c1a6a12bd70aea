"""How the GPU's programs share the maps out: whole maps, or windows with a halo."""

import pytest

pytest.importorskip("triton")

from flowzoo_kernels.repflow.gpu import tiling


def test_whole_maps_fit():
    for h, w in ((1, 1), (7, 7), (14, 14), (16, 9), (28, 28), (56, 56), (64, 64)):
        for pairs in (1, 3, 10_000):
            shape = tiling.fit_whole_maps(h, w, pairs, tiling.FORWARD)
            lanes, strips = -(-w // shape.COLS), -(-h // shape.ROWS)
            if shape.TALL:
                room = shape.GROUPS // strips * (32 // lanes)
            else:
                room = shape.GROUPS * (32 // lanes // strips)
            assert shape.maps <= min(room, pairs)
            assert (h % shape.ROWS == 0 and w % shape.COLS == 0) == shape.EXACT
            assert tiling.FORWARD.pixels >= shape.ROWS * shape.COLS
    assert tiling.fit_whole_maps(65, 65, 1, tiling.FORWARD) is None


@pytest.mark.parametrize("paper", [False, True])
@pytest.mark.parametrize("kind", ["FORWARD", "BACKWARD"])
@pytest.mark.parametrize("size", [(65, 65), (112, 112), (1080, 1920), (3, 500)])
def test_windows_cover_maps(size, kind, paper):
    window = getattr(tiling, f"{kind}_WINDOW")
    cost = getattr(tiling, f"{kind}_COST")[paper]
    plan = tiling.plan_windows(*size, 480, 20, window, cost)
    shared = plan.before + plan.after
    for pixels, windows, length in (
        (size[0], plan.down, window.GROUPS * window.ROWS),
        (size[1], plan.across, tiling.LANES * window.COLS),
    ):
        assert (windows - 1) * (length - shared) + length >= pixels
