"""Schedules, losses and networks of published experiments, as the papers have them."""

import re

import pytest
from helpers.read_config import read_config

from flowzoo.zoo import models
from flowzoo_kernels.motion_loss.options import SSIM_WEIGHTS

PUBLISHED = [row for row in models().values() if row.paper]
NAMES = [row.name for row in models().values()]
REPFLOW = [
    row.name
    for row in PUBLISHED
    if re.match(r"(repflow|tvl1|twostream)_(tran_)?r[\d\w]+_", row.name)
    and row.paper["source"].startswith("ICLR")
]
END_TO_END = [
    name
    for name in NAMES
    if re.match(r"hidden2s_(vgg16|tsn|i3d|branched)_", name) and "_temporal" not in name
]
TEMPORAL = [name for name in NAMES if re.search(r"_temporal(_|$)", name)]
MOTIONNETS = [
    name
    for name in NAMES
    if re.match(r"(tiny|vgg16|resnet50)?motionnet_", name)
    and not re.search("shapes|scenes|2frames|elements|large$", name)
]
MONETS = [row.name for row in PUBLISHED if row.name.startswith("monet_")]


def schedule(config):
    """Epochs or steps, and after which of them the rate is multiplied by what."""
    (steps,) = config.param_scheduler
    batches = config.optim_wrapper.get("accumulative_counts", 1)
    train = config.train_cfg
    length = train.get("max_epochs") or train.max_iters // batches
    return length, [at // batches for at in steps.milestones], steps.gamma


def tokens(name):
    """What a config's name says beside the network and the dataset."""
    return name.split("_")[3:]


@pytest.mark.parametrize("name", END_TO_END)
def test_end_to_end_schedule(name):
    config = read_config(name)
    ucf101, hmdb51 = (16000, [5000, 9500], 0.1), (8500, [5000, 7000], 0.1)
    assert schedule(config) == (hmdb51 if "hmdb51" in name else ucf101)
    optimizer = config.optim_wrapper.optimizer
    assert optimizer == dict(type="SGD", lr=1e-6, momentum=0.9, weight_decay=5e-4)
    assert config.optim_wrapper.constructor == "CaffeOptimWrapperConstructor"
    fast = dict(lr_mult=1000, bias_lr_mult=2)
    assert config.optim_wrapper.paramwise_cfg == dict(
        custom_keys={"backbone.temporal": fast, "cls_head": fast}
    )


@pytest.mark.parametrize("name", END_TO_END)
def test_end_to_end_losses(name):
    """MotionNet's, for its windows in a batch, with a tenth of the SSIM weights."""
    config = read_config(name)
    loader = config.train_dataloader
    clips = next(s for s in loader.dataset.pipeline if s.type == "SampleFrames")
    assert (clips.clip_len - 1) % 10 == 0
    windows = loader.batch_size * clips.get("num_clips", 1) * (clips.clip_len - 1) // 10
    scales = 3 if "tinymotionnet" in name else 5
    assert config.model.neck == dict(
        type="MotionLossNeck",
        loss=dict(
            type="UnsupervisedFlowLoss",
            normalization="caffe",
            caffe_mask=(windows, 30),
            ssim_weights=pytest.approx([w / 10 for w in SSIM_WEIGHTS[:scales]]),
        ),
    )


@pytest.mark.parametrize("name", END_TO_END)
def test_modes(name):
    mode = {"fixed": "fixed", "action": "action"}.get(name.split("_")[-1], "all")
    assert read_config(name).model.backbone.train_motion == mode
    fused = name.replace("hidden2s", "twostream")
    if fused in NAMES and models()[fused].family == models()[name].family:
        assert read_config(fused).model.temporal == read_config(name).model


@pytest.mark.parametrize("name", [*END_TO_END, *TEMPORAL, *MOTIONNETS])
def test_frames_of_motionnet(name):
    """RGB minus its mean, divided by 255; the augmentation of two-stream networks."""
    config = read_config(name)
    frames = config.model.data_preprocessor
    assert (frames.mean, frames.std) == ([123, 117, 104], [255] * 3)
    assert "to_rgb" not in frames  # the mean is that of the decoder's order
    steps = config.train_dataloader.dataset.pipeline
    clip, decode, resize, crop, small, flip = steps[1:7]
    assert decode.type == "DecodeFrames" and clip.get("frame_interval", 1) == 1
    assert (resize.scale, resize.keep_ratio) == ((340, 256), False)
    assert crop == dict(
        type="MultiScaleCrop",
        input_size=224,
        scales=(1, 0.875, 0.75),
        max_wh_scale_gap=1,
    )
    assert (small.scale, small.keep_ratio) == ((224, 224), False)
    assert flip == dict(type="Flip", flip_ratio=0.5)


@pytest.mark.parametrize("name", MOTIONNETS)
def test_motionnet_by_itself(name):
    config = read_config(name)
    milestones = [100000, 200000, 250000, 300000, 350000]
    assert schedule(config) == (400000, milestones, 0.5)
    optimizer = config.optim_wrapper.optimizer
    assert optimizer == dict(type="Adam", lr=3.2e-5, weight_decay=4e-4)
    assert config.train_dataloader.batch_size == 16
    left_out = {token.removeprefix("no") for token in name.split("_")[2:]}
    if "plain" in left_out:
        left_out = {"ssim", "smoothness", "smoothconv", "largekernels"}
    loss = dict(type="UnsupervisedFlowLoss", normalization="caffe")
    for term in left_out & {"ssim", "smoothness"}:
        loss[f"{term}_weights"] = (0,) * 5
    assert config.model.loss == loss
    kind = name.split("_")[0]
    network = dict(
        type=dict(
            motionnet="MotionNet",
            tinymotionnet="TinyMotionNet",
            vgg16motionnet="VGG16MotionNet",
            resnet50motionnet="ResNet50MotionNet",
        )[kind],
        num_frames=11,
    )
    if "smoothconv" in left_out:
        network["smooth_convs"] = False
    if "largekernels" in left_out:
        network["kernels"] = (7, 5, 5)
    assert config.model.backbone == network


DROPOUTS = dict(vgg16=(0.9, 0.8), branched=(0.9, 0.8), tsn=(None, 0.7), i3d=(None, 0.5))


@pytest.mark.parametrize("name", [*END_TO_END, *TEMPORAL])
def test_dropout(name):
    model = read_config(name).model
    found = model.backbone.temporal.get("dropout_ratio"), model.cls_head.dropout_ratio
    assert found == DROPOUTS[name.split("_")[1]]


@pytest.mark.parametrize("name", [n for n in NAMES if n.startswith("twostream_vgg16")])
def test_released_fusion(name):
    model = read_config(name).model
    assert (model.weights, model.score_norm) == ((1, 1.5), "clamp_l1")


@pytest.mark.parametrize("name", REPFLOW)
def test_representation_flow_schedule(name):
    """Appendix A of its paper; it does not say how long LowRes-HMDB is trained."""
    config = read_config(name)
    small = "hmdb51" in name and "_112" not in name
    found = (50, [20, 40], 0.1) if small else (200, [50, 100, 150], 0.1)
    assert schedule(config) == found
    optimizer = config.optim_wrapper.optimizer
    assert (optimizer.type, optimizer.momentum) == ("SGD", 0.9)
    assert optimizer.lr == (0.005 if small else 0.1)
    assert config.optim_wrapper.constructor == "FlowOptimWrapperConstructor"
    assert config.optim_wrapper.paramwise_cfg == dict(flow_lr_mult=0.01)
    if config.model.type != "TwoStreamRecognizer":
        dropout = 0.8 if "hmdb51" in name else 0.5
        assert config.model.cls_head.dropout_ratio == dropout


PLACES = {"input", "stem", "layer1", "layer3", "layer4"}
FUSIONS = {"add", "multiply", "layer-multiply", "concat"}
LEARNED = {
    "fixed": (),
    "learn-gradients": ("image", "flow"),
    "learn-divergence": ("divergence",),
    "learn-scalars": ("theta", "lam", "tau"),
    "learn-all": ("image", "flow", "divergence", "theta", "lam", "tau"),
}
LAYERS = {"fof": 2, "fcf": 2, "fcfcf": 3}


def only(said, default):
    (value,) = said or (default,)
    return value


@pytest.mark.parametrize("name", REPFLOW)
def test_representation_flow_network(name):
    """Place, iterations, learned parameters, fusion and layers are the name's."""
    model = read_config(name).model
    if model.type == "TwoStreamRecognizer":
        assert set(model.weights) == {1}
        return
    said, backbone = set(tokens(name)), model.backbone
    depth = re.search(r"_(?:r|r3d|r2plus1d)(\d+)_", name)[1]
    assert backbone.depth == int(depth)
    if "rgb" in said or name.startswith("tvl1"):
        assert backbone.get("flow_after") is None
        return
    flow = backbone.flow_cfg
    # (2+1)D networks call the whole stem by its convolution
    place = only(said & PLACES, "layer2")
    assert backbone.flow_after in (place, dict(stem="conv1").get(place))
    assert flow.bottleneck_channels == 32
    iterations = [int(t[5:]) for t in said if re.fullmatch(r"iters\d+", t)]
    assert flow.n_iters == only(iterations, 20)
    assert flow.get("learn") == only([LEARNED[t] for t in said if t in LEARNED], None)
    fusion = only(said & FUSIONS, None)
    assert flow.get("fusion") == (fusion and fusion.replace("-", "_"))
    assert backbone.get("late_fusion", False) == ("late" in said)
    assert flow.get("num_flows", 1) == only([LAYERS[t] for t in said if t in LAYERS], 1)
    assert flow.get("conv_between", True) == ("fof" not in said)


@pytest.mark.parametrize("name", MONETS)
def test_monet(name):
    config = read_config(name)
    if config.model.type == "HallucinatedTwoStream":  # which joins trained ones
        return
    optimizer = config.optim_wrapper
    assert optimizer.optimizer.lr == 2e-4
    assert optimizer.clip_grad == dict(max_norm=1)
    alone = config.model.learn == "hallucination"
    assert schedule(config) == ((40, [15, 30], 0.1) if alone else (20, [15], 0.1))
    if alone:
        loss = config.model.hallucination_loss
        assert loss == dict(type="HallucinationLoss", alpha=10)
    if config.model.get("neck") and config.model.neck.type == "MoNet":
        layers = re.search(r"_layers(\d)", name)
        assert config.model.neck.num_layers == (int(layers[1]) if layers else 5)


CLASSES = {
    "ActivityNet v1.2": 100,
    "ActivityNet v1.3": 200,
    "HMDB51": 51,
    "Kinetics-400": 400,
    "Kinetics-600": 600,
    "Kinetics-700": 700,
    "Mini-Kinetics": 150,
    "MotionShapes": 8,
    "THUMOS14": 101,
    "UCF101": 101,
    "UT-Interaction set 1": 6,
    "Weizmann": 10,
    "YouTube-8M": 3862,
}


def class_counts(part):
    if isinstance(part, list | tuple):
        for inner in part:
            yield from class_counts(inner)
    elif isinstance(part, dict):
        if "num_classes" in part:
            yield part["num_classes"]
        for inner in part.values():
            yield from class_counts(inner)


@pytest.mark.parametrize("name", NAMES)
def test_classes_are_the_datasets(name):
    found = set(class_counts(read_config(name).model))
    assert found <= {CLASSES.get(models()[name].dataset)}
    assert found or "motionnet" in name
