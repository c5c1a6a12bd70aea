"""Classify videos over time: top classes as text, JSON and an annotated video.

usage: python tools/demo.py VIDEO|FOLDER|CAMERA --model NAME|CONFIG [--weights FILE]
           [--classes FILE] [--out DIR]

for example: python tools/demo.py clip.mp4 --model repflow_r18_motionshapes

NAME is a model of the zoo (tools/zoo/download.py --list), CONFIG a config of FlowZoo or
mmaction2. CAMERA is a number, 0 for the first one; VIDEO may be the URL of a stream.
Both end with Ctrl-C, and what was written stays. Into DIR go NAME.json and NAME.mp4
with flow beside the image: the model's own (representation flow, TVNet or MotionNet),
or TV-L1 flow where it computes none.
"""

# ruff: noqa: E402
import argparse
import contextlib
import json
import sys
from pathlib import Path

from mmaction_tool import wait_passively

wait_passively()  # before torch is loaded

from tqdm import tqdm

import flowzoo  # noqa: F401
from flowzoo.datasets.preparation.sources import VIDEO_SUFFIXES
from flowzoo.devices import device_argument
from flowzoo.inference import Inferencer, Prediction, average
from flowzoo.interrupts import run_tool
from flowzoo.io.video import VideoError
from flowzoo.visualization.annotated_video import AnnotatedVideo


def line_of(prediction: Prediction) -> str:
    scores = prediction.as_dict()["scores"].items()
    classes = ", ".join(f"{name} {score:.1%}" for name, score in scores)
    return f"{prediction.start:7.2f} - {prediction.end:.2f} s: {classes}"


def name_of(source: str, sources: list[str]) -> str:
    """What its files are called: with the suffix where two would be the same."""
    if source.isdecimal():
        return f"camera_{source}"
    stem = Path(source).with_suffix("")
    same = sum(Path(other).with_suffix("") == stem for other in sources)
    return (Path(source).name if same > 1 else stem.name) or "stream"


def run(inferencer: Inferencer, source: str, out: Path, name: str, video: bool) -> None:
    """Classify one source, print its parts as they come, and write the files."""
    out.mkdir(parents=True, exist_ok=True)
    predictions: list[Prediction] = []
    with contextlib.ExitStack() as stack:
        writer = None
        try:
            for prediction in inferencer(source, with_flow=video):
                tqdm.write(line_of(prediction))
                predictions.append(prediction)
                if not video:
                    continue
                if writer is None:
                    seconds = prediction.end - prediction.start
                    rate = len(prediction.frames) / seconds
                    path = out / f"{name}.mp4"
                    writer = AnnotatedVideo(path, rate, inferencer.top)
                    stack.enter_context(writer)
                text = [
                    f"{score:6.1%}  {label}"
                    for label, score in prediction.as_dict()["scores"].items()
                ]
                writer.write(
                    prediction.frames,
                    prediction.new,
                    text,
                    prediction.flow,
                    prediction.flow_name,
                )
        except KeyboardInterrupt:
            tqdm.write("interrupted")
    mean = average(predictions)
    content = dict(
        video=source,
        mean=mean,
        parts=[prediction.as_dict() for prediction in predictions],
    )
    (out / f"{name}.json").write_text(json.dumps(content, indent=1) + "\n")
    if mean:
        tqdm.write(f"{source}: {next(iter(mean))} ({next(iter(mean.values())):.1%})")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("source", help="a video, a folder of videos, or a camera")
    parser.add_argument("--model", required=True)
    parser.add_argument("--weights", help="default: the zoo's of the model")
    parser.add_argument("--classes", help="file with a name on each line")
    parser.add_argument("--out", type=Path, default=Path("demo"))
    parser.add_argument("--top", type=int, default=5)
    parser.add_argument("--step", type=float, help="seconds from part to part")
    parser.add_argument("--device", type=device_argument)
    parser.add_argument("--no-video", action="store_true", help="text and JSON only")
    args = parser.parse_args()
    try:
        inferencer = Inferencer(
            args.model, args.weights, args.classes, args.device, args.top, args.step
        )
    except (OSError, LookupError, ValueError) as error:
        parser.error(str(error.args[0] if isinstance(error, KeyError) else error))
    folder = Path(args.source)
    sources = [args.source]
    if folder.is_dir():
        files = (path for path in folder.rglob("*") if path.is_file())
        sources = sorted(str(p) for p in files if p.suffix.lower() in VIDEO_SUFFIXES)
        if not sources:
            parser.error(f"there are no videos in {folder.absolute()}")
    failed = 0
    for source in tqdm(sources, unit="video", disable=len(sources) == 1):
        out = args.out
        if folder.is_dir():
            out /= Path(source).parent.relative_to(folder)
        try:
            name = name_of(source, sources)
            run(inferencer, source, out, name, not args.no_video)
        except VideoError as error:
            tqdm.write(f"error: {error}")
            failed += 1
        except OSError as error:
            sys.exit(f"error: cannot write to {out}: {error.strerror}")
    if failed:
        sys.exit(f"{failed} of {len(sources)} videos could not be read")


if __name__ == "__main__":
    run_tool(main)
