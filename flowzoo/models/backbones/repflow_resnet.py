from mmaction.models.backbones.resnet import ResNet, make_res_layer
from mmaction.registry import MODELS
from mmcv.cnn import ConvModule
from torch import Tensor, nn

from ..layers import per_frame
from .repflow_stages import RepFlowStages


@MODELS.register_module()
class RepFlowResNet(RepFlowStages, ResNet):
    """2D ResNet over the frames of a clip with a representation-flow layer inside.

    Paper: Representation Flow for Action Recognition, figure 1.

    Args:
        depth: 18, 34, 50, 101 or 152.
        flow_after: where the layer stands: 'input', 'conv1', 'stem' (after the
            max-pooling, the paper's block 1), 'layer1', 'layer2' (its best, block 3),
            'layer3' or 'layer4'. None: the same network without the layer.
        flow_cfg: arguments of :class:`flowzoo.models.layers.RepFlowBlock`.
        late_fusion: repeat the stages after the layer for the frames themselves; the
            head then gets twice as many channels.
        base_channels: channels of the stem; 64 is the published ResNet.
        **kwargs: of mmaction2's ``ResNet``. Pretrained 2D weights come in by
            ``pretrained='torchvision://resnet50'``, by a path to a file with
            torchvision's names, or by ``init_cfg=dict(type='Pretrained', ...)``.
    """

    def __init__(
        self,
        depth: int,
        flow_after: str | None = "layer2",
        flow_cfg: dict | None = None,
        late_fusion: bool = False,
        base_channels: int = 64,
        **kwargs,
    ) -> None:
        super().__init__(depth, **kwargs)
        self.base_channels = base_channels
        if base_channels != 64:
            self._set_width()
        self._insert_flow(flow_after, flow_cfg, late_fusion)

    def _set_width(self) -> None:
        """Build stem and stages again: mmaction2's ResNet is always 64 wide."""
        self.conv1 = ConvModule(
            self.in_channels,
            self.base_channels,
            7,
            stride=2,
            padding=3,
            bias=False,
            conv_cfg=self.conv_cfg,
            norm_cfg=self.norm_cfg,
            act_cfg=self.act_cfg,
        )
        inplanes = self.base_channels
        for i, num_blocks in enumerate(self.stage_blocks):
            planes = self.base_channels * 2**i
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

    def _apply_stage(self, name: str, stage: nn.Module | None, x: Tensor) -> Tensor:
        return x if stage is None else per_frame(stage, x)

    def init_weights(self) -> None:
        """Load pretrained 2D weights or initialize from scratch.

        torchvision's names differ from mmaction2's, so that mmengine's own
        ``Pretrained`` initializer would find nothing to load and not say so.
        """
        cfg = self.init_cfg
        if isinstance(cfg, dict) and cfg.get("type") == "Pretrained":
            checkpoint = cfg["checkpoint"]
            if checkpoint.startswith("torchvision://"):
                self.pretrained = checkpoint
        super().init_weights()
