"""Exact decoding of video files with PyAV.

mmaction2's PyAV, decord and OpenCV transforms trust the frame count of a file's
header, which may be absent or wrong, and the PyAV one fills in for missing frames
with others from the start. These say which file is bad and why.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import av
import numpy as np
from av.video.reformatter import VideoReformatter
from mmaction.registry import TRANSFORMS
from mmcv.transforms import BaseTransform


class VideoError(RuntimeError):
    """A video that cannot be read as asked; the message names the file."""


@TRANSFORMS.register_module()
class OpenVideo(BaseTransform):
    """Open a video file and learn its number of frames.

    Required keys: ``filename``. Added keys: ``total_frames``, ``avg_fps`` (0 where
    the file does not tell), ``av_container``.

    Where the header has no frame count, the packets of the video stream are
    counted. With the optional key ``window``, (start, end) in seconds, the video is
    that window of it: ``total_frames`` is what fits between start and end, or the end
    of the video, at the average frame rate.

    Results without ``filename`` pass through: mmaction2's inferencer keeps this
    transform for arrays and for folders of frames, which need no opening.

    Args:
        min_frames: the least number of frames that a video must have.

    Raises:
        VideoError: The file is missing, is not a video, has no frames, or fewer
            than ``min_frames``; a window outside the video.
    """

    def __init__(self, min_frames: int = 1) -> None:
        self.min_frames = min_frames

    def transform(self, results: dict) -> dict:
        if "filename" not in results:
            return results
        filename = results["filename"]
        try:
            # Real files have titles that are not UTF-8.
            container = av.open(filename, metadata_errors="replace")
        except (av.error.FFmpegError, OSError) as error:
            raise VideoError(
                f"cannot open video {filename}: {error.strerror}"
            ) from error
        if not container.streams.video:
            raise VideoError(f"no video stream in {filename}")
        stream = container.streams.video[0]
        if "window" in results:
            total_frames = _frames_in_window(container, filename, results["window"])
        else:
            total_frames = stream.frames
            if not total_frames:
                total_frames = _count_packets(container, filename)
                container.seek(0)
        if total_frames < self.min_frames:
            raise VideoError(
                f"video {filename} has {total_frames} frames, at least "
                f"{self.min_frames} are needed"
            )
        results["av_container"] = container
        results["total_frames"] = total_frames
        results["avg_fps"] = float(stream.average_rate or 0)
        return results

    def __repr__(self) -> str:
        return f"{type(self).__name__}(min_frames={self.min_frames})"


@TRANSFORMS.register_module()
class DecodeFrames(BaseTransform):
    """Decode the frames ``frame_inds`` of a video opened by :class:`OpenVideo`.

    Required keys: ``filename``, ``av_container``, ``frame_inds`` (any order, with
    repetitions). Added keys: ``imgs`` (one (H, W, 3) uint8 RGB array for each
    index), ``img_shape``, ``original_shape``; ``av_container`` is removed.

    Frames are decoded from the first to the last one needed, so that an index
    always means the same frame; only those needed are converted to RGB.

    With the key ``window`` only the window is decoded: index i is the frame that is
    on display i + 1/2 frame periods after the window's start.

    Args:
        num_threads: decoding threads; 0 lets FFmpeg choose. More than one seldom
            pays, as the data loader's workers run at the same time.
        max_missing: frames that may be missing at the end; the last one stands in
            for them. Headers of AVI files with packed B-frames (in HMDB51, UCF101)
            promise one or two frames more than there are.

    Raises:
        VideoError: A frame is missing or damaged.
    """

    def __init__(self, num_threads: int = 1, max_missing: int = 2) -> None:
        self.num_threads = num_threads
        self.max_missing = max_missing

    def transform(self, results: dict) -> dict:
        indices = np.asarray(results["frame_inds"]).reshape(-1)
        with results.pop("av_container") as container:
            stream = container.streams.video[0]
            stream.codec_context.thread_count = self.num_threads
            stream.thread_type = "AUTO"
            if "window" in results:
                start = results["window"][0]
                decode = partial(self._decode_window, start=start)
            else:
                decode = self._decode
            images = decode(container, results["filename"], indices)
        results["imgs"] = images
        results["original_shape"] = results["img_shape"] = images[0].shape[:2]
        return results

    def _decode(
        self,
        container: av.container.InputContainer,
        filename: str,
        indices: np.ndarray,
    ) -> list[np.ndarray]:
        stream = container.streams.video[0]
        to_rgb = VideoReformatter()  # one for all frames, as setting up takes long
        wanted, last = set(indices.tolist()), int(indices.max())
        images, frame, count = {}, None, 0
        try:
            for frame in container.decode(stream):
                if count in wanted:
                    images[count] = self._to_rgb(to_rgb, frame)
                count += 1
                if count > last:
                    break
        except av.error.FFmpegError as error:
            raise VideoError(
                f"cannot decode frame {count} of {filename}: {error.strerror}"
            ) from error
        if count <= last:
            if not 0 <= last - count < self.max_missing or frame is None:
                raise VideoError(
                    f"frame {last} of {filename} was asked for, but only {count} "
                    "frames could be decoded"
                )
            final = self._to_rgb(to_rgb, frame)
            images.update({index: final for index in wanted if index >= count})
        return _unshared(images, indices)

    def _decode_window(
        self,
        container: av.container.InputContainer,
        filename: str,
        indices: np.ndarray,
        start: float,
    ) -> list[np.ndarray]:
        """Like :meth:`_decode`, from a time in seconds on."""
        stream = container.streams.video[0]
        period = 1 / float(stream.average_rate)
        # in the middle of a period, as times in files are rounded
        times = {index: start + (index + 0.5) * period for index in indices.tolist()}
        wanted = sorted(times, key=times.get)
        to_rgb = VideoReformatter()
        images, shown, shown_at = {}, None, None
        try:
            for frame, time in _frames_from(container, times[wanted[0]]):
                if time is None:
                    raise VideoError(
                        f"{filename} has frames without a time, so windows of it "
                        "cannot be read; convert it to .mp4"
                    )
                # the frame before this one is on display up to now
                due = [i for i in wanted if i not in images and times[i] < time]
                if due:
                    image = self._to_rgb(to_rgb, frame if shown is None else shown)
                    images.update(dict.fromkeys(due, image))
                shown, shown_at = frame, time
                if len(images) == len(times):
                    break
        except av.error.FFmpegError as error:
            raise VideoError(
                f"cannot decode {filename} at {start:g} s: {error.strerror}"
            ) from error
        rest = [i for i in wanted if i not in images]
        if rest:
            if shown is None or times[rest[-1]] > shown_at + period * (
                1 + self.max_missing
            ):
                at = "nothing" if shown is None else f"{shown_at:.2f} s"
                raise VideoError(
                    f"{filename} was asked for its frame at {times[rest[-1]]:.2f} s, "
                    f"but the last one is at {at}"
                )
            images.update(dict.fromkeys(rest, self._to_rgb(to_rgb, shown)))
        return _unshared(images, indices)

    def _to_rgb(
        self, reformatter: VideoReformatter, frame: av.VideoFrame
    ) -> np.ndarray:
        threads = self.num_threads
        return reformatter.reformat(frame, format="rgb24", threads=threads).to_ndarray()

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(num_threads={self.num_threads}, "
            f"max_missing={self.max_missing})"
        )


def _unshared(images: dict[int, np.ndarray], indices: np.ndarray) -> list[np.ndarray]:
    """The image of each index; transforms may change them in place."""
    taken = set()
    result = []
    for index in indices.tolist():
        image = images[index]
        result.append(image.copy() if id(image) in taken else image)
        taken.add(id(image))
    return result


def _frames_in_window(
    container: av.container.InputContainer,
    filename: str,
    window: tuple[float, float],
) -> int:
    """Number of frames from start to end, or to the end of the video."""
    start, end = window
    if not 0 <= start < end:
        raise VideoError(f"{filename} has no window from {start:g} to {end:g} s")
    stream = container.streams.video[0]
    if not stream.average_rate:
        raise VideoError(
            f"{filename} does not tell its frame rate, so windows of it cannot be "
            "read; convert it to .mp4"
        )
    if stream.duration:
        end = min(end, float(stream.duration * stream.time_base))
    elif container.duration:
        end = min(end, container.duration / av.time_base)
    if end <= start:
        raise VideoError(
            f"the window from {start:g} to {window[1]:g} s is after the end of "
            f"{filename}, {end:g} s"
        )
    return max(1, round((end - start) * float(stream.average_rate)))


def _frames_from(
    container: av.container.InputContainer, time: float
) -> Iterator[tuple[av.VideoFrame, float | None]]:
    """Frames and their times in seconds, the first one on display at ``time``.

    Starts at a key frame before it, and at the video's start where an inexact index
    leads past it.
    """
    stream = container.streams.video[0]
    origin = stream.start_time or 0
    container.seek(origin + int(time / stream.time_base), stream=stream, backward=True)
    at_start = False
    frames = container.decode(stream)
    while (frame := next(frames, None)) is not None:
        at = None
        if frame.pts is not None:
            at = float((frame.pts - origin) * stream.time_base)
            if at > time and not at_start:
                container.seek(origin, stream=stream, backward=True)
                frames, at_start = container.decode(stream), True
                continue
        at_start = True
        yield frame, at


def _count_packets(container: av.container.InputContainer, filename: str) -> int:
    try:
        # The packet that ends the stream is empty.
        return sum(1 for packet in container.demux(video=0) if packet.size)
    except av.error.FFmpegError as error:
        raise VideoError(f"cannot read {filename}: {error.strerror}") from error
