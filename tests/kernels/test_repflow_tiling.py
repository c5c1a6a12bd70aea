"""How the GPU's programs share the maps out: whole maps, or tiles with a halo."""

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
            assert shape.maps_per_program <= min(room, pairs)
            assert (h % shape.ROWS == 0 and w % shape.COLS == 0) == shape.EXACT
            assert tiling.FORWARD.pixels >= shape.ROWS * shape.COLS
    assert tiling.fit_whole_maps(65, 65, 1, tiling.FORWARD) is None


@pytest.mark.parametrize("paper", [False, True])
@pytest.mark.parametrize("kind", ["FORWARD", "BACKWARD"])
@pytest.mark.parametrize("size", [(65, 65), (112, 112), (1080, 1920), (3, 500)])
def test_tiles_cover_maps(size, kind, paper):
    tile = getattr(tiling, f"{kind}_TILE")
    cost = getattr(tiling, f"{kind}_COST")[paper]
    plan = tiling.plan_tiling(*size, 480, 20, tile, cost, tiling.MOST_ITERATIONS)
    shared = plan.halo_before + plan.halo_after
    for pixels, tiles, length in (
        (size[0], plan.down, tile.GROUPS * tile.ROWS),
        (size[1], plan.across, tiling.LANES * tile.COLS),
    ):
        assert (tiles - 1) * (length - shared) + length >= pixels
