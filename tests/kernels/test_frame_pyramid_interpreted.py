"""The Triton kernels of normalized and reduced frames, interpreted on the CPU."""

import pytest
import torch
from helpers.frame_pyramid_cases import LRN, check_pyramid, make_frames

from flowzoo_kernels.frame_pyramid import frame_pyramid, op

# The interpreter takes some milliseconds for every row of a program: inputs are small.


@pytest.fixture(autouse=True)
def triton_on_the_cpu(monkeypatch):
    def resolve(backend, device, excluded):
        assert backend not in excluded
        return backend

    monkeypatch.setattr(op.checks, "resolve_backend", resolve)


@pytest.mark.parametrize(
    ("shape", "sizes"),
    [
        ((1, 3, 2, 13, 9), [(7, 5), (13, 9), (4, 3), (1, 1), (2, 9)]),
        ((1, 1, 1, 1, 1), [(1, 1)]),
        ((1, 4, 1, 1, 37), [(1, 5)]),
        ((1, 2, 1, 9, 1), [(8, 1), (2, 1), (1, 1)]),
    ],
    ids=str,
)
def test_shapes(shape, sizes):
    check_pyramid(make_frames(shape), sizes, "triton")


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_types(dtype):
    check_pyramid(make_frames((1, 3, 1, 6, 7), dtype), [(5, 3), (1, 4)], "triton")


def test_local_response_normalization():
    check_pyramid(make_frames((1, 2, 1, 6, 7)), [(5, 3)], "triton", LRN[1])


def test_strides_and_empty_batch():
    frames, sizes = make_frames((2, 3, 2, 5, 6)), [(4, 3), (2, 5)]
    expected = frame_pyramid(frames, sizes, backend="triton")
    strided = frames.transpose(1, 2).contiguous().mT.contiguous().mT.transpose(1, 2)
    result = frame_pyramid(strided, sizes, backend="triton")
    for got, want in zip(result, expected, strict=True):
        assert torch.equal(got, want)
    empty = frame_pyramid(frames[:0], sizes, backend="triton")
    assert empty[0].shape == (0, 6, 4, 3)
