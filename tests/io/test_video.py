"""Files that people have met: the right frames, or an error that names the file."""

import os
import sys

import av
import numpy as np
import pytest
from helpers.broken_videos import audio_with_cover, mere_refreshes, without_decoder
from helpers.painted_videos import GROUP, RATE, encode, number_in, remux

from flowzoo.datasets.preparation import verify as verify_module
from flowzoo.datasets.preparation.verify import check_video, verify
from flowzoo.datasets.transforms import OpenVideo
from flowzoo.io import video_stream
from flowzoo.io.video import VideoError, VideoReader


def read(path, numbers, max_missing=0):
    with VideoReader(path) as reader:
        frames = dict(reader.read(numbers, max_missing))
    return [number_in(frames[n].to_ndarray(format="rgb24")) for n in numbers]


def count(path):
    with VideoReader(path) as reader:
        return reader.frame_count


def test_cover_art_is_no_video(tmp_path):
    with pytest.raises(VideoError, match=r"no video stream in .*a\.mp4 .cover art"):
        VideoReader(audio_with_cover(tmp_path / "a.mp4"))
    video = audio_with_cover(tmp_path / "b.mp4", video=True)
    with av.open(str(video)) as container:
        assert container.streams.video[0].disposition  # the cover comes first
    assert count(video) == 20
    assert read(video, [0, 19]) == [0, 19]


