"""Writing videos whose frames say nothing about each other."""

from pathlib import Path

import av
import numpy as np


def write_video(path: Path, frames: np.ndarray, rate: int = 16) -> None:
    """Encode (T, H, W, 3) uint8 RGB frames as H.264 of high quality.

    Every frame is coded on its own and in the same way: artifacts of a frame that is
    predicted from its neighbors would tell how things move.

    Raises:
        OSError: The file cannot be written.
    """
    options = dict(qp="20", g="1", preset="veryfast")
    try:
        with av.open(path, "w") as container:
            stream = container.add_stream("libx264", rate=rate, options=options)
            stream.height, stream.width = frames.shape[1:3]
            stream.pix_fmt = "yuv420p"
            # The encoder's output depends on the number of threads.
            stream.codec_context.thread_count = 1
            for frame in frames:
                image = av.VideoFrame.from_ndarray(frame, format="rgb24")
                container.mux(stream.encode(image))
            container.mux(stream.encode())
    except av.error.FFmpegError as error:
        # PyAV's own classes do not survive the way from one process to another
        raise OSError(error.errno, error.strerror) from error
