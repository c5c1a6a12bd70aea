"""Every container, cut, shifted and fragmented: each frame is the one asked for.

Frames have their number painted into them. A file that a container's writer rejects to
make, and a window that a file's times do not allow, is listed below; all else is read.
"""

import numpy as np
import pytest
from helpers.painted_videos import GROUP, RATE, encode, number_in, remux

from flowzoo.datasets.transforms import DecodeFrames, OpenVideo, VideoError
from flowzoo.io.video import VideoReader

FRAMES = 60
CUT = 29  # frames that are cut off
MP4 = ["mp4", "mov"]
CONTAINERS = [
    *MP4, "mkv", "webm", "avi", "flv", "ts", "m2ts", "mpg", "wmv", "h264", "hevc", "gif"
]  # fmt: skip
FORMS = {
    "whole": lambda source, path: remux(source, path),
    # as by `ffmpeg -ss TIME -c copy`
    "cut": lambda source, path: remux(source, path, CUT, shift=-CUT),
    # a recording or a stream that was joined amid a group of pictures
    "joined": lambda source, path: remux(source, path, CUT, shift=-20, from_key=False),
    "negative start": lambda source, path: remux(source, path, shift=-5),
    "offset start": lambda source, path: remux(source, path, shift=100 * RATE),
}
# The first frame of a GIF is its only key frame. AVI has no times: an offset start is
# a first frame that lasts.
IMPOSSIBLE = {("gif", "cut"), ("gif", "joined"), ("avi", "offset start")}
# Matroska and FLV lose times below 0, streams without a container have none at all.
NO_TIMES = {
    *((container, form) for container in ("h264", "hevc") for form in FORMS),
    *(
        (container, form)
        for container in ("mkv", "webm", "flv")
        for form in ("cut", "negative start")
    ),
}


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """Make, once, the video that others are copied from."""
    folder = tmp_path_factory.mktemp("sources")

    def make(container, b_frames):
        path = folder / f"{b_frames}.{container}"
        return path if path.exists() else encode(path, FRAMES, b_frames=b_frames)

    return make


def first_frame(container, form):
    """The first one that a player shows."""
    if form == "joined":
        return CUT - CUT % GROUP + GROUP
    if container in MP4:  # an edit list hides what is before 0
        return {"cut": CUT, "negative start": 5}.get(form, 0)
    return CUT - CUT % GROUP if form == "cut" else 0


def read(path, numbers):
    with VideoReader(path) as reader:
        frames = dict(reader.read(numbers))
    return [number_in(frames[n].to_ndarray(format="rgb24")) for n in numbers]


def read_window(path, window):
    results = OpenVideo()(dict(filename=str(path), window=window))
    results["frame_inds"] = np.arange(results["total_frames"])
    return [number_in(image) for image in DecodeFrames()(results)["imgs"]]


def check_sequence(path, first):
    count = FRAMES - first
    with VideoReader(path) as reader:
        assert reader.frame_count == reader.promised_frames == count
    assert read(path, range(count)) == list(range(first, FRAMES))
    for numbers in ([count - 1], [2, count // 2, count - 2], [count // 3]):
        assert read(path, numbers) == [first + number for number in numbers]


def check_windows(path, first):
    for start, stop in ((0, 7), (1, 2), (13, 20), (14, 21), (20, 24)):
        expected = list(range(first + start, first + stop))
        assert read_window(path, (start / RATE, stop / RATE)) == expected


CASES = [
    (container, form)
    for container in CONTAINERS
    for form in FORMS
    if (container, form) not in IMPOSSIBLE
]


@pytest.mark.parametrize("b_frames", [0, 2], ids=["", "b_frames"])
@pytest.mark.parametrize(("container", "form"), CASES)
def test_every_frame_is_the_one_asked_for(container, form, b_frames, source, tmp_path):
    path = tmp_path / f"video.{container}"
    FORMS[form](source(container, b_frames), path)
    first = first_frame(container, form)
    check_sequence(path, first)
    if (container, form) in NO_TIMES:
        with pytest.raises(VideoError, match=rf"video\.{container} does not tell when"):
            read_window(path, (0, 0.5))
    else:
        check_windows(path, first)


@pytest.mark.parametrize("b_frames", [0, 2], ids=["", "b_frames"])
@pytest.mark.parametrize("container", MP4)
@pytest.mark.parametrize(
    "flags",
    [
        "frag_keyframe",
        "frag_keyframe+empty_moov",
        "frag_keyframe+default_base_moof",
        "frag_every_frame+empty_moov",
        "hybrid_fragmented",
    ],
)
def test_fragments(container, flags, b_frames, tmp_path):
    path = tmp_path / f"video.{container}"
    encode(path, FRAMES, b_frames=b_frames, movflags=flags)
    check_sequence(path, 0)
    check_windows(path, 0)
