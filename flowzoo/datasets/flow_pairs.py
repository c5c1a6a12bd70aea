"""Pairs of frames with true flow in files, such as FlyingChairs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from mmaction.registry import DATASETS
from mmengine.dataset import BaseDataset

from ..deprecated import former_arguments


@DATASETS.register_module()
class FlowPairDataset(BaseDataset):
    """A folder of pairs of frames and of .flo files, found by the ends of their names.

    Args:
        folder: with the files; those with a flow are listed, in the order of names.
        pipeline: data transforms, ``LoadFlowPair`` first.
        suffixes: of the first frame, the second frame and the flow of a pair, whose
            names begin alike. The default is that of FlyingChairs.
        download_hint: a sentence for the error about missing files.
        **kwargs: of mmengine's ``BaseDataset``.

    Raises:
        FileNotFoundError: No flow in the folder, or a flow without its frames.
    """

    METAINFO = dict(task_name="optical flow")

    @former_arguments(how_to_get="download_hint")
    def __init__(
        self,
        folder: str,
        pipeline: list[dict | Callable],
        suffixes: Sequence[str] = ("_img1.ppm", "_img2.ppm", "_flow.flo"),
        download_hint: str = "",
        **kwargs,
    ) -> None:
        self.folder = folder
        self.suffixes = suffixes
        self.download_hint = download_hint
        super().__init__(pipeline=pipeline, **kwargs)

    def load_data_list(self) -> list[dict]:
        folder = Path(self.folder)
        ends = self.suffixes
        names = [p.name.removesuffix(ends[2]) for p in folder.glob(f"*{ends[2]}")]
        if not names:
            raise FileNotFoundError(
                f"no *{ends[2]} in {folder.absolute()}. {self.download_hint}".rstrip()
            )
        data_list = []
        for name in sorted(names):
            first, second, flow = (folder / f"{name}{end}" for end in ends)
            for frame in (first, second):
                if not frame.is_file():
                    raise FileNotFoundError(f"{flow} has no {frame.name} beside it")
            paths = dict(first=str(first), second=str(second), flow=str(flow))
            data_list.append(dict(filename=name, **paths))
        return data_list
