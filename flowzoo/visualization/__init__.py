"""Images of flow, and how it comes about."""

from .clips import first_clip, read_clip
from .energy import energy_by_iteration, flow_energy
from .flow_color import color_wheel, flow_to_color
from .flow_images import write_flow_images
from .flow_recorder import FlowRecorder

__all__ = [
    "FlowRecorder",
    "color_wheel",
    "energy_by_iteration",
    "first_clip",
    "flow_energy",
    "flow_to_color",
    "read_clip",
    "write_flow_images",
]
