from mmaction.models.necks.tpn import AuxHead
from mmaction.registry import MODELS
from mmengine.model import BaseModule
from torch import Tensor, nn

from ..layers import RepFlowBlock, fold_frames, unfold_frames


@MODELS.register_module()
class RepFlowNeck(BaseModule):
    """A representation-flow layer on the output of any 2D or 3D backbone.

    As many frames come out as went in, so that every head still works: the last
    flow serves the last frame as well. With the default fusion, relu(x + norm(flow)),
    the norm starts at zero, and the network at what it was without the neck, as long as
    the backbone ends with a ReLU.

    mmaction2's ``Recognizer3D`` takes the neck as it is. For 2D networks (TSN, TSM) the
    recognizer has to be ``RepFlowRecognizer2D``. The optimizer constructor
    ``FlowOptimWrapperConstructor`` gives the layer its learning rate.

    Args:
        in_channels: C of the backbone's output.
        num_segments: for 2D backbones, frames of a video (or of one view of it, where
            testing takes several): the flow is computed within so many frames.
        flow_cfg: arguments of :class:`flowzoo.models.layers.RepFlowBlock`;
            ``fusion='add'`` unless it says otherwise.
        aux_head_cfg: adds a classification loss ``loss_aux`` on the flow itself:
            ``out_channels`` (the number of classes) and ``loss_weight`` (default 0.5)
            of mmaction2's ``AuxHead``, as its TPN neck has.
        tail: config of a network that goes on from the features, so that the layer
            stands in the middle: between the stages of ``EfficientNetLite0``, say.
    """

    def __init__(
        self,
        in_channels: int,
        num_segments: int | None = None,
        flow_cfg: dict | None = None,
        aux_head_cfg: dict | None = None,
        tail: dict | None = None,
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        super().__init__(init_cfg=init_cfg)
        self.num_segments = num_segments
        flow_cfg = dict(fusion="add") | (flow_cfg or {})
        self.block = RepFlowBlock(in_channels, keep_frames=True, **flow_cfg)
        self.aux_head = None
        if aux_head_cfg:
            self.aux_head = AuxHead(self.block.flow_channels, **aux_head_cfg)
        self.tail = MODELS.build(tail) if tail else None

    def init_weights(self) -> None:
        super().init_weights()
        norm = self.block.expand[1]
        if self.block.fusion.mode == "add" and hasattr(norm, "weight"):
            nn.init.zeros_(norm.weight)

    def forward(
        self, x: Tensor, data_samples: list | None = None
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Add motion to features.

        Args:
            x: (N, C, T, H, W) of a 3D backbone, (N*T, C, H, W) of a 2D one, with
                T = ``num_segments``.
            data_samples: with the labels, in training.

        Returns:
            Features of the same shape, or those of the tail, and a dictionary with
            ``loss_aux`` where there is an auxiliary head and data_samples.
        """
        if not isinstance(x, Tensor):
            raise ValueError(
                "RepFlowNeck takes one feature map, and the backbone gives "
                f"{len(x)}: choose one with out_indices"
            )
        features = self._split_frames(x) if x.ndim == 4 else x
        u = self.block.compute_flow(features)
        out = self.block.fuse(features, u)
        losses = {}
        if self.aux_head is not None and data_samples is not None:
            losses = self.aux_head.loss(u, data_samples)
        out = fold_frames(out) if x.ndim == 4 else out
        return (out if self.tail is None else self.tail(out)), losses

    def _split_frames(self, x: Tensor) -> Tensor:
        if self.num_segments is None:
            raise ValueError(
                "RepFlowNeck after a 2D backbone needs num_segments, the number of "
                "frames of a video: the num_clips of SampleFrames"
            )
        if x.shape[0] % self.num_segments:
            raise ValueError(
                f"{x.shape[0]} frames arrived at RepFlowNeck, which is no multiple of "
                f"num_segments={self.num_segments}; set num_clips of SampleFrames to "
                "that, in the test pipeline too"
            )
        return unfold_frames(x, self.num_segments)
