from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class FlowToImage(nn.Module):
    """Turn predicted flow into the image that a temporal stream takes.

    Zhu et al., "Hidden Two-Stream Convolutional Networks for Action Recognition",
    section 3.3, with the constants of the released networks: flow in pixels is clipped
    to [-20, 20], moved to [0, 255], enlarged to twice its size and centered at 128.
    That is what flow stored as JPEG files looks like to a network, so that temporal
    streams trained on such files can be stacked on a motion estimator.
    Differentiable; clipped flow has no gradient.

    Enlarging is the transposed convolution of the released networks (4x4 bilinear
    weights, stride 2, padding 1). Inside, that is bilinear interpolation; at the
    borders, values in [0, 255] are averaged with zeros outside.

    Args:
        pixels_per_unit: pixels of one unit of predicted flow.
        bound: flow of so many pixels or more becomes 0 or 255.
        quantize: round to whole numbers, as JPEG files do; the gradient passes through
            as if it did not.
        mean, std: the result is (image - mean) / std. The released networks take 128
            and 1; networks with batch normalization that were trained by mmaction2 take
            128 and 128.
    """

    def __init__(
        self,
        pixels_per_unit: float = 20.0,
        bound: float = 20.0,
        quantize: bool = False,
        mean: float = 128.0,
        std: float = 1.0,
    ) -> None:
        super().__init__()
        for name, value in (("bound", bound), ("std", std)):
            if not value > 0:
                raise ValueError(f"{name}={value}, but it must be positive")
        self.pixels_per_unit = pixels_per_unit
        self.bound = bound
        self.quantize = quantize
        self.mean = mean
        self.std = std

    def forward(self, flow: Tensor, enlarge: bool = True) -> Tensor:
        """Images (N, C, 2h, 2w) of flow (N, C, h, w), of the same dtype.

        Args:
            enlarge: False for flow that has the frames' size; images are (N, C, h, w).
        """
        pixels = flow.to(torch.promote_types(flow.dtype, torch.float32))
        pixels = (pixels * self.pixels_per_unit).clamp(-self.bound, self.bound)
        image = (pixels + self.bound) * (255 / (2 * self.bound))
        if self.quantize:
            image = image + (image.round() - image).detach()
        if enlarge:
            # the transposed convolution: interpolation, with zeros around the image
            image = F.interpolate(
                F.pad(image, (1, 1, 1, 1)), scale_factor=2, mode="bilinear"
            )[..., 2:-2, 2:-2]
        return ((image - self.mean) / self.std).to(flow.dtype)

    def extra_repr(self) -> str:
        return (
            f"pixels_per_unit={self.pixels_per_unit}, bound={self.bound}, "
            f"quantize={self.quantize}, mean={self.mean}, std={self.std}"
        )
