from .clip_consensus_head import ClipConsensusHead
from .frame_average_head import FrameAverageHead
from .inception_i3d_head import InceptionI3DHead
from .sequence_head import LinearSequenceHead
from .trn_sequence_head import TRNSequenceHead
from .vlad_heads import NetVLADHead, NeXtVLADHead

__all__ = [
    "ClipConsensusHead",
    "FrameAverageHead",
    "InceptionI3DHead",
    "LinearSequenceHead",
    "NeXtVLADHead",
    "NetVLADHead",
    "TRNSequenceHead",
]
