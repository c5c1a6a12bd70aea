"""UT-Interaction: the splits of its published protocol, and small copies of its clips.

The segmented clips are named N_SEQ_CLASS.avi; classes are 0 handshake, 1 hug, 2 kick,
3 point, 4 punch, 5 push. The protocol leaves one sequence of a set out: set 1 has the
sequences 1 to 10, set 2 11 to 20, and each has six clips, more or less.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np

from ...io.write_video import write_video
from .records import PreparationError
from .verify import check_video

CLASSES = ("handshake", "hug", "kick", "point", "punch", "push")
RATE = 10  # frames per second of the copies
SHORT_SIDE = 96  # of the copies, in pixels


@dataclass(frozen=True)
class Clip:
    """A clip of the dataset.

    Args:
        path: of the original file.
        sequence: 1 to 20.
        label: 0 to 5.
    """

    path: Path
    sequence: int
    label: int

    @property
    def copy(self) -> str:
        """The name of its small copy."""
        return f"{self.path.stem}.mp4"


def list_clips(folder: str | Path) -> list[Clip]:
    """All clips below a folder, in the order of their numbers.

    Raises:
        PreparationError: There are none, a name is not as it should be, or one is there
            twice.
    """
    clips = {}
    for path in sorted(Path(folder).rglob("*_*_*.[aA][vV][iI]")):
        try:
            number, sequence, label = map(int, path.stem.split("_"))
        except ValueError:
            raise PreparationError(f"{path} is not named N_SEQ_CLASS.avi") from None
        if not 0 <= label < len(CLASSES):
            raise PreparationError(f"{path}: there is no class {label}")
        if not 1 <= sequence <= 20:
            raise PreparationError(f"{path}: there is no sequence {sequence}")
        clip = clips.setdefault((sequence > 10, number), Clip(path, sequence, label))
        if clip.path != path:
            raise PreparationError(f"{clip.path} and {path} have the same number")
    if not clips:
        raise PreparationError(
            f"no clips named N_SEQ_CLASS.avi in {Path(folder).absolute()}"
        )
    return [clips[key] for key in sorted(clips)]


def splits(clips: list[Clip]) -> dict[int, tuple[list[Clip], list[Clip]]]:
    """By the sequence left out: the other clips of its set, and its own."""
    return {
        out: (
            [c for c in clips if c.sequence != out and (c.sequence > 10) == (out > 10)],
            [c for c in clips if c.sequence == out],
        )
        for out in sorted({clip.sequence for clip in clips})
    }


def prepare_ut_interaction(folder: str | Path, out: str | Path) -> list[int]:
    """Write annotation files for each split, and a small copy of each clip.

    Into ``out`` go ``ut_interaction_train_split_N_videos.txt`` and ``..._val_...`` for
    each sequence N that is left out, and below ``videos`` copies of 10 frames per
    second whose shorter side has 96 pixels: the originals take longer to decode than to
    learn from. Copies that are there already are kept.

    Returns:
        The splits.

    Raises:
        PreparationError: No clips, one sequence only, or a clip that cannot be read or
            is cut short.
    """
    clips, out = list_clips(folder), Path(out)
    found = splits(clips)
    if not any(train for train, _ in found.values()):
        raise PreparationError(
            f"{Path(folder).absolute()} has one sequence of a set; without it there is "
            "nothing to train on"
        )
    (out / "videos").mkdir(parents=True, exist_ok=True)
    for clip in clips:
        if not (out / "videos" / clip.copy).exists():
            _write_copy(clip.path, out / "videos" / clip.copy)
    for number, parts in found.items():
        for name, part in zip(("train", "val"), parts, strict=True):
            lines = [f"{clip.copy} {clip.label}\n" for clip in part]
            file = out / f"ut_interaction_{name}_split_{number}_videos.txt"
            file.write_text("".join(lines))
    return list(found)


def _write_copy(source: Path, target: Path) -> None:
    if fault := check_video(str(source)).fault:
        raise PreparationError(f"cannot read {source}: {fault}")
    frames = []
    with av.open(str(source)) as container:
        stream = container.streams.video[0]
        step = max(1, round(stream.average_rate / RATE))
        scale = SHORT_SIDE / min(stream.width, stream.height)
        # the encoder wants even numbers
        width = 2 * round(stream.width * scale / 2)
        height = 2 * round(stream.height * scale / 2)
        for i, frame in enumerate(container.decode(stream)):
            if i % step == 0:
                small = frame.reformat(
                    width, height, format="rgb24", interpolation="AREA"
                )
                frames.append(small.to_ndarray())
    # under its name only when complete
    partial = target.with_suffix(".partial.mp4")
    write_video(partial, np.stack(frames), RATE)
    partial.rename(target)


def metadata_accuracies(clips: list[Clip]) -> dict[int, float]:
    """Accuracy of a classifier that sees no image, for each split to train on.

    The clips are cropped to their actors, so that the shape of the image and the
    number of frames tell much about the class. This is the nearest neighbor in image
    width and height, frame count and frame rate of the original files, standardized
    over the training clips: quote it beside any other accuracy.
    """
    features = {clip: np.array(_metadata(clip.path)) for clip in clips}
    accuracies = {}
    for number, (train, test) in splits(clips).items():
        if not train:
            continue
        known = np.stack([features[clip] for clip in train])
        center, scale = known.mean(0), known.std(0) + 1e-9
        known = (known - center) / scale
        right = 0
        for clip in test:
            asked = (features[clip] - center) / scale
            nearest = np.linalg.norm(known - asked, axis=1).argmin()
            right += train[nearest].label == clip.label
        accuracies[number] = right / len(test)
    return accuracies


def _metadata(path: Path) -> list[float]:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        return [stream.width, stream.height, stream.frames, float(stream.average_rate)]
