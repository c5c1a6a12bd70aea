import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from flowzoo.datasets.features import (
    FeatureDataset,
    FeatureFile,
    FeatureFileError,
    FeatureWriter,
)
from flowzoo.datasets.transforms import PackFeatures

NAMES = ["a/one", "b/two", "b/three"]
META = dict(config="x.py")


def sequences(channels=3, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.random((steps, channels)).astype("f4") for steps in (4, 2, 5)]


def write(path, names=NAMES, labels=((0,), (2,), (1,)), **kwargs):
    writer = FeatureWriter(path, names, labels, META)
    for i, x in enumerate(sequences(**kwargs)[: len(names)]):
        writer.add(i, x)
    writer.finish()
    return str(path)


def test_round_trip(tmp_path):
    path = write(tmp_path / "f.npz", labels=[[0], [2, 1], []])
    file = FeatureFile(path)
    assert file.names == NAMES and file.labels == [[0], [2, 1], []]
    assert file.channels == 3 and file.meta["config"] == "x.py"
    for read, written in zip(file, sequences(), strict=False):
        np.testing.assert_array_equal(read, written)
    # the documented format
    with np.load(path) as plain:
        np.testing.assert_array_equal(plain["features/00000001"], sequences()[1])
    assert list(tmp_path.iterdir()) == [tmp_path / "f.npz"]


def test_writing_goes_on_where_it_stopped(tmp_path):
    path = tmp_path / "f.npz"
    first = FeatureWriter(path, NAMES, [[0]] * 3, META)
    first.add(1, sequences()[1])
    (first.parts / "00000002.npy.tmp").write_bytes(b"killed while writing")
    again = FeatureWriter(path, NAMES, [[0]] * 3, META)
    assert again.missing() == [0, 2]
    with pytest.raises(ValueError, match="2 videos are missing, the first is a/one"):
        again.finish()
    for i in again.missing():
        again.add(i, sequences()[i])
    np.testing.assert_array_equal(again.finish()[1], sequences()[1])
    with pytest.raises(FileExistsError, match="exists already"):
        FeatureWriter(path, NAMES, [[0]] * 3, META)


def test_parts_of_another_source_are_rejected(tmp_path):
    FeatureWriter(tmp_path / "f.npz", NAMES, [[0]] * 3, META)
    for names, meta in ((NAMES[:2], META), (NAMES, dict(config="y.py"))):
        with pytest.raises(FileExistsError, match="another config"):
            FeatureWriter(tmp_path / "f.npz", names, [[0]] * len(names), meta)


def test_what_cannot_be_written(tmp_path):
    writer = FeatureWriter(tmp_path / "f.npz", NAMES, [[0]] * 3, META)
    with pytest.raises(ValueError, match=r"\(T, D\), got \(3,\)"):
        writer.add(0, np.zeros(3))
    with pytest.raises(ValueError, match="a/one are not finite"):
        writer.add(0, np.full((2, 3), np.float16(np.inf)))
    with pytest.raises(ValueError, match="called 'a'"):
        FeatureWriter(tmp_path / "g.npz", ["a", "a"], [[0]] * 2, META)


def test_unreadable_videos_are_left_out_and_named(tmp_path):
    writer = FeatureWriter(tmp_path / "f.npz", NAMES, [[0], [1], [2]], META)
    for i in (0, 2):
        writer.add(i, sequences()[i])
    file = writer.finish(unreadable=[1])
    assert file.names == ["a/one", "b/three"] and file.labels == [[0], [2]]
    assert file.meta["unreadable"] == ["b/two"]
    np.testing.assert_array_equal(file[1], sequences()[2])


def test_damage_is_found(tmp_path):
    path = tmp_path / "f.npz"
    write(path)
    data = bytearray(path.read_bytes())
    place = data.index(sequences()[1].tobytes())
    data[place] ^= 1
    path.write_bytes(data)
    file = FeatureFile(path)
    file[0]
    with pytest.raises(FeatureFileError, match=r"f\.npz: features/00000001 .*damaged"):
        file[1]
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(FeatureFileError, match="damaged"):
        FeatureFile(path)
    np.savez(path, x=np.zeros(3))
    with pytest.raises(FeatureFileError, match="not of tools"):
        FeatureFile(path)


def test_data_set_matches_streams_by_name(tmp_path):
    appearance = write(tmp_path / "a.npz")
    flow = write(tmp_path / "f.npz", ["b/three", "a/one"], [[1], [0]], channels=2)
    data = FeatureDataset([PackFeatures(max_difference=9)], appearance, flow)
    assert len(data) == 2
    first, second = data[0], data[1]
    assert first["inputs"]["appearance"].shape == (2, 3)  # as long as its flow
    assert second["data_samples"].gt_label.item() == 1
    assert second["data_samples"].metainfo["name"] == "b/three"
    expected = sequences(channels=2)[0]
    np.testing.assert_array_equal(second["inputs"]["flow"], expected)
    np.testing.assert_array_equal(second["inputs"]["appearance"], sequences()[2][:4])
    write(tmp_path / "g.npz", ["c"], [[1]])
    with pytest.raises(ValueError, match="no video in common"):
        FeatureDataset([], appearance, str(tmp_path / "g.npz"))


def test_workers_read_at_the_same_time(tmp_path):
    data = FeatureDataset([PackFeatures()], write(tmp_path / "a.npz"))
    data[0]  # opens the file before the workers fork
    loader = DataLoader(data, batch_size=None, num_workers=2)
    for item, expected in zip(loader, sequences(), strict=True):
        np.testing.assert_array_equal(item["inputs"]["appearance"], expected)


def test_labels(tmp_path):
    path = write(tmp_path / "a.npz", labels=[[0, 2], [], [1]])
    data = FeatureDataset([PackFeatures(num_classes=4)], path, multi_class=True)
    labels = [data[i]["data_samples"].gt_label.tolist() for i in range(3)]
    assert labels == [[1, 0, 1, 0], [0, 0, 0, 0], [0, 1, 0, 0]]
    with pytest.raises(ValueError, match="a/one has 2 labels; set multi_class"):
        FeatureDataset([], path)
    with pytest.raises(ValueError, match="label 2 of a/one is not one of 2 classes"):
        FeatureDataset([], path, multi_class=True, num_classes=2)


def test_streams_of_different_length():
    features = dict(appearance=np.zeros((9, 2)), flow=np.zeros((8, 2)))
    packed = PackFeatures()(dict(features=dict(features), label=3, name="v"))
    assert {len(x) for x in packed["inputs"].values()} == {8}
    assert packed["inputs"]["flow"].dtype == torch.float32
    features["flow"] = np.zeros((4, 2))
    with pytest.raises(ValueError, match=r"streams of v differ.*same frame rate"):
        PackFeatures()(dict(features=features, label=3, name="v"))


def test_missing_files_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nowhere\.npz.*make features"):
        FeatureDataset([], "nowhere.npz", download_hint="make features")
    (tmp_path / "a_split_2.npz").touch()
    absent = str(tmp_path / "a_split_5.npz")
    with pytest.raises(
        FileNotFoundError, match=r"is 5, but .* splits: 2\. make features"
    ):
        FeatureDataset([], absent, download_hint="make features")
    with pytest.raises(ValueError, match="appearance, flow, or both"):
        FeatureDataset([])
