"""Classes of videos over time, from files, cameras and streams."""

from __future__ import annotations

import pickle
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import NamedTuple

import av
import cv2
import numpy as np
import torch
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.dataset import Compose, pseudo_collate
from mmengine.registry import DefaultScope
from mmengine.runner import load_checkpoint
from torch import Tensor

from . import zoo
from .config_lookup import find_config
from .datasets.motionshapes import CLASSES as MOTION_SHAPES
from .devices import device_error
from .io.images import ToRGB
from .io.text import read_lines
from .io.video import VideoError, VideoReader, naming_errors
from .io.video_stream import decode_from_key, open_video
from .io.video_timeline import has_true_times
from .models.recognizers import MotionEstimator
from .visualization.motion import MotionRecorder, tvl1_of_frames

_DECODERS = ("DecodeFrames", "PyAVDecode", "DecordDecode", "OpenCVDecode")
_OWN_FILES = ("LoadMotionShapesFlow",)  # read what only a dataset's videos have
_RATE = 25.0  # frames per second, where a camera does not tell


@dataclass(frozen=True)
class Prediction:
    """The most probable classes of a part of a video.

    Args:
        start, end: of the part, in seconds.
        classes: names or numbers of the classes, the most probable one first.
        scores: their scores; probabilities where the model averages those.
        frames: (T, H, W, 3) uint8 RGB, all frames of the part.
        new: how many of them, at the end, are in no part before.
        all_scores: {class: score} of every class, not of the most probable ones alone.
        frame_rate: of the whole video, in frames per second, on average.
        flow: (2C, T', h, w), of the frames that the model looked at: the model's own,
            from its first layer of representation flow, its TVNet or its MotionNet,
            or else TV-L1 flow of all frames of the part. None of a single frame, or
            where not asked for.
        flow_name: 'representation flow', 'TVNet', 'MotionNet' or 'TV-L1'.
        flow_window: where the flow is in the frames, which the model may have cropped:
            left, top, width and height, as parts of the frame's.
    """

    start: float
    end: float
    classes: tuple[str, ...]
    scores: tuple[float, ...]
    frames: np.ndarray
    new: int
    all_scores: dict[str, float]
    frame_rate: float
    flow: Tensor | None = None
    flow_name: str | None = None
    flow_window: tuple[float, float, float, float] = (0, 0, 1, 1)

    def as_dict(self) -> dict:
        """start, end, and {class: score}."""
        scores = dict(zip(self.classes, self.scores, strict=True))
        return dict(start=self.start, end=self.end, scores=scores)


class _Frame(NamedTuple):
    """(H, W, 3) uint8 RGB, and when it is shown, in seconds from the first frame."""

    image: np.ndarray
    start: float
    end: float


