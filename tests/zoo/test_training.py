"""Starting weights, schedules and views in the zoo are those of the configs."""

import re

import pytest
from helpers.read_config import read_config

from flowzoo.zoo import find, models
from flowzoo.zoo.protocol import views
from flowzoo.zoo.training import schedule, start, training

PUBLISHED = [row for row in models().values() if row.paper]


def trained(row):
    """The row that is trained: a joined network's stream, or itself."""
    name = row.name.replace("_tvl1", "")
    for stream in (
        name.replace("twostream", "tvl1"),
        name.replace("twostream_i3d", "i3d_inception"),
        name.replace("twostream_s3dg", "s3dg_inception"),
    ):
        if not row.training and stream in models():
            return find(stream)
    return row


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("repflow_r50_kinetics", "from random weights, 200 epochs of batches of 32"),
        ("tvl1_r50_hmdb51", "from ImageNet weights, 50 epochs of batches of 32"),
        ("i3d_inception_kinetics", "from random weights, 110,000 steps of 64"),
        (
            "hidden2s_vgg16_ucf101",
            "from hidden2s_vgg16_ucf101_temporal, 16,000 steps of 128",
        ),
        (
            "hidden2s_tsn_ucf101_temporal",
            "from motionnet_ucf101 and ImageNet weights, 20,000 steps of 128",
        ),
        ("repflow_lite0_weizmann", "from ImageNet weights, 40 epochs of batches of 8"),
        ("twostream_r50_kinetics", ""),
        (
            "monet_i3d_kinetics_fusion_trn",
            "from monet_i3d_kinetics_classifiers_trn and monet_i3d_kinetics, "
            "20 epochs of batches of 128",
        ),
    ],
)
def test_training_in_words(name, text):
    assert find(name).training == text


def test_text_follows_the_config():
    config = read_config("hidden2s_vgg16_ucf101")
    config.load_from = None
    config.optim_wrapper.accumulative_counts = 4
    config.auto_scale_lr.base_batch_size = 32
    assert training(config) == "from random weights, 64,000 steps of 32"
    config.model.backbone.temporal.pretrained = "torchvision://vgg16"
    assert start(config) == "ImageNet weights"
    config.model.backbone.temporal.pretrained = "mine.pth"
    with pytest.raises(ValueError, match=r"weights mine\.pth were trained on"):
        start(config)


@pytest.mark.parametrize("row", models().values(), ids=lambda row: row.name)
def test_batches_are_those_of_the_loader(row):
    """The batch of the text is a whole number of devices' batches."""
    config = read_config(row.name)
    if row.training:
        count = config.optim_wrapper.get("accumulative_counts", 1)
        samples = int(row.training.split()[-1])
        per_device = config.train_dataloader.batch_size * count
        assert samples % per_device == 0


@pytest.mark.parametrize("row", PUBLISHED, ids=lambda row: row.name)
def test_views_of_our_choice(row):
    """The representation-flow paper does not say its views; three crops are ours."""
    seen = views(read_config(row.name))
    ours = "ICLR" in row.paper["source"] and seen is not None and seen.crops == 3
    assert ours == ("test views" in row.paper["source"])


@pytest.mark.parametrize("row", PUBLISHED, ids=lambda row: row.name)
def test_starting_weights(row):
    """Said where they are not the published experiment's, and said of this config."""
    source, begin = row.paper["source"], start(read_config(trained(row).name))
    here = re.findall(r"(?:here|and|choice:.*?) (?:from )?(\w+ weights)", source)
    assert all(weights == begin for weights in here)
    # LowRes-HMDB is known to be learned from scratch
    silent = "ICLR" in source and "LowRes" not in source and "all but" not in source
    if silent and begin == "random weights":
        assert here
    for theirs in re.findall(r"theirs from (\w+ weights)", source):
        assert theirs != begin


@pytest.mark.parametrize("row", PUBLISHED, ids=lambda row: row.name)
def test_schedules(row):
    ours = schedule(read_config(trained(row).name))
    for who, text in re.findall(
        r"(here|theirs)[^\d;]*([\d,]+ steps of \d+)", row.paper["source"]
    ):
        assert (text == ours) == (who == "here")
    if "Kinetics test split" in row.paper["source"]:
        assert f"here {ours}" in row.paper["source"]


@pytest.mark.parametrize("row", PUBLISHED, ids=lambda row: row.name)
def test_batches_of_the_representation_flow_paper(row):
    """32 clips for its 2D networks, 24 for the others (appendix A)."""
    ours = trained(row)
    network = re.match(r"(repflow|tvl1|twostream)_(tran_)?(r[a-z\d]+)_", ours.name)
    if not network or "ICLR" not in row.paper["source"]:
        return
    flat = re.fullmatch(r"r\d+", network[3])
    assert schedule(read_config(ours.name)).endswith(f"batches of {32 if flat else 24}")


@pytest.mark.parametrize("row", PUBLISHED, ids=lambda row: row.name)
def test_choices_are_named(row):
    """What the papers do not say.

    MoNet's optimizer, iterations of tables 6 to 8, how hidden two-stream networks are
    trained before they are trained end to end, all stages of those under TSN, and the
    classifier of MotionNet's features.
    """
    source = row.paper["source"]
    if "ACCV" in source and re.search(r" (3,500|20,000) steps", row.training):
        assert "our choice: schedule" in source
    if row.name.startswith("hidden2s_tsn"):
        assert "our choice: schedule" in source
    if "branched" in row.name:
        assert "our choice: layers, schedule" in source
    if row.name.startswith("monet"):
        assert "our choice: optimizer" in source
    backbone = read_config(row.name).model.get("backbone", {})
    if re.search(r"Table [678]", source) and backbone.get("flow_after"):
        assert f"{backbone.flow_cfg.n_iters} iterations" in source
