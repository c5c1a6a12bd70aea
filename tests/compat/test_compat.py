"""Each fix of flowzoo.compat, beside the error that comes without it."""

import io
import os
import pickle
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.analysis import ActivationAnalyzer, FlopAnalyzer
from mmengine.config import Config, ConfigDict
from mmengine.dist import utils as dist_utils
from mmengine.fileio import LocalBackend
from mmengine.logging import HistoryBuffer
from mmengine.model import BaseModel, MMDistributedDataParallel
from mmengine.optim import OptimWrapper
from mmengine.optim.scheduler import OneCycleLR
from mmengine.runner import runner

from flowzoo import compat
from flowzoo.compat import distributed, imports
from flowzoo_kernels import RepresentationFlow


def python(code, cwd=None):
    command = [sys.executable, "-c", code]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True)


def test_fixes_may_be_applied_twice():
    before = Config._get_cfg_path, LocalBackend.put, runner.find_latest_checkpoint
    compat.resolve_flowzoo_configs()
    compat.write_checkpoints_atomically()
    compat.resume_from_whole_checkpoint()
    compat.stub_drn()
    after = Config._get_cfg_path, LocalBackend.put, runner.find_latest_checkpoint
    assert before == after


# --- imports ---


def mmaction_lacks_drn():
    folder = Path(find_spec("mmaction").origin).parent
    return not (folder / "models/localizers/drn/drn.py").exists()


@pytest.mark.skipif(not mmaction_lacks_drn(), reason="mmaction2 from source")
def test_without_flowzoo_drn_is_missing_and_mmcv_lite_complains():
    error = python("import mmaction.models").stderr
    assert "You should install ``mmcv`` rather than ``mmcv-lite``" in error
    assert "No module named 'mmaction.models.localizers.drn'" in error


@pytest.mark.skipif(not mmaction_lacks_drn(), reason="mmaction2 from source")
def test_drn_says_why_it_cannot_be_built():
    from mmaction.registry import MODELS

    with pytest.raises(ImportError, match="the wheel of mmaction2 lacks it"):
        MODELS.build({"type": "DRN"})


def test_opencv_without_libgl_names_the_cure(tmp_path):
    message = "libGL.so.1: cannot open shared object file: No such file or directory"
    (tmp_path / "cv2.py").write_text(f"raise ImportError({message!r})")
    error = python("import flowzoo", cwd=tmp_path).stderr
    assert message in error
    assert "pip install --force-reinstall" in error.splitlines()[-1]


def test_import_says_nothing():
    done = python("import flowzoo")
    assert done.returncode == 0
    assert done.stdout + done.stderr == ""


# --- checkpoints ---


def round_trip(obj):
    buffer = io.BytesIO()
    torch.save(obj, buffer)
    buffer.seek(0)
    return torch.load(buffer)


@pytest.fixture
def without_safe_globals():
    allowed = torch.serialization.get_safe_globals()
    torch.serialization.clear_safe_globals()
    yield
    torch.serialization.add_safe_globals(allowed)


def history():
    buffer = HistoryBuffer()
    for value in (3.0, 1.0, 2.0):
        buffer.update(value)
    return buffer


def test_history_is_refused_without_the_fix(without_safe_globals):
    with pytest.raises(pickle.UnpicklingError, match="Unsupported global"):
        round_trip(history())


def test_history_loads():
    loaded = round_trip(history())
    assert loaded.statistics("min") == 1
    assert loaded.statistics("mean") == 2


@pytest.mark.parametrize("strategy", ["cos", "linear"])
def test_one_cycle_scheduler_loads(strategy):
    parameter = torch.nn.Parameter(torch.zeros(1))
    wrapper = OptimWrapper(torch.optim.SGD([parameter], lr=0.1))
    scheduler = OneCycleLR(
        wrapper, eta_max=0.1, total_steps=9, anneal_strategy=strategy
    )
    state = round_trip(scheduler.state_dict())
    assert state["anneal_func"](0.0, 1.0, 1.0) == 1


