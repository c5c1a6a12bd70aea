"""A training step with the fused operators, captured in a CUDA graph and replayed."""

import pytest
import torch
from repflow_inputs import make_maps

from flowzoo_kernels import RepresentationFlow

SHAPE = (2, 4, 5, 14, 14)


def train(variant: str, steps: int, captured: bool) -> list[torch.Tensor]:
    """Parameters after some steps; each step's input is another."""
    layer = RepresentationFlow(4, variant=variant, n_iters=5).cuda()
    learned = [p for p in layer.parameters() if p.requires_grad]
    optimizer = torch.optim.SGD(learned, lr=0.1)
    x = torch.empty(SHAPE, device="cuda", requires_grad=True)

    def step() -> None:
        optimizer.zero_grad(set_to_none=True)
        layer(x).square().mean().backward()
        optimizer.step()

    run = step
    if captured:
        start = [p.detach().clone() for p in learned]
        with torch.no_grad():
            x.copy_(make_maps(SHAPE))
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            step()  # compiles
        torch.cuda.current_stream().wait_stream(stream)
        optimizer.zero_grad(set_to_none=True)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            step()
        with torch.no_grad():
            for parameter, value in zip(learned, start, strict=True):
                parameter.copy_(value)
        run = graph.replay
    for seed in range(steps):
        with torch.no_grad():
            x.copy_(make_maps(SHAPE, seed=seed))
        run()
    return [p.detach().clone() for p in learned]


@pytest.mark.parametrize("variant", ["paper", "tvl1"])
def test_replayed_steps_learn_as_others_do(variant):
    start, expected = (train(variant, n, captured=False) for n in (0, 3))
    assert not torch.equal(torch.stack(start[1:]), torch.stack(expected[1:]))
    for got, value in zip(train(variant, 3, captured=True), expected, strict=True):
        torch.testing.assert_close(got, value, rtol=1e-6, atol=0)
