"""TinyMotionNet with plain PyTorch: learn flow from frames alone, without labels."""

import torch

from flowzoo.models import TinyMotionNet
from flowzoo_kernels import MotionLoss

net = TinyMotionNet(num_frames=11)
loss_of = MotionLoss(flow_scales=(10, 5, 2.5), ssim_weights=(0.01, 0.02, 0.04))
optimizer = torch.optim.Adam(net.parameters(), lr=1e-4)
for step in range(3):  # replace the random clips by yours: RGB, (N, 3, 11, H, W)
    clips = (torch.randint(256, (2, 3, 11, 64, 64)) - 115.0) / 255
    loss, parts = loss_of(clips, net(clips))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(step, loss.item(), {name: v.sum().item() for name, v in parts.items()})
flow = 20 * net(clips)[0].unflatten(1, (10, 2))  # (N, 10, 2, 32, 32), in pixels
