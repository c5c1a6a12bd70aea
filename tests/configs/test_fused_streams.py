"""Numbers of fused streams stand beside configs of fused streams, and only there."""

import pytest
from helpers.read_config import read_config

from flowzoo.zoo import models

FUSED = ("TwoStreamRecognizer", "FeatureTwoStream", "HallucinatedTwoStream")
TRAINING = {"pretrained", "partial_bn", "init_cfg"}


def networks(model):
    """A stream without starting weights, dropout, losses and empty settings."""
    backbone = {k: v for k, v in model.backbone.items() if k not in TRAINING}
    backbone = {k: v for k, v in backbone.items() if v not in (None, {})}
    head = {k: v for k, v in model.cls_head.items() if k != "dropout_ratio"}
    backbone.pop("dropout_ratio", None)
    return backbone, head, model.data_preprocessor


@pytest.mark.parametrize(
    "row", [row for row in models().values() if row.paper], ids=lambda row: row.name
)
def test_fused_numbers(row):
    if "fused" in row.paper["source"] or "wo-stream" in row.paper["source"]:
        assert read_config(row.name).model.type in FUSED
    if row.name.startswith("twostream") and "ACCV" in row.paper["source"]:
        assert "fused" in row.paper["source"]


@pytest.mark.parametrize(
    ("network", "spatial"),
    [
        ("vgg16", "vgg16"),
        ("branched", "vgg16"),
        ("tsn", "tsn"),
        ("i3d", "i3d"),
        ("tvnet", "tsn"),
    ],
)
@pytest.mark.parametrize("dataset", ["ucf101", "hmdb51", "thumos14", "activitynet"])
def test_streams_are_those_that_are_trained(network, spatial, dataset):
    name = f"twostream_{network}_{dataset}"
    if name not in models():
        pytest.skip("the paper has no number")
    fused = read_config(name)
    prefix = "tvnet_tsn" if network == "tvnet" else f"hidden2s_{network}"
    temporal = read_config(f"{prefix}_{dataset}")
    assert fused.model.temporal == temporal.model
    alone = read_config(f"spatial_{spatial}_{dataset}")
    assert networks(fused.model.spatial) == networks(alone.model)
    for key in ("test_dataloader", "test_evaluator"):
        assert fused[key] == temporal[key]


@pytest.mark.parametrize(
    "row",
    [r for r in models().values() if r.name.startswith("twostream_r") and r.paper],
    ids=lambda row: row.name,
)
def test_streams_on_tvl1_flow_are_those_that_are_trained(row):
    """The network of the row for RGB, and that of the row for flow."""
    network, dataset = row.name.removeprefix("twostream_").split("_", 1)
    tran = "tran_" if "of Tran et al." in row.paper["source"] else ""
    streams = dict(
        spatial=f"repflow_{tran}{network}_{dataset}_rgb",
        temporal=f"tvl1_{network}_{dataset}",
    )
    fused = read_config(row.name)
    for stream, name in streams.items():
        assert networks(fused.model[stream]) == networks(read_config(name).model)
    assert fused.test_dataloader == read_config(streams["temporal"]).test_dataloader
