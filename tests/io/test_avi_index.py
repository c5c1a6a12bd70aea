"""AVI files of which a few bytes are damaged: never a wrong frame."""

import av
import numpy as np
import pytest
from helpers.painted_videos import GROUP, encode, number_in, paint

from flowzoo.io.video import VideoError, VideoReader


def read(path, numbers):
    with VideoReader(path) as reader:
        frames = dict(reader.read(numbers, max_missing=2))
    return [number_in(frames[n].to_ndarray(format="rgb24")) for n in numbers]


def change(data, start, new):
    data[start : start + len(new)] = new


def resize(by):
    def change_size(data, at, size):
        change(data, at + 4, (size + by(size)).to_bytes(4, "little"))

    return change_size


# of the head of a chunk: four letters, and the size
HEADS = {
    "no name": lambda data, at, size: change(data, at, bytes(4)),
    "the name of sound": lambda data, at, size: change(data, at, b"01wb"),
    "no size": resize(lambda size: -size),
    "half the size": resize(lambda size: -size // 2),
    "more than the size": resize(lambda size: 90),
    "nothing of it": lambda data, at, size: change(data, at, b"\xff" * 8),
}


def drop(data, at):
    data[at:-16] = data[at + 16 :]


def move(by):
    def change_offset(data, at):
        offset = int.from_bytes(data[at + 8 : at + 12], "little")
        change(data, at + 8, (offset + by).to_bytes(4, "little"))

    return change_offset


def repeat_the_next(data, at):
    change(data, at + 8, data[at + 24 : at + 28])


# of an entry of the index: four letters, flags, offset, and size
ENTRIES = {
    "absent": drop,
    "the name of sound": lambda data, at: change(data, at, b"01wb"),
    "an earlier place": move(-50),
    "a later place": move(4),
    "the place of the next": repeat_the_next,
    "another size": lambda data, at: change(data, at + 12, bytes([250])),
}


def check(path, data):
    """Whether all frames can be read; in any case, none is wrong."""
    path.write_bytes(data)
    results = set()
    for numbers in (range(60), [0], [40], [59], [1, 2, 3], [20, 22]):
        try:
            assert read(path, numbers) == list(numbers)
            results.add("right")
        except VideoError as error:
            message = str(error)
            assert f"cannot read {path} from " in message
            assert "its index says" in message
            results.add("error")
    return results == {"right"}


@pytest.mark.parametrize("codec", ["mpeg4", "mjpeg"])
@pytest.mark.parametrize("number", [0, 1, 20])
@pytest.mark.parametrize("damage", HEADS)
def test_a_damaged_chunk(damage, number, codec, tmp_path):
    source = encode(tmp_path / "a.avi", codec=codec)
    with av.open(str(source)) as container:
        entry = container.streams.video[0].index_entries[number]
        start, size = entry.pos, entry.size
    data = bytearray(source.read_bytes())
    HEADS[damage](data, start, size)
    is_readable = check(tmp_path / "bad.avi", data)
    assert not is_readable or number < 2  # these make FFmpeg go by the index


@pytest.mark.parametrize("codec", ["mpeg4", "mjpeg"])
@pytest.mark.parametrize("number", [1, 20])
@pytest.mark.parametrize("damage", ENTRIES)
def test_a_damaged_index(damage, number, codec, tmp_path):
    data = bytearray(encode(tmp_path / "a.avi", codec=codec).read_bytes())
    ENTRIES[damage](data, data.rindex(b"idx1") + 8 + 16 * number)
    assert not check(tmp_path / "bad.avi", data)


def test_an_index_is_as_good_with_sound(tmp_path):
    path = tmp_path / "a.avi"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25, options=dict(g=str(GROUP)))
        stream.width, stream.height, stream.pix_fmt = 64, 32, "yuv420p"
        stream.bit_rate = 1_000_000
        sound = container.add_stream("pcm_s16le", rate=8000, layout="mono")
        for number in range(60):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(paint(number))))
            silence = np.zeros((1, 320), np.int16)
            samples = av.AudioFrame.from_ndarray(silence, "s16", "mono")
            samples.sample_rate, samples.pts = 8000, 320 * number
            container.mux(sound.encode(samples))
        container.mux(stream.encode())
    for numbers in ([40], [59], list(range(60))):
        assert read(path, numbers) == numbers
    data = bytearray(path.read_bytes())
    index = data.rindex(b"idx1")
    entries = range(index + 8, len(data), 16)
    change(data, [at for at in entries if data[at : at + 2] == b"00"][20], b"01wb")
    assert not check(tmp_path / "bad.avi", data)
