from mmaction.datasets import BaseActionDataset
from mmengine.dataset import BaseDataset
from mmengine.runner import Runner

from ._patch import wrap

_OF_WORKERS = {
    "persistent_workers",
    "prefetch_factor",
    "timeout",
    "multiprocessing_context",
}


def load_without_workers() -> None:
    """ValueError: persistent_workers option needs num_workers > 0, and its kind.

    Who sets num_workers=0 to debug a config would have to remove what it says of
    workers as well.
    """

    def make(build):
        def build_dataloader(dataloader, *args, **kwargs):
            if isinstance(dataloader, dict) and not dataloader.get("num_workers"):
                dataloader = {
                    k: v for k, v in dataloader.items() if k not in _OF_WORKERS
                }
            return build(dataloader, *args, **kwargs)

        return build_dataloader

    wrap(Runner, "build_dataloader", make)


def tell_classes_of_videos() -> None:
    """NotImplementedError: the dataset must implement `get_cat_ids`.

    ClassBalancedDataset asks for it, and none of mmaction2's datasets has it.
    """

    def get_cat_ids(self, idx: int) -> list[int]:
        """The classes of a sample."""
        label = BaseDataset.get_data_info(self, idx)["label"]
        return list(label) if isinstance(label, list | tuple) else [label]

    if BaseActionDataset.get_cat_ids is BaseDataset.get_cat_ids:
        BaseActionDataset.get_cat_ids = get_cat_ids
