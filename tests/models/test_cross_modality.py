import re

import pytest
import torch
from mmaction.models.backbones import ResNet, ResNet3d

from flowzoo.models.backbones import VGG16, RepFlowResNet3d
from flowzoo.models.layers import cross_modality, load_first_conv


def test_mean_over_the_colors_for_each_channel():
    weight = torch.rand(4, 3, 5, 5)
    found = cross_modality(weight, 20)
    assert found.shape == (4, 20, 5, 5)
    for channel in (0, 7, 19):
        torch.testing.assert_close(found[:, channel], weight.mean(1))


@pytest.fixture
def rgb_resnet(tmp_path):
    """A ResNet-18 for images, saved with torchvision's names."""
    model = ResNet(18)
    model.init_weights()
    state = {
        re.sub(r"conv(\d)\.bn\.", r"bn\1.", name).replace(".conv.", "."): value
        for name, value in model.state_dict().items()
    }
    assert state["conv1.weight"].ndim == 4 and "bn1.weight" in state
    path = tmp_path / "rgb.pth"
    torch.save(state, path)
    return model.conv1.conv.weight.detach(), str(path)


def test_2d_network(rgb_resnet):
    weight, path = rgb_resnet
    model = ResNet(18, in_channels=20)
    load_first_conv(model, path)
    torch.testing.assert_close(model.conv1.conv.weight, cross_modality(weight, 20))


def test_3d_network_on_flow_starts_from_images(rgb_resnet):
    weight, path = rgb_resnet
    model = RepFlowResNet3d(
        18, flow_after=None, in_channels=2, conv1_kernel=(5, 7, 7), pretrained=path
    )
    model.init_weights()
    volume = cross_modality(weight, 2).unsqueeze(2) / 5
    torch.testing.assert_close(model.conv1.conv.weight, volume.expand(-1, -1, 5, 7, 7))


def test_3d_network_from_images_keeps_the_response_to_a_still_clip(rgb_resnet):
    weight, path = rgb_resnet
    one_stage = dict(
        num_stages=1, spatial_strides=(1,), temporal_strides=(1,), dilations=(1,),
        out_indices=(0,), inflate=(1,), non_local=(0,),
    )  # fmt: skip
    model = ResNet3d(18, in_channels=2, conv1_kernel=(5, 7, 7), **one_stage)
    load_first_conv(model, path)
    found = model.conv1.conv.weight
    assert found.shape == (64, 2, 5, 7, 7)
    torch.testing.assert_close(found.sum(2), cross_modality(weight, 2))


def test_3d_network_from_clips(tmp_path):
    narrow = dict(conv1_kernel=(5, 7, 7), base_channels=4)
    rgb = ResNet3d(18, in_channels=3, **narrow)
    torch.save(dict(state_dict=rgb.state_dict()), tmp_path / "i3d.pth")
    model = ResNet3d(18, in_channels=2, **narrow)
    load_first_conv(model, str(tmp_path / "i3d.pth"))
    expected = cross_modality(rgb.conv1.conv.weight.detach(), 2)
    torch.testing.assert_close(model.conv1.conv.weight, expected)


def test_weights_for_flow_stay_as_they_are(tmp_path):
    one_stage = dict(num_stages=1, strides=(1,), dilations=(1,), out_indices=(0,))
    model = ResNet(18, in_channels=20, **one_stage)
    torch.save(model.state_dict(), tmp_path / "flow.pth")
    other = ResNet(18, in_channels=20, **one_stage)
    before = other.conv1.conv.weight.clone()
    load_first_conv(other, str(tmp_path / "flow.pth"))
    assert torch.equal(other.conv1.conv.weight, before)


def test_a_checkpoint_of_another_network(rgb_resnet):
    with pytest.raises(ValueError, match="no first convolution for RGB"):
        load_first_conv(VGG16(in_channels=20, fc_channels=4), rgb_resnet[1])


def test_a_network_without_convolutions(rgb_resnet):
    with pytest.raises(ValueError, match="Linear has no convolution"):
        load_first_conv(torch.nn.Linear(2, 2), rgb_resnet[1])
