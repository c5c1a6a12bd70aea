from .cross_modality import cross_modality, load_first_conv
from .flow_to_image import FlowToImage
from .repflow_block import RepFlowBlock

__all__ = ["FlowToImage", "RepFlowBlock", "cross_modality", "load_first_conv"]
