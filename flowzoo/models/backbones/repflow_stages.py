from copy import deepcopy

import torch
from torch import Tensor, nn

from ..layers import RepFlowBlock

# The paper counts conv1 + max-pooling as block 1, so that its best place, "after
# block 3", is layer2 here (512 channels in a ResNet-50, as in the released network).
POSITIONS = ("input", "conv1", "stem", "layer1", "layer2", "layer3", "layer4")


class RepFlowStages:
    """What mmaction2's ResNets need to have a representation-flow layer inside.

    A mixin, before mmaction2's class: it inserts the layer and replaces ``forward``.
    The stages before the layer see frames, those after it the flows between them
    (Representation Flow for Action Recognition, figure 1). With late fusion (figure 2b)
    the stages after the layer exist twice, the second time for the frames themselves;
    the features of both are concatenated, so that the linear classifier of the head
    adds a prediction of each.
    """

    def _insert_flow(
        self, flow_after: str | None, flow_cfg: dict | None, late_fusion: bool
    ) -> None:
        stages = self._stages()
        if flow_after is not None and flow_after not in stages:
            raise ValueError(
                f"flow_after={flow_after!r} is not in this network; choose one of "
                f"{tuple(stages)}, or None for no flow layer"
            )
        if flow_after is None and (late_fusion or flow_cfg):
            raise ValueError("without a flow layer there is nothing to fuse or to set")
        self.flow_after = flow_after
        self.flow_block = self.rgb_stages = None
        if flow_after is None:
            return
        self.flow_block = RepFlowBlock(
            self._channels_after(flow_after), **(flow_cfg or {})
        )
        if late_fusion:
            names = list(stages)[list(stages).index(flow_after) + 1 :]
            self.rgb_stages = nn.ModuleDict({n: deepcopy(stages[n]) for n in names})
            self.feat_dim *= 2

    def _stages(self) -> dict[str, nn.Module | None]:
        """The network in its order, by the positions of ``flow_after``."""
        stages = {"input": None, "conv1": self.conv1, "stem": self.maxpool}
        return stages | {name: getattr(self, name) for name in self.res_layers}

    def _apply_stage(self, name: str, stage: nn.Module | None, x: Tensor) -> Tensor:
        """Apply a stage, the network's own or its copy, to (N, C, T, H, W)."""
        return x if stage is None else stage(x)

    def _channels_after(self, position: str) -> int:
        if position == "input":
            return self.in_channels
        if position in ("conv1", "stem"):
            return self.base_channels
        stage = self.res_layers.index(position)
        return self.base_channels * 2**stage * self.block.expansion

    def train(self, mode: bool = True) -> "RepFlowStages":
        super().train(mode)  # mmaction2's returns None
        return self

    def init_weights(self) -> None:
        """Initialize from scratch, or load the weights that ``pretrained`` names.

        Those are of a network without flow layer, and with late fusion both copies of
        a stage get them.
        """
        if self.rgb_stages is None or not isinstance(self.pretrained, str):
            super().init_weights()
            return
        rgb_stages, self.rgb_stages = self.rgb_stages, None
        super().init_weights()
        self.rgb_stages = rgb_stages
        stages = self._stages()
        for name, stage in rgb_stages.items():
            stage.load_state_dict(stages[name].state_dict())

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        """Compute the features of each flow.

        Args:
            x: clips, (N, 3, T, H, W).

        Returns:
            (N, C, T', H/32, W/32), or a tuple of one tensor for each of
            ``out_indices``. ``flow_block.frames_out`` tells how many frames the layer
            leaves of those that reach it; stages before it give all. With late fusion,
            2C channels: those of the flow, then those of the frames, each flow beside
            its first frame.
        """
        if x.ndim != 5:
            raise ValueError(
                f"{type(self).__name__} takes clips (N, C, T, H, W), got "
                f"{tuple(x.shape)}; use FormatShape(input_format='NCTHW') with "
                "Recognizer3D"
            )
        rgb = None
        outs = []
        outputs = [self.res_layers[i] for i in self.out_indices]
        for name, stage in self._stages().items():
            x = self._apply_stage(name, stage, x)
            if rgb is not None:
                rgb = self._apply_stage(name, self.rgb_stages[name], rgb)
            if name == self.flow_after:
                frames = self.flow_block.frames_out(x.shape[2])
                rgb = x[:, :, :frames] if self.rgb_stages is not None else None
                x = self.flow_block(x)
            if name in outputs:
                outs.append(x if rgb is None else torch.cat((x, rgb), 1))
        return outs[0] if len(outs) == 1 else tuple(outs)
