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
from itertools import islice
from pathlib import Path

from mmaction_tool import wait_passively

wait_passively()  # before torch is loaded

import flowzoo  # noqa: F401
from flowzoo.datasets.preparation.sources import find_videos
from flowzoo.devices import device_argument
from flowzoo.inference import Inferencer, Prediction, average
from flowzoo.interrupts import INTERRUPTED, run_tool
from flowzoo.io.video import VideoError
from flowzoo.progress import Progress
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


def find_sources(folder: Path, out: Path) -> list[str]:
    """All videos below a folder but those below ``out``, which are results."""
    return [
        str(path)
        for path in find_videos(folder)
        if out.resolve() not in path.resolve().parents
    ]


def run(inferencer: Inferencer, source: str, path: Path, video: bool) -> None:
    """Classify one source, print its parts as they come, and write the files.

    What came before an error, or before Ctrl-C, is written, too.

    Args:
        path: of the annotated video; the JSON file lies beside it.
        video: whether to write that one.
    """
    predictions: list[Prediction] = []
    stopped = None
    with contextlib.ExitStack() as stack:
        writer = None
        try:
            for prediction in inferencer(source, with_flow=video):
                Progress.write(line_of(prediction))
                predictions.append(prediction)
                if not video:
                    continue
                if writer is None:
                    path.parent.mkdir(parents=True, exist_ok=True)
                    rate = prediction.frame_rate
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
                    prediction.flow_window,
                )
        except (KeyboardInterrupt, VideoError) as error:
            stopped = error
    if predictions:
        json_path = path.with_name(f"{path.stem}.json")
        write_json(json_path, source, predictions, inferencer.top, stopped)
    if stopped:
        raise stopped


def write_json(
    path: Path,
    source: str,
    predictions: list[Prediction],
    top: int,
    stopped: BaseException | None,
) -> None:
    mean = dict(islice(average(predictions).items(), top))
    content = dict(
        video=source,
        mean=mean,
        parts=[prediction.as_dict() for prediction in predictions],
    )
    if stopped:
        content["stopped"] = str(stopped) or "interrupted"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1) + "\n")
    Progress.write(f"{source}: {next(iter(mean))} ({next(iter(mean.values())):.1%})")


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
    folder = Path(args.source)
    homes = [folder] if folder.is_dir() else [folder.parent, folder.resolve().parent]
    if folder.exists() and args.out.resolve() in [home.resolve() for home in homes]:
        parser.error(
            f"--out {args.out} holds the videos, which results could be written over; "
            "give another folder"
        )
    try:
        inferencer = Inferencer(
            args.model, args.weights, args.classes, args.device, args.top, args.step
        )
    except (OSError, LookupError, ValueError) as error:
        parser.error(str(error.args[0] if isinstance(error, KeyError) else error))
    sources = [args.source]
    if folder.is_dir():
        sources = find_sources(folder, args.out)
        if not sources:
            parser.error(f"there are no videos in {folder.absolute()}")
    targets = {}
    for source in sources:
        out = args.out
        if folder.is_dir():
            out /= Path(source).parent.relative_to(folder)
        path = targets[source] = out / f"{name_of(source, sources)}.mp4"
        if path.exists() and not path.with_name(f"{path.stem}.json").exists():
            parser.error(f"{path} is no result of this tool; give another --out")
    failed = 0
    for source in Progress(sources, unit="video", disable=len(sources) == 1):
        try:
            run(inferencer, source, targets[source], not args.no_video)
        except KeyboardInterrupt:
            Progress.write("interrupted")
            if folder.exists():  # a camera and a stream end in no other way
                sys.exit(INTERRUPTED)
        except VideoError as error:
            Progress.write(f"error: {error}")
            failed += 1
        except OSError as error:
            sys.exit(f"error: cannot write to {args.out}: {error.strerror}")
    if failed:
        sys.exit(f"{failed} of {len(sources)} videos could not be read")


if __name__ == "__main__":
    run_tool(main)
