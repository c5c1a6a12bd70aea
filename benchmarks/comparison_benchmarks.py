"""The benchmarks of comparison.py: their data, and the methods that are compared."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean

from flowzoo.datasets.preparation import (
    PreparationError,
    prepare,
    ut_interaction,
    weizmann,
)
from flowzoo.io.text import read_text
from flowzoo.io.video import VideoReader


@dataclass(frozen=True)
class Benchmark:
    """A small benchmark whose folds leave one group of clips out.

    Args:
        name: of the dataset, with which its lists begin.
        prepare: writes lists of clips from (root, folder).
        without_images: says what is known of a clip's class without its images, from
            (root, folder).
        group: of a clip, from its path.
        rates: of learning, among which the search chooses.
        search_groups: some groups of the first fold's training clips, for the search.
        classes: names.
        methods: {config: title}.
        controls: {config: the method from which its accuracy is subtracted}, where that
            is not the first.
        fusions: {name: title and the methods whose scores are averaged}.
        hallucinations: {config: title and the methods whose features MoNet takes,
            appearance and flow}. Their rates are the configs', not searched.
    """

    name: str
    prepare: Callable[[Path, Path], object]
    without_images: Callable[[Path, Path], str]
    group: Callable[[str], str]
    rates: tuple[float, ...]
    search_groups: tuple[str, ...]
    folds: int
    classes: tuple[str, ...]
    methods: dict[str, str]
    controls: dict[str, str]
    fusions: dict[str, tuple[str, tuple[str, ...]]] = field(default_factory=dict)
    hallucinations: dict[str, tuple[str, tuple[str, str]]] = field(default_factory=dict)

    def clip_list(self, data: Path, part: str, fold: int) -> Path:
        """A fold's list of clips; part is 'train' or 'val'."""
        return data / f"{self.name}_{part}_split_{fold}_videos.txt"

    def clips(self, data: Path, part: str, fold: int) -> dict[str, int]:
        """Labels by paths of the clips of a fold's list."""
        return listed(self.clip_list(data, part, fold))

    def groups(self, data: Path, part: str, fold: int) -> set[str]:
        return set(map(self.group, self.clips(data, part, fold)))


def listed(file: Path) -> dict[str, int]:
    """Labels by paths; a path may have spaces."""
    rows = (line.rsplit(maxsplit=1) for line in read_text(file).splitlines())
    return {path: int(label) for path, label in rows}


def frame_counts_alone(root: Path, data: Path, neighbors: int = 5) -> str:
    """What a vote of the training clips of nearest length gives on Weizmann."""
    benchmark = BENCHMARKS["weizmann"]
    right, clips, lengths = 0, 0, {}

    def read(part: str, fold: int) -> list[tuple[int, int]]:
        """Number of frames and label of each clip."""
        samples = []
        for name, label in benchmark.clips(data, part, fold).items():
            if name not in lengths:
                with VideoReader(data / "videos" / name) as reader:
                    lengths[name] = reader.frame_count
            samples.append((lengths[name], label))
        return samples

    for fold in range(1, benchmark.folds + 1):
        train = read("train", fold)
        for length, label in read("val", fold):
            nearest = sorted(train, key=lambda sample: abs(sample[0] - length))
            votes = [vote for _, vote in nearest[:neighbors]]
            right += max(sorted(set(votes)), key=votes.count) == label
            clips += 1
    return (
        f"the number of frames alone gives {100 * right / clips:.1f} % "
        f"({neighbors} nearest neighbors)"
    )


def prepare_weizmann(root: Path, data: Path) -> None:
    """Lists of all Weizmann clips, whichever ROOT the folder was for before."""
    link = data / "videos"
    if link.is_symlink():
        link.unlink()
    if missing := prepare("weizmann", root, data, force=True)["missing"]:
        raise PreparationError(f"clips are missing: {', '.join(missing)}")