class Inferencer:
    """Classify parts of videos, one after another.

    Args:
        model: name of a model of the zoo, or path of a config, of FlowZoo or mmaction2.
        weights: a checkpoint, by its path or as ``flowzoo://NAME``; the published one
            of the zoo's model unless given.
        classes: their names, or a file with one on each line. Unless given, those of
            ``classes.txt`` beside the config's annotation file, or numbers.
        device: 'cpu', 'cuda', ...; a GPU unless there is none.
        top: classes of a prediction.
        step: seconds from one part to the next; a part's length unless given.

    Raises:
        FileNotFoundError: no such config, or no such file of classes.
        LookupError: no weights are given, and none are published.
        ValueError: the config has no pipeline that takes clips from videos.
    """

    def __init__(
        self,
        model: str | Path,
        weights: str | None = None,
        classes: str | Path | Sequence[str] | None = None,
        device: str | None = None,
        top: int = 5,
        step: float | None = None,
    ) -> None:
        if not isinstance(top, int) or top < 1:
            raise ValueError(f"top={top}: a whole number of classes, at least 1")
        if step is not None and not step > 0:
            raise ValueError(f"step={step}: a positive number of seconds is needed")
        path = Path(model)
        if not path.is_file():
            path = find_config(f"{path.name.removesuffix('.py')}.py")
        self.config = Config.fromfile(path)
        if weights is None:
            zoo.index.find_checkpoint(path.stem)
            weights = f"flowzoo://{path.stem}"
        self.device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        if reason := device_error(self.device):
            raise ValueError(
                f"device={device} is no device that PyTorch can use here ({reason}); "
                "give cpu, or leave it out"
            )
        self._read_pipeline()
        with DefaultScope.overwrite_default_scope("mmaction"):
            self.model = MODELS.build(self.config.model)
        if isinstance(self.model, MotionEstimator):
            raise ValueError(
                f"{path} estimates flow and classifies nothing; give the config of a "
                "recognizer of videos"
            )
        load_all_weights(self.model, weights)
        self.model.to(self.device).eval()
        self.classes = known_classes(self.config) if classes is None else classes
        if isinstance(self.classes, str | Path):
            self.classes = _read_classes(self.classes)
        number = getattr(getattr(self.model, "cls_head", None), "num_classes", 0)
        names = Counter(self.classes or ())
        if repeated := [name for name, times in names.items() if times > 1]:
            raise ValueError(f"several classes have the name {repeated[0]}")
        if number and self.classes is not None and len(self.classes) != number:
            raise ValueError(
                f"the model has {number} classes, but there are {len(self.classes)} "
                "names of classes: give those that it was trained on, in their order"
            )
        self.top = top
        self.step = step

    def _read_pipeline(self) -> None:
        if not takes_videos(self.config):
            raise ValueError(
                f"{self.config.filename} has no test pipeline that takes clips from "
                "videos by SampleFrames; give the config of a recognizer of videos"
            )
        steps = _test_pipeline(self.config)
        types = [step["type"] for step in steps]
        decoder = next(i for i, t in enumerate(types) if t in _DECODERS)
        sampling = steps[types.index("SampleFrames")]
        self._length = sampling["clip_len"]
        self._interval = sampling.get("frame_interval", 1)
        self._clips = 1
        if self._length == 1:  # single frames, shared out over the part
            self._clips, self._interval = sampling.get("num_clips", 1), 4
        with DefaultScope.overwrite_default_scope("mmaction"):
            self._transform = Compose(steps[decoder + 1 :])

    @property
    def frames_of_a_part(self) -> int:
        """Consecutive frames of a video that one prediction is made from."""
        return self._length * self._clips * self._interval

    def __call__(
        self, source: str | Path | int, with_flow: bool = False
    ) -> Iterator[Prediction]:
        """Predictions for one part after another, as soon as its frames are there.

        Args:
            source: a video file, the URL of a stream, or the number of a camera.
            with_flow: give each prediction its ``flow``.

        Raises:
            VideoError: The source cannot be read.
        """
        frames, rate = _open(source)
        span = self.frames_of_a_part
        step = span if self.step is None else max(1, round(self.step * rate))
        part: deque[_Frame] = deque(islice(frames, span), maxlen=span)
        if not part:
            raise VideoError(f"{source} has no frames")
        new = len(part)
        while True:
            yield self._predict(part, new, rate, with_flow)
            following = list(islice(frames, step))
            if not following:
                return
            # the last part reaches back, so that it is as long as the others
            part.extend(following)
            new = min(len(following), span)

    @torch.no_grad()
    def _predict(
        self, part: Sequence[_Frame], new: int, rate: float, with_flow: bool
    ) -> Prediction:
        frames = np.stack([frame.image for frame in part])
        numbers = np.arange(self._length * self._clips) * self._interval
        numbers = np.minimum(numbers, len(frames) - 1)
        results = dict(
            imgs=[frames[i].copy() for i in numbers],
            frame_inds=numbers,
            original_shape=frames.shape[1:3],
            img_shape=frames.shape[1:3],
            clip_len=self._length,
            frame_interval=self._interval,
            num_clips=self._clips,
            modality="RGB",
            start_index=0,
            label=-1,
        )
        batch = pseudo_collate([self._transform(results)])
        flow = name = None
        window = tuple(map(float, results.get("crop_quadruple", (0, 0, 1, 1))))
        with MotionRecorder(self.model) as recorder:
            (sample,) = self.model.test_step(batch)
        if with_flow:
            flow, name = recorder.flow(self._length), recorder.name
            if flow is None:
                flow, name = tvl1_of_frames(frames), "TV-L1"
                window = (0, 0, 1, 1)
        scores, order = sample.pred_score.cpu().sort(descending=True, stable=True)
        classes = [self._name(i) for i in order.tolist()]
        return Prediction(
            start=round(part[0].start, 3),
            end=round(part[-1].end, 3),
            classes=tuple(classes[: self.top]),
            scores=tuple(scores[: self.top].tolist()),
            frames=frames,
            new=new,
            all_scores=dict(zip(classes, scores.tolist(), strict=True)),
            frame_rate=rate,
            flow=flow,
            flow_name=None if flow is None else name,
            flow_window=window,
        )

    def _name(self, number: int) -> str:
        if self.classes is None or number >= len(self.classes):
            return str(number)
        return self.classes[number]