@pytest.mark.parametrize(
    "name", ["2024-05-01T12:30:00.mp4", "cam:1.mp4", "file:x.mp4", "a#b [c] %03d.mp4"]
)
def test_a_colon_is_no_protocol(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    encode(tmp_path / "plain.mp4").rename(tmp_path / name)
    assert read(name, [0, 59]) == [0, 59]
    with pytest.raises(VideoError, match=r"cannot open video no:1\.mp4: No such file"):
        VideoReader("no:1.mp4")


def test_a_codec_without_decoder(tmp_path):
    path = without_decoder(tmp_path / "alien.avi")
    with pytest.raises(VideoError, match=r"alien\.avi: FFmpeg has no decoder for"):
        VideoReader(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes")
def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.mp4")
    with pytest.raises(VideoError, match=r"pipe\.mp4: it is not a regular file"):
        VideoReader(tmp_path / "pipe.mp4")
    with pytest.raises(VideoError, match="it is not a regular file"):
        VideoReader(tmp_path)


def test_no_permission(tmp_path, monkeypatch):
    path = encode(tmp_path / "secret.mp4")

    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(video_stream.av, "open", refuse)
    with pytest.raises(VideoError, match=r"secret\.mp4: Permission denied"):
        VideoReader(path)


def test_a_seek_that_the_container_rejects(tmp_path, monkeypatch):
    """As a raw stream does, with a PermissionError."""
    path = encode(tmp_path / "raw.mkv")
    goals = []

    def refuse(_, goal):
        goals.append(goal)
        return iter(())

    monkeypatch.setattr(VideoReader, "_seek", refuse)
    assert read(path, [30, 59]) == [30, 59]
    assert goals


def test_key_frames_that_are_far_enough_apart_are_sought(tmp_path, monkeypatch):
    """Not those near by, as it takes less time to decode what is between."""
    path = encode(tmp_path / "a.mp4")
    sought, seek = [], VideoReader._seek

    def spy(self, goal):
        sought.append(goal)
        return seek(self, goal)

    monkeypatch.setattr(VideoReader, "_seek", spy)
    assert read(path, [7, GROUP]) == [7, GROUP]
    assert len(sought) == 1
    assert read(path, [8, GROUP]) == [8, GROUP]
    assert len(sought) == 1


@pytest.mark.parametrize("numbers", [[1], [40]])  # from the beginning, after a seek
def test_decoding_has_as_many_threads_as_asked_for(numbers, tmp_path):
    with VideoReader(encode(tmp_path / "a.mp4"), num_threads=1) as reader:
        dict(reader.read(numbers))
        assert reader.stream.codec_context.thread_count == 1
    with VideoReader(tmp_path / "a.mp4", num_threads=3) as reader:
        dict(reader.read(numbers))
        assert reader.stream.codec_context.thread_count == 3


def test_a_seek_that_leads_too_far(tmp_path, monkeypatch):
    path = encode(tmp_path / "inexact.mkv")
    seek = VideoReader._seek
    far = lambda self, goal: seek(self, goal + 1000)  # noqa: E731
    monkeypatch.setattr(VideoReader, "_seek", far)
    assert read(path, [20, 40, 41, 59]) == [20, 40, 41, 59]


@pytest.mark.parametrize(
    "codec", ["libx264", "libx265", "mpeg1video", "mpeg2video", "mpeg4", "libvpx"]
)
def test_seeking_gives_the_frames_of_reading_in_order(codec, tmp_path):
    path = encode(tmp_path / "long.mkv", 200, codec, b_frames=2)
    with VideoReader(path) as reader:
        expected = [frame.to_ndarray() for frame in reader.frames()]
        for numbers in ([150], [13, 60, 61, 199], [24, 36, 47, 48], [199], [0]):
            for number, frame in reader.read(numbers):
                np.testing.assert_array_equal(frame.to_ndarray(), expected[number])


def test_no_key_frame_but_the_first(tmp_path):
    """What is marked as one begins a refresh, bit by bit."""
    path = mere_refreshes(tmp_path / "refresh.mkv")
    assert read(path, [50]) == [50]
    assert read(path, [13, 45, 59]) == [13, 45, 59]
    cut = remux(path, tmp_path / "cut.mkv", 30, from_key=False)
    assert count(cut) == 0


def test_a_clock_that_was_set_back(tmp_path):
    """Transport streams that were joined by ``cat``."""
    once = encode(tmp_path / "once.ts")
    path = tmp_path / "twice.ts"
    path.write_bytes(once.read_bytes() * 2)
    assert count(path) == 120
    assert read(path, range(120)) == [*range(60), *range(60)]
    does_not_tell = pytest.raises(VideoError, match=r"twice\.ts does not tell when")
    with VideoReader(path) as reader, does_not_tell:
        reader.number_at(1.0)
    assert check_video(str(path)).fault == ""


def test_frames_that_were_dropped_at_recording(tmp_path):
    """AVI has empty chunks for them, which its header counts."""
    path = remux(encode(tmp_path / "a.avi"), tmp_path / "b.avi", shift=100)
    with av.open(str(path)) as container:
        assert container.streams.video[0].frames == 160
    assert count(path) == 60
    assert read(path, range(60)) == list(range(60))
    assert check_video(str(path)).fault == ""


def test_windows_where_frames_were_dropped_at_recording(tmp_path):
    """Which frames those were, an AVI with B-frames does not tell."""
    source = encode(tmp_path / "a.avi", b_frames=2)
    path = remux(source, tmp_path / "b.avi", shift=100)
    assert read(path, [7]) == [7]
    with pytest.raises(VideoError, match=r"b\.avi does not tell when"):
        OpenVideo()(dict(filename=str(path), window=(0.0, 1.0)))
    assert OpenVideo()(dict(filename=str(source), window=(0, 1)))["total_frames"] == 25


def test_a_picture_that_does_not_move(tmp_path):
    path = encode(tmp_path / "still.gif", 1)
    assert check_video(str(path)).frames == count(path) == 1
    assert read(path, []) == []
    assert read(path, [0]) == [0]


@pytest.mark.parametrize("b_frames", [0, 2])
def test_a_gap_is_filled_with_the_frame_before(b_frames, tmp_path, monkeypatch):
    path = encode(tmp_path / "gap.mkv", b_frames=b_frames)
    decode = VideoReader._decode

    def lose_three(self, *args, **options):
        frames = decode(self, *args, **options)
        return (frame for frame in frames if frame.pts not in (1200, 1240, 1280))

    monkeypatch.setattr(VideoReader, "_decode", lose_three)
    assert read(path, [29, 30, 31, 33], max_missing=2) == [29, 29, 29, 33]
    assert read(path, [31], max_missing=2) == [29]
    with pytest.raises(VideoError, match=r"frame 32 of .*gap\.mkv was asked for"):
        read(path, [32], max_missing=2)
    with pytest.raises(VideoError, match=r"frame 30 of .*gap\.mkv was asked for"):
        read(path, [30])


def test_a_lost_frame_does_not_shift_those_after_it(tmp_path, monkeypatch):
    path = encode(tmp_path / "a.mp4", b_frames=2)
    decode = VideoReader._decode

    def lose_one(self, *args, **options):
        frames = decode(self, *args, **options)
        return (frame for frame in frames if frame.time != 0.2)

    monkeypatch.setattr(VideoReader, "_decode", lose_one)
    assert read(path, [8, 30]) == [8, 30]
    assert read(path, [5], max_missing=1) == [4]


def test_two_frames_of_one_time(tmp_path):
    path = tmp_path / "twice.mp4"
    with (
        av.open(str(encode(tmp_path / "a.mp4", b_frames=2))) as given,
        av.open(str(path), "w") as new,
    ):
        copy = new.add_stream_from_template(given.streams.video[0])
        before = None
        for number, packet in enumerate(list(given.demux(video=0))[:-1]):
            if number % 20 == 7 and before >= packet.dts:
                packet.pts = before
            before = packet.pts
            packet.stream = copy
            new.mux(packet)
    for numbers in ([6], [7], [30, 59], range(60)):
        assert read(path, numbers) == list(numbers)


def test_times_of_frames_that_disagree_with_those_of_packets(tmp_path, monkeypatch):
    path = encode(tmp_path / "odd.mkv")
    decode = VideoReader._decode

    def shift(self, *args, **options):
        for frame in decode(self, *args, **options):
            frame.pts += 7
            yield frame

    monkeypatch.setattr(VideoReader, "_decode", shift)
    assert read(path, [0, 30, 59]) == [0, 30, 59]


def test_times_of_decoding_in_place_of_those_of_display(tmp_path):
    """As .wmv has them for codecs that it was not made for."""
    source = encode(tmp_path / "a.mp4", b_frames=3)
    path = tmp_path / "h264.wmv"
    with av.open(str(source)) as given, av.open(str(path), "w") as new:
        copy = new.add_stream_from_template(given.streams.video[0])
        for packet in list(given.demux(video=0))[:-1]:
            packet.pts = packet.dts
            packet.stream = copy
            new.mux(packet)
    assert count(path) == 60
    for numbers in ([2], [13, 40], [59], range(60)):
        assert read(path, numbers) == list(numbers)


@pytest.mark.parametrize("suffix", [".ts", ".mp4", ".mkv"])
def test_frames_whose_references_were_cut_off(suffix, tmp_path):
    """Two that follow the first key frame need others before it, and are not shown.

    Their times, which were before its own, were set right as by ``ffmpeg -copyts``.
    """
    source = encode(tmp_path / "a.mkv", codec="mpeg2video", b_frames=2)
    path = tmp_path / f"cut{suffix}"
    with av.open(str(source)) as given, av.open(str(path), "w") as new:
        copy = new.add_stream_from_template(given.streams.video[0])
        last = -1
        for place, packet in enumerate(list(given.demux(video=0))[GROUP - 2 : -1]):
            if place in (1, 2):
                packet.pts = GROUP * 40 + place
            packet.dts = last = max(last + 1, packet.dts)
            packet.stream = copy
            new.mux(packet)
    assert check_video(str(path)).frames == count(path) == 60 - GROUP
    assert read(path, range(60 - GROUP)) == list(range(GROUP, 60))
    assert read(path, [30]) == [GROUP + 30]


def test_no_frame_is_marked_as_a_key_frame(tmp_path):
    """What was cut out of a group; in Flash, none is marked at all."""
    path = tmp_path / "cut.avi"
    source = encode(tmp_path / "a.avi")
    with av.open(str(source)) as given, av.open(str(path), "w") as new:
        copy = new.add_stream_from_template(given.streams.video[0])
        for packet in list(given.demux(video=0))[1 : GROUP - 1]:
            packet.stream = copy
            new.mux(packet)
    for window in ({}, dict(window=(0, 1))):
        with pytest.raises(VideoError, match=r"cut\.avi has 0 frames"):
            OpenVideo()(dict(filename=str(path), **window))
    with pytest.raises(VideoError, match=r"frame 3 of .*cut\.avi was asked for"):
        read(path, [3])
    assert check_video(str(path)).fault == "undecodable: no frame"
    path = encode(tmp_path / "a.swf", codec="flv")
    assert read(path, [0, 33, 59]) == [0, 33, 59]


@pytest.mark.parametrize("suffix", ["m1v", "m2v", "mjpeg"])
def test_streams_without_a_container_have_no_windows(suffix, tmp_path):
    """Nor a frame rate in some: FFmpeg takes 25 then."""
    codecs = dict(m1v="mpeg1video", m2v="mpeg2video", mjpeg="mjpeg")
    path = encode(tmp_path / f"a.{suffix}", codec=codecs[suffix])
    assert read(path, [59, 3]) == [59, 3]
    with pytest.raises(VideoError, match=rf"a\.{suffix} does not tell when"):
        OpenVideo()(dict(filename=str(path), window=(0, 1)))


def test_a_wrong_frame_rate_is_not_believed(tmp_path):
    """DV is said to have 60000 frames in a second."""
    path = tmp_path / "a.dv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("dvvideo", rate=25)
        stream.width, stream.height, stream.pix_fmt = 720, 576, "yuv420p"
        for _ in range(5):
            container.mux(stream.encode(av.VideoFrame(720, 576)))
    results = OpenVideo()(dict(filename=str(path), window=(0.04, 0.16)))
    assert results["avg_fps"] == 25 and results["total_frames"] == 3


def test_times_that_change_with_a_seek(tmp_path):
    """Where a packet of a program stream holds several frames."""
    path = encode(tmp_path / "a.mpg", 90, "mpeg1video", b_frames=2)
    for number in (40, 53, 60, 77, 89):
        assert read(path, [number]) == [number]


def test_a_file_that_changes_is_read_anew(tmp_path):
    path = encode(tmp_path / "a.mkv", 20)
    assert count(path) == 20
    encode(path, 30)
    assert count(path) == 30


@pytest.mark.parametrize("shift", [0, -29])
@pytest.mark.parametrize("suffix", ["mp4", "ts"])
def test_verification_counts_as_the_reader_does(suffix, shift, tmp_path):
    source = encode(tmp_path / f"a.{suffix}", b_frames=2)
    path = remux(
        source, tmp_path / f"b.{suffix}", -shift, shift, from_key=suffix != "ts"
    )
    verdict = check_video(str(path))
    assert verdict.fault == "" and verdict.frames == count(path)


@pytest.mark.parametrize("suffix", ["ts", "mkv", "webm", "wmv", "flv"])
def test_verification_of_a_late_start(suffix, tmp_path, monkeypatch):
    """Neither the time before it counts nor what precedes the first key frame."""
    monkeypatch.setattr(verify_module, "_TOLERANCE", 0.1)
    source = encode(tmp_path / f"a.{suffix}")
    path = tmp_path / f"b.{suffix}"
    remux(source, path, start=4, shift=250, from_key=False)
    verdict = check_video(str(path))
    assert verdict.fault == "" and verdict.frames == 60 - GROUP
    assert verdict.seconds == pytest.approx((60 - GROUP) / RATE, abs=0.002)


def fail_on_odd_videos(path):
    if "odd" in path:
        raise ZeroDivisionError("an unforeseen error")
    return check_video(path)


@pytest.mark.parametrize("platform", ["linux", "darwin"])
def test_verification_goes_on(platform, tmp_path, monkeypatch):
    if platform != "linux":
        monkeypatch.setattr(sys, "platform", platform)  # threads, not processes
    encode(tmp_path / "good.avi")
    without_decoder(tmp_path / "alien.avi")
    (tmp_path / "odd.avi").touch()
    monkeypatch.setattr(verify_module, "check_video", fail_on_odd_videos)
    names = ["alien.avi", "odd.avi", "good.avi"]
    verdicts = verify(tmp_path, names, tmp_path / "journal", 1)
    assert verdicts["good.avi"].fault == "" and verdicts["good.avi"].frames == 60
    assert "has no decoder" in verdicts["alien.avi"].fault
    assert "an unforeseen error" in verdicts["odd.avi"].fault
