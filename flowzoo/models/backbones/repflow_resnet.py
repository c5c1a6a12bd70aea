from mmaction.models.backbones.resnet import ResNet, make_res_layer
from mmaction.registry import MODELS
from mmcv.cnn import ConvModule
from torch import Tensor

from ..layers import RepFlowBlock

# The paper counts conv1 + max-pooling as block 1, so that its best place, "after
# block 3", is layer2 here (512 channels in a ResNet-50, as in the released network).
POSITIONS = ("input", "conv1", "stem", "layer1", "layer2", "layer3", "layer4")


@MODELS.register_module()
class RepFlowResNet(ResNet):
    """2D ResNet over the frames of a clip with a representation-flow layer inside.

    The stages before the layer see T frames, those after it the T-1 flows between
    them (paper: Representation Flow for Action Recognition, figure 1).

    Args:
        depth: 18, 34, 50, 101 or 152.
        flow_after: where the layer stands: 'input', 'conv1', 'stem' (after the
            max-pooling, the paper's block 1), 'layer1', 'layer2' (its best, block 3),
            'layer3' or 'layer4'.
        flow_cfg: arguments of :class:`flowzoo.models.layers.RepFlowBlock`.
        base_channels: channels of the stem; 64 is the published ResNet.
        **kwargs: of mmaction2's ``ResNet``. Pretrained 2D weights come in by
            ``pretrained='torchvision://resnet50'``, by a path to a file with
            torchvision's names, or by ``init_cfg=dict(type='Pretrained', ...)``.
    """

    def __init__(
        self,
        depth: int,
        flow_after: str = "layer2",
        flow_cfg: dict | None = None,
        base_channels: int = 64,
        **kwargs,
    ) -> None:
        super().__init__(depth, **kwargs)
        if base_channels != 64:
            self._set_width(base_channels)
        if flow_after not in POSITIONS[: 3 + self.num_stages]:
            raise ValueError(
                f"flow_after={flow_after!r} is not in this network; choose one of "
                f"{POSITIONS[: 3 + self.num_stages]}"
            )
        self.flow_after = flow_after
        self.flow_block = RepFlowBlock(
            self._channels_after(flow_after, base_channels), **(flow_cfg or {})
        )

    def _set_width(self, base_channels: int) -> None:
        """Build stem and stages again: mmaction2's ResNet is always 64 wide."""
        self.conv1 = ConvModule(
            self.in_channels,
            base_channels,
            7,
            stride=2,
            padding=3,
            bias=False,
            conv_cfg=self.conv_cfg,
            norm_cfg=self.norm_cfg,
            act_cfg=self.act_cfg,
        )
        inplanes = base_channels
        for i, num_blocks in enumerate(self.stage_blocks):
            planes = base_channels * 2**i
            stage = make_res_layer(
                self.block,
                inplanes,
                planes,
                num_blocks,
                stride=self.strides[i],
                dilation=self.dilations[i],
                style=self.style,
                conv_cfg=self.conv_cfg,
                norm_cfg=self.norm_cfg,
                act_cfg=self.act_cfg,
                with_cp=self.with_cp,
            )
            inplanes = planes * self.block.expansion
            setattr(self, self.res_layers[i], stage)
        self.feat_dim = inplanes

    def _channels_after(self, position: str, base_channels: int) -> int:
        if position == "input":
            return self.in_channels
        if position in ("conv1", "stem"):
            return base_channels
        stage = self.res_layers.index(position)
        return base_channels * 2**stage * self.block.expansion

    def train(self, mode: bool = True) -> "RepFlowResNet":
        super().train(mode)  # mmaction2's returns None
        return self

    def init_weights(self) -> None:
        """Load pretrained 2D weights or initialise from scratch.

        torchvision's names differ from mmaction2's, so that mmengine's own
        ``Pretrained`` initialiser would find nothing to load and not say so.
        """
        cfg = self.init_cfg
        if isinstance(cfg, dict) and cfg.get("type") == "Pretrained":
            checkpoint = cfg["checkpoint"]
            if checkpoint.startswith("torchvision://"):
                self.pretrained = checkpoint
        super().init_weights()

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        """Compute the features of each flow.

        Args:
            x: clips, (N, 3, T, H, W) with T >= 2.

        Returns:
            (N, C, T-1, H/32, W/32), or a tuple of one tensor for each of
            ``out_indices``; stages before the flow layer give T frames.
        """
        if x.ndim != 5:
            raise ValueError(
                f"RepFlowResNet takes clips (N, C, T, H, W), got {tuple(x.shape)}; use "
                "FormatShape(input_format='NCTHW') with Recognizer3D"
            )
        frames = x.shape[2]
        if frames < 2:
            raise ValueError(
                "RepFlowResNet needs at least 2 frames to compute a flow, got 1; "
                "raise clip_len of SampleFrames"
            )
        x = x.transpose(1, 2).flatten(0, 1)  # (N*T, 3, H, W)
        x, frames = self._flow(x, frames, "input")
        x, frames = self._flow(self.conv1(x), frames, "conv1")
        x = self.maxpool(x)
        x, frames = self._flow(x, frames, "stem")
        outs = []
        for i, name in enumerate(self.res_layers):
            x = getattr(self, name)(x)
            x, frames = self._flow(x, frames, name)
            if i in self.out_indices:
                outs.append(x.unflatten(0, (-1, frames)).transpose(1, 2))
        return outs[0] if len(outs) == 1 else tuple(outs)

    def _flow(self, x: Tensor, frames: int, position: str) -> tuple[Tensor, int]:
        if position != self.flow_after:
            return x, frames
        return self.flow_block(x, frames), frames - 1