@pytest.mark.parametrize("dtype", ["f8", "f4", "f2", "i8", "i4", "u1", "?"])
def test_numpy_values_load(dtype):
    array = np.arange(3).astype(dtype)
    np.testing.assert_array_equal(round_trip(array), array)
    assert round_trip(array[1]) == array[1]


def test_metainfo_from_a_config_loads():
    metainfo = ConfigDict(classes=["a"], colors={"a": {"rgb": [1, 2, 3]}})
    assert round_trip({"dataset_meta": metainfo})["dataset_meta"] == metainfo


def test_numpy_values_of_older_files_load():
    """Files written with numpy 1 name numpy.core, which numpy 2 has renamed."""
    buffer = io.BytesIO()
    torch.save(np.arange(3.0), buffer, _use_new_zipfile_serialization=False)
    old = buffer.getvalue().replace(b"numpy._core.multi", b"numpy.core.multi")
    assert b"numpy.core.multiarray" in old
    np.testing.assert_array_equal(torch.load(io.BytesIO(old)), np.arange(3.0))


class Hostile:
    def __init__(self, function, *args):
        self.call = function, args

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize(
    "hostile",
    [
        Hostile(eval, "1 + 1"),
        Hostile(getattr, HistoryBuffer, "__init__"),
        Hostile(getattr, HistoryBuffer, "__subclasses__"),
        Hostile(getattr, np.ndarray, "tofile"),
        Hostile(getattr, "text", "format"),
    ],
)
def test_hostile_checkpoint_is_refused(hostile):
    with pytest.raises(pickle.UnpicklingError):
        round_trip(hostile)


# --- killed while writing ---


