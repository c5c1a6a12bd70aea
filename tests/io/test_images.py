"""Frames as a player shows them."""

import av
import numpy as np
import pytest
from helpers.painted_videos import encode, number_in, paint, turn

from flowzoo.datasets.transforms import DecodeFrames, OpenVideo


def decode(path, numbers):
    results = OpenVideo()(dict(filename=str(path)))
    return DecodeFrames()(results | dict(frame_inds=numbers))["imgs"]


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
@pytest.mark.parametrize("mirrored", [False, True])
def test_a_camera_that_was_turned_around(degrees, mirrored, tmp_path):
    source = encode(tmp_path / "source.mp4", 20)
    path = turn(source, tmp_path / "turned.mp4", degrees, mirrored)
    image = decode(path, [13])[0]
    plain = decode(source, [13])[0]
    turned = np.rot90(plain, degrees // 90)
    upright = turned[:, ::-1] if mirrored else turned
    np.testing.assert_array_equal(image, upright)
    assert image.flags.c_contiguous


def test_a_size_that_changes(tmp_path):
    path = tmp_path / "joined.ts"
    path.write_bytes(b"")
    for size in ((64, 32), (128, 64)):
        part = tmp_path / "part.ts"
        with av.open(str(part), "w") as container:
            stream = container.add_stream("libx264", rate=25)
            stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
            for number in range(10):
                image = paint(number).repeat(size[1] // 32, 0).repeat(size[0] // 64, 1)
                container.mux(stream.encode(av.VideoFrame.from_ndarray(image)))
            container.mux(stream.encode())
        path.write_bytes(path.read_bytes() + part.read_bytes())
    images = decode(path, [3, 17])
    assert [number_in(image) for image in images] == [3, 7]


@pytest.mark.parametrize("codec", ["png", "libx264"])  # RGB needs no conversion
def test_images_share_no_memory(codec, tmp_path):
    path = tmp_path / "a.mov"
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25)
        stream.width, stream.height = 64, 32
        stream.pix_fmt = "rgb24" if codec == "png" else "yuv420p"
        for number in range(6):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(paint(number))))
        container.mux(stream.encode())
    images = decode(path, range(7))  # the last one stands in for one that is missing
    for image in images[:-1]:
        image[:] = 7  # as the in-place Flip of mmaction2
    assert number_in(images[-1]) == 5
