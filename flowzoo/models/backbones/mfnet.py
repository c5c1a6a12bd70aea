from mmaction.registry import MODELS
from torch import Tensor, nn

from ..layers.motion_block import MotionBlock
from .repflow_resnet import RepFlowResNet


@MODELS.register_module()
class MFNet(RepFlowResNet):
    """2D ResNet over the frames of a clip with motion blocks between its stages.

    Lee et al.: Motion Feature Network: Fixed Motion Filter for Action Recognition, ECCV
    2018 (arXiv 1807.10037), section 3. The authors released no code. Where the blocks
    stand is said by ``blocks``, the rest by
    :class:`flowzoo.models.layers.motion_block.MotionBlock`. Clips (N, 3, T, H, W)
    become features (N, C, T, H / 32, W / 32).

    Args:
        depth: 18, 34, 50, 101 or 152.
        fusion: 'concat' or 'sum', MFNet-C and MFNet-S.
        reduction: of the channels that the fixed filters see.
        blocks: the stages after which a motion block stands.
        **kwargs: ``base_channels`` of :class:`RepFlowResNet`; others of mmaction2's
            ``ResNet``, whose ``pretrained`` weights leave the motion blocks random.

    Raises:
        ValueError: unknown stages or another fusion, a reduction below 1; clips of
            another shape, or of a single frame.
    """

    def __init__(
        self,
        depth: int,
        fusion: str = "concat",
        reduction: int = 16,
        blocks: tuple[str, ...] = ("layer1", "layer2", "layer3", "layer4"),
        **kwargs,
    ) -> None:
        super().__init__(depth, flow_after=None, **kwargs)
        if unknown := set(blocks) - set(self._stages()):
            raise ValueError(
                f"there is no stage {sorted(unknown)} for a motion block; choose of "
                f"{tuple(self._stages())}"
            )
        self.motion_blocks = nn.ModuleDict(
            {
                name: MotionBlock(self._channels_after(name), reduction, fusion)
                for name in blocks
            }
        )

    def _apply_stage(self, name: str, stage: nn.Module | None, x: Tensor) -> Tensor:
        x = super()._apply_stage(name, stage, x)
        return self.motion_blocks[name](x) if name in self.motion_blocks else x
