import mmcv
import numpy as np
import pytest

from flowzoo.datasets import FlowPairDataset

PIPELINE = [
    dict(type="LoadFlowPair"),
    dict(type="FormatFlow"),
    dict(type="FormatShape", input_format="NCTHW"),
    dict(type="PackActionInputs", algorithm_keys=("gt_flow",)),
]
SHARED = ("-img0.ppm", "-img1.ppm", "-gt.flo")


def write_pair(folder, name, flow, size=(6, 8)):
    for number in (1, 2):
        image = np.full((*size, 3), (10, 20, 30 * number), np.uint8)  # R, G, B
        mmcv.imwrite(image[..., ::-1], str(folder / f"{name}_img{number}.ppm"))
    mmcv.flowwrite(flow.astype(np.float32), str(folder / f"{name}_flow.flo"))


def test_pairs_are_found_and_read(tmp_path):
    flow = np.random.default_rng(0).normal(size=(6, 8, 2))
    for name in ("00002", "00001"):
        write_pair(tmp_path, name, flow * int(name))
    flow[0, 0, 1] = 1e10
    write_pair(tmp_path, "00003", flow)
    dataset = FlowPairDataset(str(tmp_path), PIPELINE, test_mode=True)
    assert len(dataset) == 3
    sample = dataset[1]
    assert sample["inputs"].shape == (1, 3, 2, 6, 8)
    assert sample["inputs"][0, :, :, 0, 0].T.tolist() == [[10, 20, 30], [10, 20, 60]]
    found = sample["data_samples"].gt_flow
    np.testing.assert_allclose(found[0, 0], 2 * flow[..., 0], rtol=1e-6)
    unknown = dataset[2]["data_samples"].gt_flow[0].isnan()
    assert unknown[:, 0, 0].all() and unknown.sum() == 2


def test_flying_chairs(real_videos):
    dataset = FlowPairDataset(str(real_videos / "flyingchairs"), PIPELINE, SHARED)
    assert len(dataset) == 9
    sample = dataset[0]
    assert sample["inputs"].shape == (1, 3, 2, 384, 512)
    assert sample["data_samples"].gt_flow.shape == (1, 2, 384, 512)


def test_errors(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no \*_flow\.flo in .*Get it there"):
        FlowPairDataset(str(tmp_path), PIPELINE, download_hint="Get it there.")
    write_pair(tmp_path, "1", np.zeros((6, 9, 2)))
    dataset = FlowPairDataset(str(tmp_path), PIPELINE)
    with pytest.raises(ValueError, match=r"1_flow\.flo differ in size"):
        dataset[0]
    (tmp_path / "1_img2.ppm").unlink()
    with pytest.raises(FileNotFoundError, match=r"has no 1_img2\.ppm beside it"):
        FlowPairDataset(str(tmp_path), PIPELINE)
