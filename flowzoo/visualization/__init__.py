"""Pictures of flow."""

from .flow_color import color_wheel, flow_to_color

__all__ = ["color_wheel", "flow_to_color"]
