import pytest
import torch
from mmaction.datasets import VideoDataset
from mmengine.dataset import ClassBalancedDataset
from mmengine.runner import Runner

from flowzoo.datasets import CheckedVideoDataset


def make_dataset(folder, kind=CheckedVideoDataset, labels=(0,) * 9 + (1,), **options):
    path = folder / "list.txt"
    path.write_text("".join(f"{i}.mp4 {label}\n" for i, label in enumerate(labels)))
    return kind(str(path), [], **options)


@pytest.mark.parametrize("workers", [0, 1])
def test_persistent_workers_without_workers(workers):
    config = dict(
        batch_size=2,
        num_workers=workers,
        persistent_workers=True,
        prefetch_factor=3,
        timeout=300,
        multiprocessing_context="fork",
        sampler=dict(type="DefaultSampler", shuffle=False),
        dataset=list(range(4)),
        collate_fn=torch.tensor,
    )
    given = dict(config)
    loader = Runner.build_dataloader(config)
    assert [batch.tolist() for batch in loader] == [[0, 1], [2, 3]]
    assert loader.persistent_workers == bool(workers)
    assert config == given


@pytest.mark.parametrize("kind", [CheckedVideoDataset, VideoDataset])
def test_classes_can_be_balanced(tmp_path, kind):
    dataset = make_dataset(tmp_path, kind)
    assert dataset.get_cat_ids(9) == [1]
    balanced = ClassBalancedDataset(dataset, oversample_thr=0.4)
    labels = [balanced.get_data_info(i)["label"] for i in range(len(balanced))]
    assert labels.count(0) == 9 and labels.count(1) == 2


def test_classes_of_videos_with_many(tmp_path):
    options = dict(multi_class=True, num_classes=4)
    dataset = make_dataset(tmp_path, labels=("0 2", "3"), **options)
    assert dataset.get_cat_ids(0) == [0, 2]
    assert dataset.get_cat_ids(1) == [3]
