"""A training step of representation flow as a CUDA graph: nothing waits for Python."""

import torch

from flowzoo_kernels import RepresentationFlow

torch.manual_seed(0)
layer = RepresentationFlow(channels=8, n_iters=10).cuda()
learned = [parameter for parameter in layer.parameters() if parameter.requires_grad]
optimizer = torch.optim.SGD(learned, lr=0.01)
maps = torch.rand(2, 8, 9, 14, 14, device="cuda")  # replaced before each step


def step() -> torch.Tensor:
    optimizer.zero_grad(set_to_none=True)
    loss = layer(maps).square().mean()
    loss.backward()
    optimizer.step()
    return loss.detach()


stream = torch.cuda.Stream()  # the first step, which compiles, is not captured
stream.wait_stream(torch.cuda.current_stream())
with torch.cuda.stream(stream):
    step()
torch.cuda.current_stream().wait_stream(stream)

graph = torch.cuda.CUDAGraph()
with torch.cuda.graph(graph):
    loss = step()
for number in range(3):
    maps.copy_(torch.rand(maps.shape))
    graph.replay()
    print(number, loss.item())
