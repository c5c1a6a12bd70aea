"""Videos of a dataset for tools that extract features from all of them."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor
from torch.utils.data import Dataset

from .transforms import VideoError


class Readable(Dataset):
    """Some videos of a dataset, and None for each that cannot be read."""

    def __init__(self, dataset: Dataset, numbers: list[int]) -> None:
        self.dataset, self.numbers = dataset, numbers

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, place: int) -> tuple[int, dict | None, str]:
        number = self.numbers[place]
        try:
            return number, self.dataset[number], ""
        except VideoError as error:
            return number, None, str(error)


def describe_dataset(dataset: Dataset) -> tuple[list[str], list[list[int]]]:
    """Names and labels of all videos."""
    prefix = getattr(dataset, "data_prefix", {})
    names, labels = [], []
    for number in range(len(dataset)):
        info = dataset.get_data_info(number)
        names.append(_name(info, prefix.get("video") or prefix.get("img")))
        label = info["label"]
        if isinstance(label, Tensor):  # of multi_class: 1 for each label
            label = label.nonzero().flatten().tolist()
        labels.append(list(label) if isinstance(label, list | tuple) else [label])
    return names, labels


def _name(info: dict, folder: str | None) -> str:
    """Path relative to the dataset's folder, without a file's suffix."""
    path = Path(info["filename"] if "filename" in info else info["frame_dir"])
    if folder and path.is_relative_to(folder):
        path = path.relative_to(folder)
    return str(path.with_suffix("") if "filename" in info else path)
