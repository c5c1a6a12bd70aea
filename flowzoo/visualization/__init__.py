"""Pictures of flow."""

from .clips import first_clip
from .flow_color import color_wheel, flow_to_color
from .flow_pictures import write_flow_pictures
from .flow_recorder import FlowRecorder

__all__ = [
    "FlowRecorder",
    "color_wheel",
    "first_clip",
    "flow_to_color",
    "write_flow_pictures",
]