def prepare_set_1(root: Path, data: Path) -> None:
    """Lists and small copies of UT-Interaction's first set."""
    clips = ut_interaction.list_clips(root)
    found = sorted({clip.sequence for clip in clips})
    if len(clips) != 60 or found != list(range(1, 11)):
        raise PreparationError(
            f"60 clips of the sequences 1 to 10 are set 1; there are {len(clips)} of "
            f"{found}"
        )
    ut_interaction.prepare_ut_interaction(root, data)


def shapes_alone(root: Path, data: Path) -> str:
    """What the nearest neighbor in shape and length gives on UT-Interaction."""
    alone = ut_interaction.metadata_accuracies(ut_interaction.list_clips(root))
    return (
        "image size, frame count and frame rate alone give "
        f"{100 * mean(alone.values()):.1f} % (nearest neighbor)"
    )


BENCHMARKS = {
    "weizmann": Benchmark(
        name="weizmann",
        prepare=prepare_weizmann,
        without_images=frame_counts_alone,
        group=lambda path: Path(path).stem.split("_")[0],
        rates=(1e-3, 3e-3, 1e-2),
        search_groups=("denis", "eli"),
        folds=9,
        classes=weizmann.CLASSES,
        # in the order in which they are trained; the first is what others are held to
        methods={
            "repflow_r18_weizmann_rgb": "ResNet-18 without the layer",
            "repflow_r18_weizmann": "representation flow",
            "tsn_r18_weizmann": "TSN",
            "tvnet_r18_weizmann": "TVNet",
            "tvl1_r18_weizmann": "ResNet-18 on TV-L1 flow",
            "mfnet_r18_weizmann": "MFNet",
            "repflow_r18_weizmann_fcf": "representation flow, flow-conv-flow",
            "hidden2s_r18_weizmann_fixed": "ResNet-18 on a fixed MotionNet's flow",
            "hidden2s_r18_weizmann": "ResNet-18 and MotionNet, trained together",
            "actionflownet_r18_weizmann": "ActionFlowNet",
            "s3dg_inception_weizmann": "S3D-G",
            "repflow_lite0_weizmann_rgb": "EfficientNet-Lite0, ImageNet weights",
            "repflow_lite0_weizmann": "the same with RepFlowNeck",
        },
        controls=dict.fromkeys(
            ("repflow_lite0_weizmann_rgb", "repflow_lite0_weizmann"),
            "repflow_lite0_weizmann_rgb",
        ),
        fusions={
            "twostream_r18_weizmann": (
                "two-stream on TV-L1 flow",
                ("repflow_r18_weizmann_rgb", "tvl1_r18_weizmann"),
            ),
            "twostream_r18_weizmann_fixed": (
                "hidden two-stream, MotionNet fixed",
                ("repflow_r18_weizmann_rgb", "hidden2s_r18_weizmann_fixed"),
            ),
            "twostream_r18_weizmann_trained": (
                "hidden two-stream, MotionNet trained",
                ("repflow_r18_weizmann_rgb", "hidden2s_r18_weizmann"),
            ),
        },
        hallucinations={
            "monet_r18_weizmann": (
                "MoNet, flow imagined from ResNet-18's features",
                ("repflow_r18_weizmann_rgb", "tvl1_r18_weizmann"),
            )
        },
    ),
    "ut_interaction": Benchmark(
        name="ut_interaction",
        prepare=prepare_set_1,
        without_images=shapes_alone,
        group=lambda path: Path(path).stem.split("_")[1],
        rates=(3e-4, 1e-3, 3e-3, 1e-2),
        search_groups=("2", "3", "4"),
        folds=10,
        classes=ut_interaction.CLASSES,
        methods={
            "repflow_r18_utinteraction_rgb": "ResNet-18 without the layer",
            "repflow_r18_utinteraction": "representation flow",
            "repflow_lite0_utinteraction_rgb": "EfficientNet-Lite0, ImageNet weights",
            "repflow_lite0_utinteraction": "the same with RepFlowNeck",
        },
        controls=dict.fromkeys(
            ("repflow_lite0_utinteraction_rgb", "repflow_lite0_utinteraction"),
            "repflow_lite0_utinteraction_rgb",
        ),
    ),
}
