import multiprocessing
from types import SimpleNamespace

import pytest
import torch
import torch.distributed
from mmaction.datasets import VideoDataset
from mmaction.registry import HOOKS
from mmengine.config import Config
from mmengine.dataset import ConcatDataset, RepeatDataset
from mmengine.optim import CosineAnnealingLR, OneCycleLR, OptimWrapper
from torch.optim import SGD

from flowzoo.datasets import CheckedVideoDataset
from flowzoo.engine import hooks
from flowzoo_kernels import RepresentationFlow


@pytest.fixture
def messages(monkeypatch):
    found = []
    monkeypatch.setattr(hooks, "print_log", lambda message, **_: found.append(message))
    return found


def make_dataset(folder, kind=CheckedVideoDataset, labels=(0, 1, 0, 1), **options):
    folder.mkdir(exist_ok=True)
    lines = [f"{i}.mp4 {label}\n" for i, label in enumerate(labels)]
    (folder / "list.txt").write_text("".join(lines))
    return kind(str(folder / "list.txt"), [], **options)


def make_runner(dataset, num_classes=2):
    loader = SimpleNamespace(dataset=dataset)
    head = SimpleNamespace(num_classes=num_classes)
    return SimpleNamespace(
        train_dataloader=loader,
        val_dataloader=loader,
        test_dataloader=loader,
        val_loop=None,
        model=SimpleNamespace(cls_head=head),
    )


def test_hooks_are_registered():
    assert HOOKS.get("UnreadableVideosHook") is hooks.UnreadableVideosHook
    assert HOOKS.get("CheckNumClassesHook") is hooks.CheckNumClassesHook


@pytest.mark.parametrize(
    ("resume", "has_loaded", "loads"),
    [(True, False, True), (True, True, False), (False, False, False)],
)
def test_resume_without_a_checkpoint_begins_with_load_from(
    tmp_path, messages, resume, has_loaded, loads
):
    """mmaction2's train.py takes it out of the config that the runner has."""
    path = tmp_path / "config.py"
    path.write_text("load_from = 'before.pth'")
    config = Config.fromfile(path)
    config.load_from = None
    loaded = []
    runner = SimpleNamespace(
        cfg=config,
        work_dir="w",
        _resume=resume,
        _has_loaded=has_loaded,
        load_checkpoint=lambda name: loaded.append((name, runner._resume)),
    )
    hooks.LoadFromHook().before_train(runner)
    assert loaded == [("before.pth", False)] * loads
    assert (
        messages
        == ["w has no checkpoint to resume: training begins with before.pth"] * loads
    )
    assert runner._has_loaded == (has_loaded or loads)


def test_resume_without_load_from_begins_anew(tmp_path):
    path = tmp_path / "config.py"
    path.write_text("load_from = None")
    text = Config.fromstring("load_from = 'before.pth'", ".py")
    for config in (Config.fromfile(path), Config(), text):
        runner = SimpleNamespace(cfg=config, _resume=True, _has_loaded=False)
        hooks.LoadFromHook().before_train(runner)
        assert runner._resume


def test_unreadable_videos_are_listed(tmp_path, messages):
    dataset = make_dataset(tmp_path)
    hook = hooks.UnreadableVideosHook(max_listed=1)
    hook.after_train(make_runner(dataset))
    assert messages == []
    dataset.unreadable_mask[1:3] = True
    hook.after_train(make_runner(dataset))
    assert messages[0].startswith("2 of 4 training videos could not be read")
    assert "1.mp4" in messages[0] and "... and 1 more" in messages[0]
    assert "2.mp4" not in messages[0]


def test_unreadable_videos_inside_wrappers(tmp_path, messages):
    first, second = make_dataset(tmp_path / "a"), make_dataset(tmp_path / "b")
    first.unreadable_mask[0] = second.unreadable_mask[3] = True
    for wrapper in (RepeatDataset(first, times=2), ConcatDataset([first, second])):
        hooks.UnreadableVideosHook().after_train(make_runner(wrapper))
    names = ("0.mp4", "0.mp4", "3.mp4")
    assert len(messages) == len(names)
    assert all(name in m for name, m in zip(names, messages, strict=True))


