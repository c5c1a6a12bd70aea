from mmaction.models.backbones.resnet2plus1d import ResNet2Plus1d
from mmaction.models.backbones.resnet3d import BasicBlock3d, ResNet3d
from mmaction.registry import MODELS
from mmcv.cnn import ConvModule
from torch import Tensor, nn

from ..layers.cross_modality import load_first_conv
from .repflow_stages import RepFlowStages


class _RepFlow3dStages(RepFlowStages):
    def __init__(
        self,
        depth: int,
        flow_after: str | None = "layer2",
        flow_cfg: dict | None = None,
        late_fusion: bool = False,
        **kwargs,
    ) -> None:
        super().__init__(depth, **kwargs)
        self._insert_flow(flow_after, flow_cfg, late_fusion)

    def init_weights(self) -> None:
        super().init_weights()
        if self.pretrained and self.in_channels != 3:  # flow in the place of colors
            load_first_conv(self, self.pretrained)


@MODELS.register_module()
class RepFlowResNet3d(_RepFlow3dStages, ResNet3d):
    """mmaction2's 3D ResNet with a representation-flow layer inside.

    The layer takes whatever frames arrive at its place: temporal strides before it
    lower their number, and too few are an error (table 6 of the paper).

    Args:
        depth: 18, 34, 50, 101 or 152.
        pool1_kernel_t: frames that the max-pooling of the stem spans; 1 is mmaction2's.
        **kwargs: ``flow_after``, ``flow_cfg`` and ``late_fusion`` of
            :class:`RepFlowResNet`, where 'layer1' is after ``pool2`` if ``with_pool2``
            is set; others of mmaction2's ``ResNet3d``, whose ``pretrained`` 2D weights
            are inflated.
    """

    def __init__(self, depth: int, pool1_kernel_t: int = 1, **kwargs) -> None:
        self.pool1_kernel_t = pool1_kernel_t  # mmaction2's constructor makes the stem
        super().__init__(depth, **kwargs)

    def _make_stem_layer(self) -> None:
        super()._make_stem_layer()
        pool, frames = self.maxpool, self.pool1_kernel_t
        pool.kernel_size = (frames, *pool.kernel_size[1:])
        pool.padding = (frames // 2, *pool.padding[1:])

    def _apply_stage(self, name: str, stage: nn.Module | None, x: Tensor) -> Tensor:
        if name == "stem" and not self.with_pool1:
            return x
        x = super()._apply_stage(name, stage, x)
        return self.pool2(x) if name == "layer1" and self.with_pool2 else x


@MODELS.register_module()
class RepFlowResNet2Plus1d(_RepFlow3dStages, ResNet2Plus1d):
    """mmaction2's R(2+1)D with a representation-flow layer inside (tables 7 and 9).

    Args:
        depth: 18, 34, 50, 101 or 152.
        flow_after, flow_cfg, late_fusion: see :class:`RepFlowResNet`.
        **kwargs: of mmaction2's ``ResNet2Plus1d``.
    """


class SeparableBasicBlock3d(BasicBlock3d):
    """A basic block of a spatial convolution, 1x3x3, and a full one, 3x3x3."""

    def __init__(self, inplanes: int, planes: int, inflate: bool = True, **kwargs):
        super().__init__(inplanes, planes, inflate=False, **kwargs)
        if inflate:
            self.conv2 = ConvModule(
                planes,
                planes * self.expansion,
                3,
                padding=1,
                bias=False,
                conv_cfg=self.conv_cfg,
                norm_cfg=self.norm_cfg,
                act_cfg=None,
            )
        self.inflate = inflate


@MODELS.register_module()
class RepFlowSeparableResNet3d(RepFlowResNet3d):
    """The paper's (2+1)D ResNet with a representation-flow layer inside.

    Convolutions in time and in space alternate at the plain width of a 2D ResNet, as in
    Xie et al., "Rethinking Spatiotemporal Feature Learning", which the paper cites, and
    in its authors' code (tables 7 and 9): bottlenecks of 3x1x1, 1x3x3 and 1x1x1, basic
    blocks of 1x3x3 and 3x3x3, a 7x7x7 stem, a 3x3x3 max-pooling.
    :class:`RepFlowResNet2Plus1d` is Tran et al.'s R(2+1)D, whose wider middles have 1.4
    to 1.6 times as many parameters.

    The max-pooling and the last three stages halve the number of frames: of 32, 8 reach
    the layer after 'layer2'. The authors' strided 1x3x3 convolutions also pad time by a
    zero frame on either side, which is not done here.

    Args:
        depth: 18, 34, 50, 101 or 152.
        flow_after, flow_cfg, late_fusion: see :class:`RepFlowResNet`.
        **kwargs: of mmaction2's ``ResNet3d``, over the defaults above.
    """

    arch_settings = {
        depth: (SeparableBasicBlock3d if depth < 50 else block, stages)
        for depth, (block, stages) in ResNet3d.arch_settings.items()
    }

    def __init__(self, depth: int, **kwargs) -> None:
        defaults = dict(
            conv1_kernel=(7, 7, 7),
            pool1_kernel_t=3,
            pool1_stride_t=2,
            with_pool2=False,
            temporal_strides=(1, 2, 2, 2),
            inflate_style="3x1x1",
            zero_init_residual=False,
        )
        super().__init__(depth, **defaults | kwargs)
