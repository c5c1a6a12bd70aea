"""Videos that are closed, and threads and sequences that share one reader."""

import contextlib
import os
import threading
from pathlib import Path

import pytest
from helpers.broken_videos import audio_with_cover, without_decoder
from helpers.painted_videos import encode, number_in

from flowzoo.datasets.preparation import verify as verify_module
from flowzoo.datasets.preparation.verify import check_video
from flowzoo.io import video, video_stream
from flowzoo.io.video import VideoError, VideoReader


def test_files_are_closed(tmp_path):
    descriptors = Path("/proc/self/fd")
    if not descriptors.is_dir():
        pytest.skip("descriptors cannot be counted")
    paths = [encode(tmp_path / f"a.{suffix}") for suffix in ("mp4", "mkv", "h264")]
    paths += [without_decoder(tmp_path / "b.avi"), tmp_path / "absent.mp4"]
    (tmp_path / "text.mp4").write_text("no video")
    paths += [tmp_path / "text.mp4", audio_with_cover(tmp_path / "c.mp4")]
    for path in paths:
        with contextlib.suppress(VideoError), VideoReader(path) as reader:
            list(reader.read([0, 59]))
    # what other tests have left open, the garbage collector may close meanwhile
    opened = [os.path.realpath(descriptor) for descriptor in descriptors.iterdir()]
    assert not [path for path in opened if path.startswith(str(tmp_path))]


@pytest.mark.parametrize("suffix", ["avi", "mp4", "h264"])
def test_frames_are_not_read_from_a_closed_file(suffix, tmp_path):
    path = encode(tmp_path / f"a.{suffix}")
    with VideoReader(path) as reader:
        begun = [reader.frames(), reader.read([0, 20])]
        next(begun[1])
        late = [reader.frames(), reader.read([3])]
    for frames in [*begun, *late, reader.read([5])]:
        with pytest.raises(VideoError, match="its VideoReader is closed"):
            list(frames)
    for ask in (reader.frames, lambda: reader.stream):
        with pytest.raises(VideoError, match="its VideoReader is closed"):
            ask()


def test_a_file_is_not_closed_while_another_thread_decodes(tmp_path, monkeypatch):
    decoding, go_on = threading.Event(), threading.Event()

    def decode(*args):
        decoding.set()
        go_on.wait(60)
        yield from video_stream.decode(*args)

    monkeypatch.setattr(video, "decode", decode)
    reader = VideoReader(encode(tmp_path / "a.mp4"))
    frames, found = reader.frames(), []
    threads = [
        threading.Thread(target=lambda: found.append(next(frames))),
        threading.Thread(target=reader.close),
    ]
    threads[0].start()
    assert decoding.wait(60)
    threads[1].start()
    threads[1].join(0.2)
    assert threads[1].is_alive()
    go_on.set()
    for thread in threads:
        thread.join()
    assert number_in(found[0].to_ndarray(format="rgb24")) == 0
    with pytest.raises(VideoError, match="its VideoReader is closed"):
        next(frames)


@pytest.mark.parametrize("suffix", ["avi", "mp4", "h264"])
def test_one_sequence_is_read_at_a_time(suffix, tmp_path):
    with VideoReader(encode(tmp_path / f"a.{suffix}")) as reader:
        first = reader.frames()
        next(first)
        assert [number for number, _ in reader.read([2, 30])] == [2, 30]
        with pytest.raises(VideoError, match="something else was read"):
            list(first)
        assert len(list(reader.frames())) == reader.frame_count


def test_verification_asks_nothing_of_a_closed_file(tmp_path, monkeypatch):
    """Its memory is free then, and the numbers there are any."""

    class Reader(VideoReader):
        @property
        def stream(self):
            return OpenStream(self, super().stream)

    class OpenStream:
        def __init__(self, reader, stream):
            self.reader, self.stream = reader, stream

        def __getattr__(self, name):
            assert self.reader.stream
            return getattr(self.stream, name)

    path = encode(tmp_path / "a.mkv", 30)
    before = check_video(path)
    monkeypatch.setattr(verify_module, "VideoReader", Reader)
    assert check_video(path) == before
