from __future__ import annotations

from mmaction.registry import MODELS
from mmcv.cnn.vgg import make_vgg_layer
from mmengine.model import BaseModule, Sequential
from torch import Tensor, nn

from ..layers.cross_modality import load_first_conv

_STAGES = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))
_SIDE = 7  # of the maps that the first fully connected layer sees


@MODELS.register_module()
class VGGClassifier(Sequential):
    """VGG-16's fully connected layers fc6 and fc7, on feature maps.

    Args:
        in_channels: of the maps.
        fc_channels: of the two layers.
        dropout_ratio: between them.
        init_cfg: normal initialization unless given.
    """

    def __init__(
        self,
        in_channels: int = 512,
        fc_channels: int = 4096,
        dropout_ratio: float = 0.9,
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        super().__init__(
            nn.Linear(in_channels * _SIDE**2, fc_channels),
            nn.ReLU(inplace=True),
            nn.Dropout(dropout_ratio),
            nn.Linear(fc_channels, fc_channels),
            nn.ReLU(inplace=True),
            init_cfg=init_cfg or dict(type="Normal", layer="Linear", std=0.01),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Features (N, fc_channels, 1, 1) of maps (N, in_channels, H, W).

        Maps that are not 7 x 7 are averaged to that size.
        """
        x = nn.functional.adaptive_avg_pool2d(x, _SIDE).flatten(1)
        return super().forward(x)[..., None, None]


@MODELS.register_module()
class VGG16(BaseModule):
    """VGG-16 up to its last hidden layer, the network of the two-stream papers.

    With a head's dropout and linear layer behind it, it is VGG-16; the parameters have
    torchvision's names.

    Args:
        in_channels: 3 for images, 20 for a stack of ten flows.
        fc_channels: of the two fully connected layers.
        dropout_ratio: between them.
        pretrained: checkpoint with torchvision's names, such as
            ``torchvision://vgg16``. With other ``in_channels`` than 3, the first layer
            is the mean over the colors (cross-modality initialization).
        init_cfg: Kaiming (convolutions) and normal initialization unless given.
    """

    def __init__(
        self,
        in_channels: int = 3,
        fc_channels: int = 4096,
        dropout_ratio: float = 0.9,
        pretrained: str | None = None,
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        if pretrained:
            init_cfg = dict(type="Pretrained", checkpoint=pretrained)
        super().__init__(init_cfg or dict(type="Kaiming", layer="Conv2d"))
        self.pretrained = pretrained
        self.in_channels = in_channels
        layers, channels = [], in_channels
        for width, count in _STAGES:
            layers += make_vgg_layer(channels, width, count)
            channels = width
        self.features = nn.Sequential(*layers)
        self.classifier = VGGClassifier(channels, fc_channels, dropout_ratio)

    def init_weights(self) -> None:
        if self.is_init:
            return
        super().init_weights()
        if self.pretrained and self.in_channels != 3:
            load_first_conv(self, self.pretrained)

    def forward(self, x: Tensor) -> Tensor:
        """Features (N, fc_channels, 1, 1) of images (N, in_channels, H, W).

        The fully connected layers of published weights are for 224 x 224 pixels.
        """
        return self.classifier(self.features(x))
