import pytest
import torch
from mmaction.registry import MODELS
from mmengine.registry import DefaultScope

import flowzoo  # noqa: F401
from flowzoo.visualization.motion import MotionRecorder

PYRAMID = dict(
    type="PyramidMotionNet",
    motion_net=dict(type="TinyMotionNet", num_frames=2),
    num_frames=3,
    levels=3,
)
TEMPORAL = dict(
    type="RepFlowResNet", depth=18, base_channels=4, in_channels=2, flow_after=None
)


@pytest.mark.parametrize("frames", [3, 5])
def test_flow_of_a_pyramid_is_that_of_all_levels(frames):
    """Not what its network finds at the coarsest one."""
    torch.manual_seed(0)
    with DefaultScope.overwrite_default_scope("mmaction"):
        model = MODELS.build(
            dict(
                type="StackedTemporalStream", motion_net=PYRAMID, temporal=TEMPORAL,
                layout="time",
            )
        ).eval()  # fmt: skip
    clips = torch.rand(2, 3, frames, 32, 40) - 0.5
    with torch.no_grad(), MotionRecorder(model) as recorder:
        model(clips)
        expected = [
            flow.unflatten(0, (-1, 2))
            for first in range(0, frames - 1, 2)
            for flow in model.motion_net(clips[:1, :, first : first + 3])[0]
        ]
    assert recorder.name == "MotionNet"
    flow = recorder.flow(frames)
    assert flow.shape == (2, frames - 1, 32, 40)
    torch.testing.assert_close(flow, torch.cat(expected).transpose(0, 1))
