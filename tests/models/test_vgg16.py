import torch

from flowzoo.models.backbones import VGG16
from flowzoo.models.layers import cross_modality

# of torchvision.models.vgg16
SHAPES = {
    "features.0.weight": (64, 3, 3, 3),
    "features.28.bias": (512,),
    "classifier.0.weight": (4096, 25088),
    "classifier.3.bias": (4096,),
}


def test_parameters_are_torchvisions():
    with torch.device("meta"):
        model = VGG16()
    found = dict(model.named_parameters())
    assert {name: tuple(found[name].shape) for name in SHAPES} == SHAPES
    # VGG-16 without its last layer of 1000 classes
    assert sum(p.numel() for p in found.values()) == 138_357_544 - 4097 * 1000


def test_features_of_a_stack_of_flows():
    model = VGG16(in_channels=20, fc_channels=8).eval()
    model.init_weights()
    assert model(torch.rand(1, 20, 32, 32)).shape == (1, 8, 1, 1)


def test_convolutions_see_the_image_as_caffes_do():
    """Five poolings by two, nothing else changes the size."""
    with torch.device("meta"):
        maps = VGG16().features(torch.rand(1, 3, 224, 224))
    assert maps.shape == (1, 512, 7, 7)


def test_pretrained_weights(tmp_path):
    rgb = VGG16(fc_channels=8)
    torch.save(rgb.state_dict(), tmp_path / "vgg.pth")
    model = VGG16(in_channels=20, fc_channels=8, pretrained=str(tmp_path / "vgg.pth"))
    model.init_weights()
    for name, weight in model.state_dict().items():
        expected = rgb.state_dict()[name]
        if name == "features.0.weight":
            expected = cross_modality(expected, 20)
        assert torch.equal(weight, expected)


def test_dropout_between_the_fully_connected_layers():
    model = VGG16(fc_channels=64, dropout_ratio=0.9)
    seen = []
    model.classifier[3].register_forward_hook(lambda m, x, y: seen.append(x[0]))
    model(torch.rand(4, 3, 32, 32))
    assert (seen[0] == 0).float().mean() > 0.85