def load_all_weights(model: torch.nn.Module, weights: str) -> None:
    """Load a checkpoint; ValueError if it leaves any weight as it was."""
    try:
        loaded = load_checkpoint(model, weights, map_location="cpu")
    except (pickle.UnpicklingError, EOFError, LookupError, RuntimeError) as error:
        if "://" in weights:
            raise
        raise ValueError(f"{weights} is no checkpoint that torch reads") from error
    state = loaded.get("state_dict", loaded)
    found = {name.removeprefix("module."): value for name, value in state.items()}
    bad = [
        name
        for name, value in model.state_dict().items()
        if not name.endswith("num_batches_tracked")
        and (name not in found or found[name].shape != value.shape)
    ]
    if bad:
        raise ValueError(
            f"{weights} is of another model: it has no weights of the right shape for "
            f"{len(bad)} names of this one, such as {bad[0]}"
        )


def _read_classes(path: str | Path) -> list[str]:
    return [line for line in read_lines(path) if line.strip()]


def known_classes(config: Config) -> Sequence[str] | None:
    """The names of a config's classes, where its annotations lie beside them."""
    dataset = config.test_dataloader.dataset
    if dataset.type == "MotionShapesDataset":
        return MOTION_SHAPES
    path = Path(dataset.get("ann_file", "")).with_name("classes.txt")
    return _read_classes(path) if path.is_file() else None


def takes_videos(config: Config) -> bool:
    """Whether the test pipeline of a config takes clips from any video."""
    types = {step["type"] for step in _test_pipeline(config)}
    needed = "SampleFrames" in types and not types.isdisjoint(_DECODERS)
    return needed and types.isdisjoint(_OWN_FILES)


def _test_pipeline(config: Config) -> list[dict]:
    loader = config.get("test_dataloader") or {}
    return loader.get("dataset", {}).get("pipeline", [])


def average(predictions: Iterable[Prediction]) -> dict[str, float]:
    """{class: mean score} of every class, the highest first."""
    predictions = list(predictions)
    totals: dict[str, float] = {}
    for prediction in predictions:
        for name, score in prediction.all_scores.items():
            totals[name] = totals.get(name, 0.0) + score / len(predictions)
    return dict(sorted(totals.items(), key=lambda item: -item[1]))


def open_source(source: str | Path | int) -> tuple[Iterator[np.ndarray], float]:
    """Frames (H, W, 3) uint8 RGB of a file, a stream or a camera, and their rate.

    Raises:
        VideoError: It cannot be opened.
    """
    frames, rate = _open(source)
    return (frame.image for frame in frames), rate


def _open(source: str | Path | int) -> tuple[Iterator[_Frame], float]:
    if isinstance(source, bool) or not isinstance(source, str | Path | int):
        raise TypeError(
            "a video is the path of a file, the URL of a stream or the number of a "
            f"camera, not {type(source).__name__}"
        )
    name = str(source)
    if name.isdecimal() and not Path(name).exists():
        return _open_camera(int(source))
    if "://" in name and not Path(name).exists():
        return _open_stream(name)
    reader = VideoReader(name)
    rate = reader.frame_rate or _RATE
    return _read_file(reader, rate), rate


def _open_stream(url: str) -> tuple[Iterator[_Frame], float]:
    """Frames as they come; a reader of files would first read to the end."""
    container, stream = open_video(url)
    rate = float(stream.average_rate or stream.guessed_rate or _RATE)

    def read() -> Iterator[_Frame]:
        with container, naming_errors(f"read {url}"):
            frames = decode_from_key(stream, container.demux(stream), url)
            yield from _timed(frames, rate, has_true_times(container, stream))

    return read(), rate


def _read_file(reader: VideoReader, rate: float) -> Iterator[_Frame]:
    with reader, naming_errors(f"convert frames of {reader.filename}"):
        known = has_true_times(reader.stream.container, reader.stream)
        yield from _timed(reader.frames(), rate, known)


def _timed(
    frames: Iterable[av.VideoFrame], rate: float, known: bool
) -> Iterator[_Frame]:
    """Images with the times that frames have, if ``known``, or of a constant rate."""
    to_rgb = ToRGB()
    first = None
    for i, frame in enumerate(frames):
        start, end = i / rate, (i + 1) / rate
        if known and frame.time is not None:
            first = frame.time if first is None else first
            start = max(0.0, frame.time - first)
            seconds = (frame.duration or 0) * float(frame.time_base)
            end = start + (seconds or 1 / rate)
        yield _Frame(to_rgb(frame), start, end)


def _open_camera(number: int) -> tuple[Iterator[_Frame], float]:
    camera = cv2.VideoCapture(number)
    there, first = camera.read()
    if not there:
        raise VideoError(f"there is no camera {number}, or it is in use")
    rate = camera.get(cv2.CAP_PROP_FPS) or _RATE

    def read() -> Iterator[_Frame]:
        images = chain([first], iter(lambda: camera.read()[1], None))
        try:
            for i, image in enumerate(images):
                rgb = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
                yield _Frame(rgb, i / rate, (i + 1) / rate)
        finally:
            camera.release()

    return read(), rate
