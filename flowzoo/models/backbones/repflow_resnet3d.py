from mmaction.models.backbones.resnet2plus1d import ResNet2Plus1d
from mmaction.models.backbones.resnet3d import ResNet3d
from mmaction.registry import MODELS
from torch import Tensor, nn

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


@MODELS.register_module()
class RepFlowResNet3d(_RepFlow3dStages, ResNet3d):
    """mmaction2's 3D ResNet with a representation-flow layer inside.

    The layer takes whatever frames arrive at its place: temporal strides before it
    lower their number, and too few are an error (table 6 of the paper).

    Args:
        depth: 18, 34, 50, 101 or 152.
        flow_after, flow_cfg, late_fusion: see :class:`RepFlowResNet`. 'layer1' is after
            ``pool2`` where ``with_pool2`` is set.
        **kwargs: of mmaction2's ``ResNet3d``; ``pretrained`` 2D weights are inflated.
    """

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
