"""Classify a video with an exported network: onnxruntime, PyAV and numpy, no torch.

usage: python examples/classify_onnx.py FILE.onnx VIDEO [--classes FILE] [--clips 3]

FILE.onnx is what tools/deploy/export.py writes. Clips of consecutive frames are taken
evenly from the video; their scores are averaged as probabilities.
"""

import argparse
import json
from pathlib import Path

import av
import numpy as np
import onnxruntime


def read_frames(path: str, height: int, width: int) -> np.ndarray:
    """All frames in RGB, (T, H, W, 3), upright as players show them."""
    frames = []
    with av.open(path) as container:
        if not container.streams.video:
            raise ValueError("no video stream")
        for frame in container.decode(video=0):
            turns = round(frame.rotation / 90) % 4
            size = (height, width) if turns % 2 else (width, height)
            image = frame.reformat(*size, format="rgb24").to_ndarray()
            frames.append(np.rot90(image, turns))
    if not frames:
        raise ValueError("no frames")
    return np.stack(frames)


def probabilities(session: onnxruntime.InferenceSession, clips: np.ndarray):
    (scores,) = session.run(["scores"], {"clips": clips})
    scores = np.exp(scores - scores.max(1, keepdims=True))
    return (scores / scores.sum(1, keepdims=True)).mean(0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("network")
    parser.add_argument("video")
    parser.add_argument(
        "--classes", type=Path, help="a name on each line; default: those in the file"
    )
    parser.add_argument("--clips", type=int, default=3)
    args = parser.parse_args()
    if args.clips < 1 or not Path(args.video).is_file():
        parser.error(f"{args.video} is no file, or --clips {args.clips} is below 1")
    if args.classes and not args.classes.is_file():
        parser.error(f"--classes {args.classes}: no such file")
    try:
        session = onnxruntime.InferenceSession(args.network)
    except Exception as error:  # ONNX Runtime's have no class in common
        parser.error(f"{args.network}: {error}")
    _, _, length, height, width = session.get_inputs()[0].shape
    try:
        frames = read_frames(args.video, height, width)
    except (OSError, ValueError, av.FFmpegError) as error:
        parser.error(f"cannot read {args.video}: {error}")
    starts = (
        np.linspace(0, max(0, len(frames) - length), args.clips).round().astype(int)
    )
    index = np.minimum(starts[:, None] + np.arange(length), len(frames) - 1)
    clips = frames[index].transpose(0, 4, 1, 2, 3).astype(np.float32)
    found = probabilities(session, clips)
    names = json.loads(session.get_modelmeta().custom_metadata_map.get("classes", "[]"))
    if args.classes:
        names = args.classes.read_text(encoding="utf-8-sig").splitlines()
    for label in found.argsort()[::-1][:5]:
        name = names[label] if label < len(names) else label
        print(f"{name}: {found[label]:.1%}")


if __name__ == "__main__":
    main()
