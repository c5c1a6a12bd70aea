"""Reading YouTube-8M's records, written here byte by byte."""

import numpy as np
import pytest
from torch.utils.data import DataLoader

from flowzoo.datasets.transforms import PackFeatures
from flowzoo.datasets.youtube8m import YouTube8MDataset, dequantize, parse_video
from flowzoo.io.tfrecord import index_records, masked_crc, record_bytes

pytest.importorskip("google_crc32c")
pytest.importorskip("google.protobuf")


def varint(value):
    out = b""
    while value >= 128:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def message(number, content):
    """A field of protobuf's wire format that holds a message or bytes."""
    return varint(number << 3 | 2) + varint(len(content)) + content


def video(name=b"ab12", labels=(3, 300), frames=4, channels=1024, seed=0):
    """A SequenceExample and its levels (T, channels), by the published definition."""
    levels = np.random.default_rng(seed).integers(0, 256, (frames, channels), np.uint8)
    context = message(1, message(1, b"id") + message(2, message(1, message(1, name))))
    packed = message(1, b"".join(map(varint, labels)))
    context += message(1, message(1, b"labels") + message(2, message(3, packed)))
    rows = b"".join(message(1, message(1, message(1, row.tobytes()))) for row in levels)
    named = message(1, message(1, b"rgb") + message(2, rows))
    audio = levels[:, :128]
    rows = b"".join(message(1, message(1, message(1, row.tobytes()))) for row in audio)
    named += message(1, message(1, b"audio") + message(2, rows))
    return message(1, context) + message(2, named), levels


def write(path, count=3, **kwargs):
    path.write_bytes(
        b"".join(
            record_bytes(video(b"v%d" % i, seed=i, **kwargs)[0]) for i in range(count)
        )
    )
    return path


def make(pattern, **kwargs):
    pipeline = [PackFeatures(num_classes=3862)]
    return YouTube8MDataset(str(pattern), pipeline, **kwargs)


def test_checksum():
    # CRC-32C of "123456789" is 0xe3069283 (RFC 3720 and every table of CRCs)
    crc = 0xE3069283
    expected = ((crc >> 15) | (crc << 17)) + 0xA282EAD8
    assert masked_crc(b"123456789") == expected & 0xFFFFFFFF


def test_parse():
    data, levels = video()
    name, labels, frames = parse_video(data)
    assert (name, labels) == ("ab12", [3, 300])
    np.testing.assert_array_equal(frames, dequantize(levels))
    both = parse_video(data, ("rgb", "audio"))[2]
    np.testing.assert_array_equal(both[:, 1024:], dequantize(levels[:, :128]))


def test_dequantize():
    """utils.Dequantize of YouTube-8M's starter code: scalar 4/255, bias 4/512 - 2."""
    values = dequantize(np.array([0, 1, 255], np.uint8))
    expected = np.array([0, 1, 255]) * (4 / 255) + 4 / 512 - 2
    np.testing.assert_allclose(values, expected, atol=1e-6)
    assert values.dtype == np.float32


def test_data_set(tmp_path):
    write(tmp_path / "train0.tfrecord", 2)
    write(tmp_path / "train1.tfrecord", 3)
    data = make(tmp_path / "train*.tfrecord")
    assert len(data) == 5 and data.num_skipped == 0
    item = data[4]
    _, levels = video(b"v2", seed=2)
    np.testing.assert_array_equal(item["inputs"]["appearance"], dequantize(levels))
    sample = item["data_samples"]
    assert sample.metainfo["name"] == "v2"
    assert sample.gt_label.nonzero().flatten().tolist() == [3, 300]
    loader = DataLoader(data, batch_size=None, num_workers=2)
    names = [item["data_samples"].metainfo["name"] for item in loader]
    assert names == ["v0", "v1", "v0", "v1", "v2"]


def test_truncated_file(tmp_path):
    path = write(tmp_path / "a.tfrecord")
    whole = path.read_bytes()
    for cut, reason in (
        (len(whole) - 5, "in a record"),
        (len(whole) // 3 + 4, "header"),
    ):
        path.write_bytes(whole[:cut])
        index = index_records(path)
        assert len(index.offsets) == (2 if "record" in reason else 1)
        assert len(index.bad) == 1 and reason in str(index.bad[0])
        assert "a.tfrecord, byte" in str(index.bad[0])
    assert len(make(path)) == 1


def test_corrupt_length_ends_a_file(tmp_path):
    path = write(tmp_path / "a.tfrecord")
    data = bytearray(path.read_bytes())
    second = len(data) // 3
    data[second] ^= 1
    path.write_bytes(data)
    index = index_records(path)
    assert len(index.offsets) == 1
    assert f"remaining {len(data) - second} bytes" in str(index.bad[0])


@pytest.fixture
def corrupt(tmp_path):
    """Three records, the second with a wrong bit in its data."""
    path = write(tmp_path / "a.tfrecord")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    return path


def test_corrupt_data_is_left_out_of_a_test(corrupt):
    data = make(corrupt, test_mode=True)
    assert [data.get_data_info(i)["name"] for i in range(len(data))] == ["v0", "v2"]
    assert data.num_skipped == 1
    assert "a.tfrecord, byte" in str(data.bad[0]) and "checksum" in str(data.bad[0])


def test_corrupt_data_is_replaced_in_training(corrupt):
    data = make(corrupt)
    assert len(data) == 3
    for _ in range(3):
        assert data[1]["data_samples"].metainfo["name"] in ("v0", "v2")
    assert data.num_skipped == 1
    for _ in DataLoader(data, batch_size=None, num_workers=1):
        pass
    assert data.num_skipped == 1


def test_nothing_but_corrupt_data(corrupt):
    data = make(corrupt)
    data._offset[:], data._length[:] = data._offset[1], data._length[1]
    with pytest.raises(RuntimeError, match="11 records in a row"):
        data[0]


@pytest.mark.parametrize(
    "record, reason",
    [
        (b"\xff\xff", "not a SequenceExample"),
        (b"", "no id, labels, rgb"),
        (video(frames=0)[0], "1024 bytes for each of its 0 frames"),
        (video(channels=1000)[0], "1024 bytes for each of its 4 frames, got 4000"),
        (video(labels=(2**64 - 1,))[0], "label -1 is negative"),
    ],
)
def test_records_of_another_kind(record, reason):
    with pytest.raises(ValueError, match=reason):
        parse_video(record)


def test_labels_outside_the_classes(tmp_path):
    path = write(tmp_path / "a.tfrecord", labels=(4000,))
    with pytest.raises(RuntimeError, match="could not be read"):
        make(path)[0]


def test_hold_out(tmp_path):
    for i in range(20):
        write(tmp_path / f"{i:02d}.tfrecord", 1)
    parts = [make(tmp_path / "*.tfrecord", held_out=h).files for h in (False, True)]
    assert len(parts[1]) == 3
    assert sorted(parts[0] + parts[1]) == make(tmp_path / "*.tfrecord").files
    with pytest.raises(ValueError, match="1 files are too few"):
        make(tmp_path / "00.tfrecord", held_out=True)


def test_errors(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no file matches.*research\.google"):
        make(tmp_path / "none*.tfrecord")
    (tmp_path / "text.tfrecord").write_text("this is not a TFRecord file")
    with pytest.raises(ValueError, match="no whole record"):
        make(tmp_path / "text.tfrecord")
    with pytest.raises(ValueError, match="'rgb', 'audio'"):
        make(tmp_path / "text.tfrecord", features=("mean_rgb",))
