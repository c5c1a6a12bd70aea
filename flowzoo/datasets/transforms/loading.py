"""Exact decoding of video files with PyAV.

mmaction2's PyAV, decord and OpenCV transforms trust the frame count of a file's
header, which may be absent or wrong, and the PyAV one fills in for missing frames
with others from the start. These say which file is bad and why.
"""

from __future__ import annotations

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
    counted. Results without ``filename`` pass through: mmaction2's inferencer keeps
    this transform for arrays and for folders of frames, which need no opening.

    Args:
        min_frames: the least number of frames that a video must have.

    Raises:
        VideoError: The file is missing, is not a video, has no frames, or fewer
            than ``min_frames``.
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
            images = self._decode(container, results["filename"], indices)
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
        stream.codec_context.thread_count = self.num_threads
        stream.thread_type = "AUTO"
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
        # Transforms may change images in place: repeated ones must not be shared.
        taken = set()
        result = []
        for index in indices.tolist():
            image = images[index]
            result.append(image.copy() if id(image) in taken else image)
            taken.add(id(image))
        return result

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


def _count_packets(container: av.container.InputContainer, filename: str) -> int:
    try:
        # The packet that ends the stream is empty.
        return sum(1 for packet in container.demux(video=0) if packet.size)
    except av.error.FFmpegError as error:
        raise VideoError(f"cannot read {filename}: {error.strerror}") from error