def _report(folder, rank, queue):
    torch.distributed.init_process_group(
        "gloo", f"file://{folder}/store", rank=rank, world_size=2
    )
    dataset = make_dataset(folder / str(rank))
    dataset.unreadable_mask[rank] = True
    hooks.print_log = lambda message, **_: queue.put(message)
    hooks.UnreadableVideosHook().after_train(make_runner(dataset))
    torch.distributed.destroy_process_group()


def test_unreadable_videos_of_all_ranks(tmp_path):
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    processes = [
        context.Process(target=_report, args=(tmp_path, rank, queue)) for rank in (0, 1)
    ]
    for process in processes:
        process.start()
    found = [queue.get(timeout=60) for _ in processes]
    for process in processes:
        process.join(60)
    for message in found:
        assert message.startswith("2 of 4 ")


@pytest.mark.parametrize("stage", ["train", "val", "test"])
def test_number_of_classes(tmp_path, stage):
    def check(dataset, num_classes):
        hook = hooks.CheckNumClassesHook()
        getattr(hook, f"before_{stage}")(make_runner(dataset, num_classes))

    plain = make_dataset(tmp_path)
    check(plain, 2)
    check(plain, 400)
    expected = (
        rf"model\.cls_head\.num_classes is 1, but .*list\.txt "
        rf"\({stage}_dataloader\.dataset\) has labels up to 1\. "
        r"Set model\.cls_head\.num_classes to 2"
    )
    with pytest.raises(ValueError, match=expected):
        check(plain, 1)
    declared = make_dataset(tmp_path, num_classes=3)
    check(declared, 3)
    with pytest.raises(ValueError, match=r"num_classes is 400, but .* has 3 classes"):
        check(RepeatDataset(declared, 2), 400)


def test_validation_data_is_checked_before_training(tmp_path):
    runner = make_runner(make_dataset(tmp_path / "train"), num_classes=2)
    wrong = make_dataset(tmp_path / "val", labels=[0, 5])
    runner.val_dataloader = SimpleNamespace(dataset=wrong)
    hooks.CheckNumClassesHook().before_train(runner)
    runner.val_loop = object()
    with pytest.raises(ValueError, match=r"val_dataloader\.dataset.* labels up to 5"):
        hooks.CheckNumClassesHook().before_train(runner)


def test_models_without_a_number_of_classes_are_left_alone(tmp_path):
    runner = make_runner(make_dataset(tmp_path))
    runner.model = SimpleNamespace()
    hooks.CheckNumClassesHook().before_train(runner)


@pytest.mark.parametrize("scheduler", [OneCycleLR, CosineAnnealingLR])
@pytest.mark.parametrize("learn", [(), ("theta",)])
def test_schedule_that_ignores_group_rates(scheduler, learn, messages):
    model = torch.nn.Sequential(
        torch.nn.Linear(1, 1), RepresentationFlow(1, learn=learn)
    )
    flow_parameters = [p for p in model[1].parameters() if p.requires_grad]
    groups = [dict(params=model[0].parameters())]
    if flow_parameters:
        groups.append(dict(params=flow_parameters, lr=0.001))
    optimizer = torch.optim.SGD(groups, lr=0.1)
    options = dict(eta_max=0.1, total_steps=9) if scheduler is OneCycleLR else {}
    schedule = scheduler(optimizer, **options or dict(T_max=9))
    runner = SimpleNamespace(model=model, param_schedulers=[schedule])
    hooks.CheckFlowLearningRateHook().before_train(runner)

    harmful = scheduler is OneCycleLR and bool(learn)
    assert bool(messages) == harmful
    if learn:  # what the warning says is so
        lr = optimizer.param_groups[0]["lr"]
        assert (optimizer.param_groups[1]["lr"] == lr) == harmful


