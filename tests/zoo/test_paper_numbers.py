"""Numbers of the papers, copied from their tables in the order in which they stand."""

import pytest

from flowzoo.zoo import models

R34 = "repflow_r34_minikinetics"
LOW = "repflow_r34_hmdb51_112"
PLACES = (
    "_rgb tvl1 twostream _fixed_input _fixed_stem _fixed_layer1 _fixed _fixed_layer3"
)
PLACES = [*PLACES.split(), "_fixed_layer4"]
LEARNED = [
    "_fixed",
    "_learn-gradients",
    "_learn-divergence",
    "_learn-scalars",
    "_learn-all",
]
FUSIONS = ["", "_late", "_add", "_multiply", "_layer-multiply", "_concat"]
ITERATIONS = ["_iters1", "_iters5", "_iters10", "", "_iters50"]


def rows(prefix, endings, numbers):
    """Names with their numbers; 'tvl1' and 'twostream' stand in front of the rest."""
    for ending, number in zip(endings, numbers.split(), strict=True):
        name = prefix + ending
        if not ending.startswith("_") and ending:
            name = prefix.replace("repflow", ending)
        yield name, float(number)


def named(names, numbers):
    return zip(names.split(), map(float, numbers.split()), strict=True)


ICLR = {
    "Table 1": [
        *rows(R34, PLACES, "55.2 35.4 57.6 37.4 52.4 57.4 59.4 52.1 50.3"),
        *rows(LOW, PLACES, "35.5 37.5 41.5 40.5 42.6 44.5 45.4 43.5 42.2"),
    ],
    "Table 2": [
        *rows(R34, [*LEARNED, ""], "59.4 58.5 60.2 59.9 59.2 60.7"),
        *rows(LOW, [*LEARNED, ""], "45.4 43.5 46.4 46.2 46.2 46.8"),
    ],
    "Table 3": [
        # 53.6 after 20 iterations, not learned, which the other tables have as 59.4
        *rows(f"{R34}_fixed", ITERATIONS, "46.7 51.3 52.4 59.4 59.2"),
        *rows(R34, ITERATIONS, "49.5 55.4 59.4 60.7 60.9"),
    ],
    "Table 4": [
        *rows(f"{R34}_fixed_input", FUSIONS, "37.4 61.3 59.7 58.3 60.1 42.4"),
        *rows(f"{R34}_fixed_stem", FUSIONS, "52.4 60.4 57.2 58.1 61.7 48.5"),
        *rows(f"{R34}_fixed", FUSIONS, "59.4 61.5 56.5 57.8 61.7 47.6"),
    ],
    "Table 5": [
        ("tvl1_r34_minikinetics_twice", 12.2),
        *rows(f"{R34}_fixed", ["", "_fof", "_fcf", "_fcfcf"], "59.4 47.2 62.3 56.5"),
    ],
    "Table 6": [
        *rows(
            "repflow_r3d18_minikinetics",
            ["_rgb", "tvl1", "twostream", "_input", "_stem", ""],
            "54.6 37.6 57.5 38.5 58.4 59.7",
        )
    ],
    "Table 7": [
        *rows(
            "repflow_r2plus1d18_minikinetics",
            ["_rgb", "tvl1", "twostream", "_input", "_stem", ""],
            "53.4 36.3 55.6 39.2 57.3 60.7",
        )
    ],
    "Table 8": [
        *named(
            "actionflownet_r18_minikinetics mfnet_r34_minikinetics "
            "tvnet_r34_minikinetics repflow_r34_minikinetics_224",
            "51.8 52.5 39.4 61.1",
        ),
        *named(
            "actionflownet_r18_hmdb51 mfnet_r34_hmdb51 tvnet_r34_hmdb51 "
            "repflow_r34_hmdb51",
            "56.2 56.8 57.5 65.4",
        ),
    ],
    "Table 9": [
        *named(  # Kinetics
            "repflow_r50_kinetics_rgb tvl1_r50_kinetics twostream_r50_kinetics "
            "repflow_r50_kinetics repflow_r50_kinetics_fcf "
            "repflow_tran_r2plus1d34_kinetics_rgb twostream_r2plus1d34_kinetics "
            "repflow_r2plus1d50_kinetics repflow_r2plus1d50_kinetics_fcf "
            "s3dg_inception_kinetics twostream_s3dg_kinetics i3d_inception_kinetics "
            "i3d_inception_kinetics_flow twostream_i3d_kinetics",
            "61.3 48.2 64.5 67.3 68.1 74.3 75.4 74.8 75.3 74.7 77.2 71.1 63.4 74.2",
        ),
        *named(  # HMDB
            "repflow_r50_hmdb51_rgb tvl1_r50_hmdb51 twostream_r50_hmdb51 "
            "twostream_tvnet_hmdb51 repflow_r50_hmdb51 repflow_r50_hmdb51_fcf "
            "i3d_inception_hmdb51 i3d_inception_hmdb51_flow twostream_i3d_hmdb51_tvl1",
            "53.4 57.3 62.4 71.0 73.4 74.1 49.8 61.9 66.4",
        ),
        *named(  # HMDB(+Kin)
            "repflow_r50_hmdb51_from-kinetics repflow_r50_hmdb51_fcf_from-kinetics "
            "repflow_tran_r2plus1d34_hmdb51_rgb twostream_r2plus1d34_hmdb51 "
            "repflow_r2plus1d50_hmdb51 repflow_r2plus1d50_hmdb51_fcf "
            "s3dg_inception_hmdb51 i3d_inception_hmdb51_from-kinetics "
            "i3d_inception_hmdb51_flow_from-kinetics twostream_i3d_hmdb51_tvl1",
            "75.3 76.2 74.5 78.7 76.4 77.3 75.9 74.3 77.3 80.7",
        ),
    ],
}
KINETICS = "monet_i3d_kinetics"
BASELINES = "mlp gru lstm bigru bilstm indrnn conv1d gru2 lstm2"
CLASSIFIERS = ["", "_trn", "_netvlad", "_nextvlad"]
IJCAI = {
    "Table 1": [
        *rows(
            KINETICS,
            [*(f"_{name}" for name in BASELINES.split()), ""],
            "48.21 55.92 55.57 55.14 56.03 27.98 62.45 56.16 60.30 63.42",
        )
    ],
    "Table 2": [
        ("i3d_inception_kinetics_flow", 58.72),
        *rows(KINETICS, ["_layers2", "_layers3", "_layers4"], "62.58 62.94 63.26"),
    ],
    "Table 3": [
        *rows(f"{KINETICS}_classifiers", CLASSIFIERS, "71.32 66.11 69.68 69.25"),
        *rows(f"{KINETICS}_classifiers", CLASSIFIERS, "74.24 70.49 74.51 74.51"),
        *rows(f"{KINETICS}_fusion", CLASSIFIERS, "72.12 67.60 71.78 72.40"),
        (f"{KINETICS}_e2e", 72.12),
    ],
    "Table 4": [
        ("monet_inception_youtube8m", "80.86 / 70.20 / 67.41 / 28.11"),
        ("monet_inception_youtube8m", "81.08 / 70.20 / 67.64 / 29.24"),
        ("monet_inception_youtube8m_nextvlad", "87.98 / 79.45 / 78.55 / 44.97"),
        ("monet_inception_youtube8m_nextvlad", "88.62 / 80.41 / 79.39 / 46.70"),
    ],
}
UCF = "hidden2s_vgg16_ucf101"
ACCV = {
    "table of accuracy and speed": [
        ("tvl1_vgg16_ucf101", 85.65),
        *rows(UCF, ["_fixed", "_action", ""], "83.76 84.04 84.88"),
        *rows(UCF.replace("hidden2s", "twostream"), ["_fixed"], "87.50"),
        *rows(UCF.replace("hidden2s", "twostream"), ["_action", ""], "87.99 89.82"),
    ],
    "table of architectures": [
        *rows(
            UCF,
            ["_tinymotionnet", "_vgg16motionnet", "_resnet50motionnet"],
            "83.45 82.03 84.37",
        )
    ],
    "ablation table": [
        *rows(
            f"{UCF}_temporal",
            [
                "_plain",
                "_nosmoothness",
                "_nosmoothconv",
                "_nossim",
                "_largekernels",
                "",
            ],
            "77.79 80.14 81.25 81.58 82.22 82.71",
        )
    ],
    "table of stacking and branching": [
        *named(
            "spatial_vgg16_ucf101 hidden2s_branched_ucf101 twostream_branched_ucf101",
            "79.80 83.42 84.17",
        )
    ],
    "table of all datasets": [
        *named(
            "spatial_vgg16_hmdb51 hidden2s_vgg16_hmdb51 twostream_vgg16_hmdb51 "
            "spatial_tsn_ucf101 hidden2s_tsn_ucf101 twostream_tsn_ucf101 "
            "spatial_tsn_hmdb51 hidden2s_tsn_hmdb51 twostream_tsn_hmdb51 "
            "twostream_i3d_ucf101 twostream_i3d_hmdb51 twostream_i3d_thumos14 "
            "twostream_i3d_activitynet",
            "45.5 57.7 62.0 85.7 86.3 92.5 54.5 59.6 67.3 97.1 78.7 80.6 91.2",
        )
    ],
}
TABLES = dict(ICLR=ICLR, IJCAI=IJCAI, ACCV=ACCV)
CELLS = [
    (edition, table, name, value)
    for edition, tables in TABLES.items()
    for table, cells in tables.items()
    for name, value in cells
]


def values(row):
    value = row.paper["value"]
    return list(value.values()) if isinstance(value, dict) else [value]


@pytest.mark.parametrize(("edition", "table", "name", "value"), CELLS)
def test_number(edition, table, name, value):
    row = models()[name]
    source = row.paper["source"]
    number = table.removeprefix("Table ")
    assert edition in source and (
        table in source or number in source.split("Tables")[1]
    )
    assert value in values(row)


def test_there_are_no_others():
    """Numbers of authors' repositories are not in these tables."""
    known = {name for _, _, name, _ in CELLS}
    for row in models().values():
        if row.paper and row.name not in known:
            assert row.paper["source"].startswith("authors' repository"), row.name
