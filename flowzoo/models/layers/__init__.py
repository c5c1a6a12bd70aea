from .cross_modality import cross_modality, load_first_conv
from .flow_to_image import FlowToImage
from .repflow_block import RepFlowBlock, fold_frames, per_frame, unfold_frames
from .repflow_fusion import FUSIONS, FlowFusion

__all__ = [
    "FUSIONS",
    "FlowFusion",
    "FlowToImage",
    "RepFlowBlock",
    "cross_modality",
    "fold_frames",
    "load_first_conv",
    "per_frame",
    "unfold_frames",
]
