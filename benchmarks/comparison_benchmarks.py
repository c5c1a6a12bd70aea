"""The benchmarks of comparison.py: their data, and the methods that are compared."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from flowzoo.datasets.preparation import prepare, weizmann


@dataclass(frozen=True)
class Benchmark:
    """A small benchmark whose folds leave one group of clips out.

    Args:
        prepare: writes lists of clips from (root, folder, force).
        lists: pattern of a list's name, of part ('train', 'val') and fold.
        group: of a clip, from its path.
        search_groups: two groups of the first fold's training clips.
        classes: names.
        methods: {config: title}.
        controls: {config: the method from which its accuracy is subtracted}, where that
            is not the first.
        fusions: {config: title and the methods whose scores are averaged}.
        hallucinations: {config: title and the methods whose features MoNet takes,
            appearance and flow}. Their rates are the configs', not searched.
    """

    prepare: Callable
    lists: str
    group: Callable[[str], str]
    search_groups: tuple[str, str]
    folds: int
    classes: tuple[str, ...]
    methods: dict[str, str]
    controls: dict[str, str]
    fusions: dict[str, tuple[str, tuple[str, ...]]]
    hallucinations: dict[str, tuple[str, tuple[str, str]]]


BENCHMARKS = {
    "weizmann": Benchmark(
        prepare=partial(prepare, "weizmann"),
        lists="weizmann_{part}_split_{fold}_videos.txt",
        group=lambda path: Path(path).stem.split("_")[0],
        search_groups=("denis", "eli"),
        folds=9,
        classes=weizmann.CLASSES,
        # in the order in which they are trained; the first is what others are held to
        methods={
            "repflow_r18_weizmann_rgb": "ResNet-18 without the layer",
            "repflow_r18_weizmann": "representation flow",
            "tvnet_r18_weizmann": "TVNet",
            "tvl1_r18_weizmann": "ResNet-18 on TV-L1 flow",
            "mfnet_r18_weizmann": "MFNet",
            "repflow_r18_weizmann_fcf": "representation flow, flow-conv-flow",
            "hidden2s_r18_weizmann_fixed": "hidden two-stream, MotionNet fixed",
            "hidden2s_r18_weizmann": "hidden two-stream, MotionNet trained",
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
            )
        },
        hallucinations={
            "monet_r18_weizmann": (
                "MoNet, flow imagined from ResNet-18's features",
                ("repflow_r18_weizmann_rgb", "tvl1_r18_weizmann"),
            )
        },
    )
}