def test_checkpoint_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "epoch_1.pth"
    LocalBackend().put(b"old", path)

    def killed_half_way(self, obj, filepath):
        Path(filepath).write_bytes(obj[: len(obj) // 2])
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(LocalBackend, "put", killed_half_way)
        compat.write_checkpoints_atomically()
        with pytest.raises(KeyboardInterrupt):
            LocalBackend().put(b"newer", path)
    assert path.read_bytes() == b"old"
    LocalBackend().put(b"newer", path)
    assert [p.read_bytes() for p in tmp_path.iterdir()] == [b"newer"]


def test_other_files_are_written_in_place(tmp_path):
    target, link = tmp_path / "results", tmp_path / "out.pkl"
    link.symlink_to(target)
    LocalBackend().put(b"results", link)
    assert link.is_symlink() and target.read_bytes() == b"results"


@pytest.fixture
def work_dir(tmp_path):
    """Two whole checkpoints, then a broken one that last_checkpoint names."""
    for i, name in enumerate(["epoch_1", "epoch_2", "best_acc_epoch_2"]):
        torch.save({"epoch": i}, tmp_path / f"{name}.pth")
        os.utime(tmp_path / f"{name}.pth", (i, i))
    (tmp_path / "epoch_3.pth").write_bytes(b"half a zip file")
    (tmp_path / "last_checkpoint").write_text(str(tmp_path / "epoch_3.pth"))
    return tmp_path


def test_resume_takes_the_newest_whole_checkpoint(work_dir):
    find = runner.find_latest_checkpoint
    assert find.__wrapped__(str(work_dir)) == str(work_dir / "epoch_3.pth")
    assert find(str(work_dir)) == str(work_dir / "epoch_2.pth")
    (work_dir / "last_checkpoint").write_text("")
    assert find(str(work_dir)) == str(work_dir / "epoch_2.pth")
    (work_dir / "last_checkpoint").write_text(str(work_dir / "epoch_9.pth"))
    assert find(str(work_dir)) == str(work_dir / "epoch_2.pth")


def test_resume_leaves_good_answers_alone(work_dir):
    find = runner.find_latest_checkpoint
    for good in (
        str(work_dir / "epoch_1.pth"),
        "s3://bucket/epoch_1.pth",
        str(work_dir),
    ):
        (work_dir / "last_checkpoint").write_text(good)
        assert find(str(work_dir)) == good
    (work_dir / "last_checkpoint").unlink()
    assert find(str(work_dir)) is None


# --- configs ---


def test_flowzoo_config_as_base(tmp_path):
    mine = tmp_path / "mine.py"
    mine.write_text(
        "_base_ = 'flowzoo::_base_/default_runtime.py'\n"
        "hooks = {{_base_.default_hooks}}\n"
    )
    config = Config.fromfile(mine)
    assert config.default_scope == "mmaction"
    assert config.hooks.timer == {"type": "IterTimerHook", "_scope_": "mmaction"}
    with pytest.raises((ValueError, AssertionError)):
        Config._get_cfg_path.__wrapped__("flowzoo::_base_/default_runtime.py", "x")


def test_other_bases_are_left_to_mmengine(tmp_path):
    assert Config._get_cfg_path("../x.py", "/a/b/y.py") == ("/a/b/../x.py", None)
    with pytest.raises(AssertionError, match="does not support to load nobody"):
        Config._get_cfg_path("nobody::a/b.py", "x")


def test_unknown_config_names_near_matches():
    with pytest.raises(FileNotFoundError, match=r"_base_/default_runtime\.py"):
        Config._get_cfg_path("flowzoo::_base_/defaultruntime.py", "x")


# --- processes on a CPU ---

GROUP = """
import atexit, os, torch
os.environ.update(RANK='0', LOCAL_RANK='0', WORLD_SIZE='1',
                  MASTER_ADDR='127.0.0.1', MASTER_PORT='0')
atexit.register(lambda: print('group at exit:', torch.distributed.is_initialized()))
import flowzoo
from mmengine.dist import init_dist, utils
from mmengine.model import BaseModel, MMDistributedDataParallel as DDP
select_gpu = torch.cuda.set_device
try:
    utils._init_dist_pytorch.__wrapped__('nccl')
except Exception as error:
    print('without:', type(error).__name__)
init_dist('pytorch', backend='nccl')
print(torch.distributed.get_backend(), torch.cuda.set_device is select_gpu)
module = torch.nn.Linear(1, 1)
try:
    DDP.__init__.__wrapped__(DDP.__new__(DDP), module=module, device_ids=[0])
except ValueError as error:
    print('without:', str(error)[:34])
print(DDP(module=module, device_ids=[0]).device_ids)
"""


@pytest.mark.skipif(torch.cuda.is_available(), reason="for machines without a GPU")
def test_process_group_and_model_wrapper_on_cpu():
    done = python(GROUP)
    assert done.returncode == 0, done.stderr
    without_gpu, group, without_model, device_ids, at_exit = done.stdout.splitlines()
    assert without_gpu in ("without: AttributeError", "without: RuntimeError")
    assert group == "gloo True"
    assert without_model == "without: DistributedDataParallel device_ids"
    assert device_ids == "None"
    assert at_exit == "group at exit: False"


def test_every_launcher_is_covered():
    for launcher in ("pytorch", "mpi", "slurm"):
        assert hasattr(getattr(dist_utils, f"_init_dist_{launcher}"), "__wrapped__")
    assert hasattr(MMDistributedDataParallel.__init__, "__wrapped__")


def test_backend_of_the_config_is_kept_on_gpus(monkeypatch):
    asked_for = []
    with monkeypatch.context() as patch:
        patch.setattr(dist_utils, "_init_dist_pytorch", asked_for.append)
        patch.setattr(distributed, "get_device", lambda: "cuda")
        compat.use_gloo_on_cpu()
        dist_utils._init_dist_pytorch("nccl")
    assert asked_for == ["nccl"]


# --- heads ---


@pytest.fixture
def head():
    from mmaction.models import TSNHead

    return TSNHead(num_classes=3, in_channels=4, topk=(1,), average_clips="prob")


@pytest.fixture
def samples():
    from mmaction.structures import ActionDataSample

    return [ActionDataSample().set_gt_label(i) for i in range(2)]


def test_heads_take_bfloat16_scores(head, samples):
    scores = torch.tensor([[2.0, 1, 0], [0, 1, 2]], dtype=torch.bfloat16)
    scores.requires_grad_()
    with pytest.raises(TypeError, match="BFloat16"):
        type(head).loss_by_feat.__wrapped__(head, scores, samples)
    losses = head.loss_by_feat(scores, samples)
    assert losses["loss_cls"].dtype == torch.float32
    assert losses["top1_acc"] == 0.5
    losses["loss_cls"].backward()
    assert scores.grad.dtype == torch.bfloat16 and scores.grad.abs().sum() > 0


def test_heads_predict_from_bfloat16_scores(head, samples):
    scores = torch.tensor([[2.0, 1, 0], [0, 1, 2]], dtype=torch.bfloat16)
    predictions = head.predict_by_feat(scores, samples)
    assert predictions[0].pred_score.numpy().dtype == np.float32
    assert [int(p.pred_label) for p in predictions] == [0, 2]


def test_heads_leave_other_precisions_alone(head, samples):
    scores = torch.rand(2, 3, dtype=torch.float64)
    assert head.predict_by_feat(scores, samples)[0].pred_score.dtype == torch.float64


# --- FLOPs ---


@pytest.mark.parametrize("variant, image, flow", [("paper", 18, 18), ("tvl1", 6, 4)])
def test_flops_and_activations_of_representation_flow(variant, image, flow):
    model = RepresentationFlow(3, n_iters=4, variant=variant)
    x = torch.rand(2, 3, 5, 7, 6)
    pixels, per_step = 2 * 3 * 4 * 7 * 6, 2 * flow + 2 * 4 + 23
    assert FlopAnalyzer(model, x).total() == pixels * (image + 3 + 4 * per_step)
    assert ActivationAnalyzer(model, x).total() == 2 * pixels


@pytest.mark.skipif(sys.platform == "win32", reason="homes are found otherwise there")
def test_user_without_a_home(monkeypatch, tmp_path):
    def unknown():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", unknown)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.delenv("HOME")
    with pytest.warns(UserWarning, match="no home directory"):
        imports.provide_home()
    home = Path(os.environ["HOME"])
    assert home.parent == tmp_path and home.stat().st_mode & 0o777 == 0o700
    home.rmdir()
    home.symlink_to(tmp_path)
    with pytest.raises(PermissionError, match="set HOME"):
        imports.provide_home()


@pytest.mark.parametrize("fixed", [False, True])
def test_compiled_training_step(fixed):
    class Model(BaseModel):
        def __init__(self):
            super().__init__()
            self.layer = torch.nn.Linear(2, 1)

        def forward(self, inputs, mode):
            return dict(loss=self.layer(inputs).square().mean())

    model = Model()
    groups = [ConfigDict(params=list(model.parameters()))]  # as mmengine makes them
    optimizer = OptimWrapper(torch.optim.SGD(groups, lr=0.1))
    config = Config(dict(compile=dict(backend="eager")))
    silent = SimpleNamespace(info=lambda text: None)
    run = SimpleNamespace(
        cfg=config, model=model, optim_wrapper=optimizer, logger=silent
    )
    maybe_compile = runner.Runner._maybe_compile
    before = model.layer.weight.clone()
    torch._dynamo.reset()
    (maybe_compile if fixed else maybe_compile.__wrapped__)(run, "train_step")
    if fixed:
        losses = model.train_step(dict(inputs=torch.ones(3, 2)), optimizer)
        assert losses["loss"].isfinite() and (model.layer.weight != before).all()
    else:
        with pytest.raises(torch._dynamo.exc.InternalTorchDynamoError):
            model.train_step(dict(inputs=torch.ones(3, 2)), optimizer)