@pytest.mark.parametrize(
    ("batch", "processes", "counts", "enable", "expected"),
    [
        (4, 8, 1, False, None),
        (4, 1, 8, False, None),
        (4, 1, 1, True, None),
        (4, 1, 1, False, ["0.8 ", "of 32", "of 4:", "0.1: --auto", "counts=8"]),
        (16, 4, 1, False, ["of 64: 16 in each of 4", "1.6: --auto"]),
        (4, 1, 2, False, ["of 8: 4", "accumulated 2 times", "lr=0.2", "counts=8"]),
    ],
)
def test_learning_rate_of_another_batch_size(
    messages, batch, processes, counts, enable, expected
):
    optimizer = SGD([torch.zeros(1, requires_grad=True)], lr=0.8)
    runner = SimpleNamespace(
        auto_scale_lr=dict(base_batch_size=32, enable=enable),
        train_dataloader=SimpleNamespace(batch_size=batch),
        world_size=processes,
        optim_wrapper=OptimWrapper(optimizer, accumulative_counts=counts),
    )
    hooks.CheckBatchSizeHook().before_train(runner)
    assert len(messages) == (expected is not None)
    for part in expected or ():
        assert part in messages[0], messages
    assert ("--auto-scale-lr" in str(messages)) == (bool(expected) and counts == 1)


def test_learning_rate_that_the_optimizer_finds(messages):
    optimizer = SGD([torch.zeros(1, requires_grad=True)], lr=0.8)
    optimizer.defaults["lr"] = None
    runner = SimpleNamespace(
        auto_scale_lr=dict(base_batch_size=32),
        train_dataloader=SimpleNamespace(batch_size=4),
        world_size=1,
        optim_wrapper=OptimWrapper(optimizer),
    )
    hooks.CheckBatchSizeHook().before_train(runner)
    assert messages == []


@pytest.mark.parametrize("scaling", [None, {}, {"enable": False}])
def test_batch_size_is_not_checked_without_a_base(messages, scaling):
    runner = make_runner([])
    runner.auto_scale_lr = scaling
    runner.train_dataloader.batch_size = 4
    hooks.CheckBatchSizeHook().before_train(runner)
    assert messages == []


def touch(folder, *names):
    for name in names:
        (folder / name).touch()


@pytest.mark.parametrize("kind", [CheckedVideoDataset, VideoDataset])
def test_missing_videos_are_named_before_training(tmp_path, messages, kind):
    dataset = make_dataset(tmp_path, kind, data_prefix=dict(video=str(tmp_path)))
    touch(tmp_path, "0.mp4", "2.mp4")
    hook = hooks.UnreadableVideosHook(max_listed=1)
    hook.before_train(make_runner(RepeatDataset(dataset, 2)))
    (message,) = messages
    assert message.startswith("2 videos of train_dataloader are missing")
    assert str(tmp_path / "1.mp4") in message and "... and 1 more" in message
    touch(tmp_path, "1.mp4", "3.mp4")
    hook.before_train(make_runner(dataset))
    assert len(messages) == 1


def test_missing_videos_are_an_error_where_none_can_be_skipped(tmp_path):
    options = dict(data_prefix=dict(video=str(tmp_path)))
    hook = hooks.UnreadableVideosHook()
    with pytest.raises(FileNotFoundError, match=r"4 videos of train(.|\n)*data_prefix"):
        hook.before_train(make_runner(make_dataset(tmp_path, **options)))
    touch(tmp_path, "0.mp4", "1.mp4", "2.mp4")
    runner = make_runner(make_dataset(tmp_path, test_mode=True, **options))
    with pytest.raises(FileNotFoundError, match="1 videos of test_dataloader"):
        hook.before_test(runner)
    training = make_runner([])
    training.val_dataloader, training.val_loop = runner.val_dataloader, object()
    with pytest.raises(FileNotFoundError, match="1 videos of val_dataloader"):
        hook.before_train(training)


def test_addresses_are_not_looked_for(tmp_path, messages):
    (tmp_path / "list.txt").write_text("http://localhost/a.mp4 0\n")
    dataset = CheckedVideoDataset(str(tmp_path / "list.txt"), [])
    hooks.UnreadableVideosHook().before_train(make_runner(dataset))
    assert messages == []


def test_videos_that_are_not_on_a_disk_are_not_looked_for(tmp_path, messages):
    dataset = make_dataset(tmp_path)
    dataset.pipeline.transforms.append(SimpleNamespace(io_backend="petrel"))
    hooks.UnreadableVideosHook().before_train(make_runner(dataset))
    assert messages == []
