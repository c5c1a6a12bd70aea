"""Exact decoding of video files with PyAV.

mmaction2's PyAV, decord and OpenCV transforms trust the frame count of a file's
header, which may be absent or wrong, and the PyAV one fills in for missing frames
with others from the start. These say which file is bad and why.
"""

from __future__ import annotations

import warnings

import numpy as np
from mmaction.registry import TRANSFORMS
from mmcv.transforms import BaseTransform

from flowzoo.io.images import ToRGB
from flowzoo.io.video import MAX_MISSING, VideoError, VideoReader, naming_errors


@TRANSFORMS.register_module()
class OpenVideo(BaseTransform):
    """Open a video file and learn its number of frames.

    Required keys: ``filename``. Added keys: ``total_frames``, ``avg_fps`` (0 where
    the file does not tell), ``video_reader``.

    The frames are those that are shown, see :mod:`flowzoo.io.video`. With the optional
    key ``window``, (start, end) in seconds, the video is that window of it:
    ``total_frames`` is what fits between start and end, or the end of the video, at
    the average frame rate. Where a file has fewer frames than its header promises, as
    it was cut off, a warning says so.

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
        reader = VideoReader(filename)
        total_frames = reader.frame_count
        if total_frames and "window" in results:
            total_frames = _frames_in_window(reader, results["window"])
        if total_frames < self.min_frames:
            reader.close()
            raise VideoError(
                f"video {filename} has {total_frames} frames, at least "
                f"{self.min_frames} are needed"
            )
        count, promised = reader.frame_count, reader.promised_frames
        if promised > count + MAX_MISSING:
            warnings.warn(
                f"{filename} has {count} of the {promised} frames that its header "
                "promises: only these are used",
                stacklevel=2,
            )
        results["video_reader"] = reader
        results["total_frames"] = total_frames
        results["avg_fps"] = reader.frame_rate
        return results

    def __repr__(self) -> str:
        return f"{type(self).__name__}(min_frames={self.min_frames})"


@TRANSFORMS.register_module()
class DecodeFrames(BaseTransform):
    """Decode the frames ``frame_inds`` of a video opened by :class:`OpenVideo`.

    Required keys: ``video_reader``, ``frame_inds`` (any order, with repetitions).
    Added keys: ``imgs`` (one (H, W, 3) uint8 RGB array for each index), ``img_shape``,
    ``original_shape``; ``video_reader`` is removed.

    Index i is the i-th frame that is shown. Only the frames needed are converted to
    RGB, upright where the file says how the camera was held. With the key ``window``,
    index i is the frame that is on display i + 1/2 frame periods after the window's
    start.

    Args:
        num_threads: decoding threads; 0 lets FFmpeg choose. More than one seldom
            pays, as the data loader's workers run at the same time.
        max_missing: frames in a row that may be missing; the one before them stands
            in. Headers of AVI files with packed B-frames (in HMDB51, UCF101) promise
            one or two frames more than there are.

    Raises:
        VideoError: A frame is missing or damaged.
    """

    def __init__(self, num_threads: int = 1, max_missing: int = MAX_MISSING) -> None:
        self.num_threads = num_threads
        self.max_missing = max_missing

    def transform(self, results: dict) -> dict:
        indices = np.asarray(results["frame_inds"]).reshape(-1).tolist()
        with results.pop("video_reader") as reader:
            reader.num_threads = self.num_threads
            if "window" in results:
                start = results["window"][0]
                indices = self._window_frames(reader, start, indices)
            to_rgb = ToRGB(self.num_threads)
            images = {}
            with naming_errors(f"convert frames of {reader.filename}"):
                for number, frame in reader.read(indices, self.max_missing):
                    images[number] = to_rgb(frame)
                    del frame  # the decoder is quicker where it can reuse the memory
        results["imgs"] = _unshared(images, indices)
        results["original_shape"] = results["img_shape"] = results["imgs"][0].shape[:2]
        return results

    def _window_frames(
        self, reader: VideoReader, start: float, indices: list[int]
    ) -> list[int]:
        period = 1 / reader.frame_rate
        # in the middle of a period, as times in files are rounded
        times = [start + (index + 0.5) * period for index in indices]
        end = reader.seconds()
        if max(times) > end + self.max_missing * period:
            raise VideoError(
                f"{reader.filename} was asked for its frame at {max(times):.2f} s, but "
                f"the last one is at {end - period:.2f} s"
            )
        return [reader.number_at(time) for time in times]

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(num_threads={self.num_threads}, "
            f"max_missing={self.max_missing})"
        )


def _unshared(images: dict[int, np.ndarray], indices: list[int]) -> list[np.ndarray]:
    """The image of each index; transforms may change them in place."""
    taken = set()
    result = []
    for index in indices:
        image = images[index]
        result.append(image.copy() if id(image) in taken else image)
        taken.add(id(image))
    return result


def _frames_in_window(reader: VideoReader, window: tuple[float, float]) -> int:
    """Number of frames from start to end, or to the end of the video."""
    start, end = window
    if not 0 <= start < end:
        raise VideoError(f"{reader.filename} has no window from {start:g} to {end:g} s")
    end = min(end, reader.seconds())
    if end <= start:
        raise VideoError(
            f"the window from {start:g} to {window[1]:g} s is after the end of "
            f"{reader.filename}, {end:g} s"
        )
    return max(1, round((end - start) * reader.frame_rate))
