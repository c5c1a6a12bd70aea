"""Every config, found by listing them, builds and runs a training step."""

import ast
from pathlib import Path

import pytest
import torch
from helpers.read_config import read_config
from mmaction.registry import MODELS, TRANSFORMS
from mmaction.structures import ActionDataSample
from mmengine.config import Config, ConfigDict
from mmengine.optim import build_optim_wrapper
from mmengine.registry import DefaultScope

import flowzoo  # noqa: F401
from flowzoo_kernels import RepresentationFlow

ROOT = Path(__file__).parents[2] / "configs"
BASES = sorted((ROOT / "_base_").rglob("*.py"))
CONFIGS = sorted(set(ROOT.rglob("*.py")) - set(BASES))

# Shape of a sample's inputs by the type of the backbone or else of the model, small: a
# new type of model needs a line.
INPUT_SHAPES = {
    "Recognizer2D": (1, 3, 32, 32),  # frames, then one frame
    "RepFlowRecognizer2D": (8, 3, 32, 32),
    "Recognizer3D": (1, 3, 5, 32, 32),  # clips, then one clip
    "RepFlowSeparableResNet3d": (1, 3, 9, 32, 32),  # a quarter of them, for two flows
    "MotionEstimator": (1, 3, 11, 32, 32),
    "PyramidMotionEstimator": (1, 3, 2, 32, 32),
    "ReleasedRepFlowResNet3d": (1, 3, 11, 32, 32),  # their shortest clips
    "RepFlowFcfResNet3d": (1, 3, 15, 32, 32),
}


@pytest.fixture(scope="module", params=CONFIGS, ids=lambda path: path.stem)
def config(request):
    config = read_config(request.param.stem)
    with DefaultScope.overwrite_default_scope(config.default_scope):
        yield config


def small_model(cfg):
    """A model config without downloads and without what only datasets differ in.

    VGG's fully connected layers, of 120 million weights, become narrow, feature
    sequences, too, and representation-flow networks an eighth as wide.
    """
    cfg = cfg.copy()
    for key, value in cfg.items():
        if isinstance(value, ConfigDict):
            cfg[key] = small_model(value)
    if cfg.get("pretrained"):
        cfg.pretrained = None
        if cfg.type == "ResNetTSM":  # which cannot start from scratch otherwise
            cfg.pretrained2d = False
    if (cfg.get("init_cfg") or {}).get("type") == "Pretrained":
        cfg.init_cfg = None
    if cfg.get("type") in ("VGG16", "VGGClassifier"):
        cfg.fc_channels = 8
    if cfg.get("type") in ("ClipConsensusHead", "TSNHead") and cfg.in_channels == 4096:
        cfg.in_channels = 8
    backbone = cfg.get("backbone", {})
    if backbone.get("type", "").startswith("RepFlow"):
        backbone.base_channels = backbone.get("base_channels", 64) // 8
        if "cls_head" in cfg:
            cfg.cls_head.in_channels //= 8
    if cfg.get("type") == "FeatureTwoStream":
        for part in ("appearance_head", "flow_head", "neck"):
            for key in ("in_channels", "out_channels", "hidden_channels"):
                if key in (cfg.get(part) or {}):
                    cfg[part][key] = 16
    if "num_classes" in cfg:
        cfg.num_classes = 4
        cfg.average_clips = "prob"
    return cfg


BUILT = {}


def kinds(value):
    """The parts of a model, and what is named in them: types, modes, positions."""
    if isinstance(value, dict):
        parts = {key: kinds(part) for key, part in value.items()}
        return {key: part for key, part in parts.items() if part}
    if isinstance(value, list | tuple):
        return [kind for kind in map(kinds, value) if kind]
    return value if isinstance(value, str) else None


@pytest.fixture(scope="module")
def model(config, pytestconfig):
    cfg = small_model(config.model)
    if cfg.type in ("TwoStreamRecognizer", "HallucinatedTwoStream"):
        pytest.skip("not trained")
    # Configs share models, some of them large. One of each is enough, and without
    # --slow one of each kind.
    optimizer = dict(config.optim_wrapper, optimizer=config.optim_wrapper.optimizer.type)
    key = repr((cfg, optimizer) if pytestconfig.getoption("--slow") else kinds(cfg))
    if BUILT.setdefault(key, config.filename) != config.filename:
        pytest.skip(f"same model and optimizer as {BUILT[key]}")
    model = MODELS.build(cfg)
    model.init_weights()
    return model


def tiny_batch(config):
    if config.model.type == "FeatureTwoStream":
        return tiny_feature_batch(small_model(config.model))
    backbone = config.model.get("backbone", {}).get("type")
    shape = INPUT_SHAPES.get(backbone) or INPUT_SHAPES[config.model.type]
    if config.model.data_preprocessor.type == "TVL1DataPreprocessor":
        clip_len = config.train_dataloader.dataset.pipeline[1].clip_len
        shape = (1, 3, clip_len, 32, 32)
    elif config.model.get("backbone", {}).get("in_channels") == 2:  # flow for frames
        shape = (shape[0], 2, *shape[2:])
    if str(backbone).endswith("TemporalStream"):
        sampling = config.train_dataloader.dataset.pipeline[1]
        shape = (sampling.get("num_clips", 1), 3, sampling.clip_len, 32, 32)
    samples = [ActionDataSample().set_gt_label(label) for label in (0, 1)]
    if config.model.type.endswith("MotionEstimator"):
        frames = config.model.backbone.get("num_frames", 2)
        shape = (1, 3, frames, *shape[3:])
        for sample in samples:  # for supervised training
            sample.set_field(torch.rand(frames - 1, 2, 32, 32), "gt_flow")
    if backbone == "ActionFlowNet":
        for sample in samples:
            sample.set_field(torch.rand(shape[2] - 1, 2, 32, 32), "gt_flow")
    inputs = [torch.randint(256, shape, dtype=torch.uint8) for _ in samples]
    if config.model.type == "PyramidMotionEstimator":  # frames that belong together
        inputs = [x[:, :, :1].repeat(1, 1, shape[2], 1, 1) for x in inputs]
    return dict(inputs=inputs, data_samples=samples)


def tiny_feature_batch(model):
    sizes = dict(flow=model.flow_head.in_channels)
    sizes["appearance"] = (model.get("neck") or model.appearance_head).in_channels
    several = model.flow_head.get("multi_class")
    labels = torch.eye(model.flow_head.num_classes)[:2] if several else (0, 1)
    samples = [ActionDataSample().set_gt_label(label) for label in labels]
    inputs = {s: [torch.rand(5, size) for _ in samples] for s, size in sizes.items()}
    return dict(inputs=inputs, data_samples=samples)


def test_training_step(config, model):
    # one step that shows: published rates may be too small, and count several batches
    step = dict(config.optim_wrapper, accumulative_counts=1)
    step["optimizer"] = dict(step["optimizer"], lr=0.01)
    optimizer = build_optim_wrapper(model, step)
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    losses = model.train_step(tiny_batch(config), optimizer)
    assert torch.isfinite(losses["loss"])
    learned = [n for n, p in model.named_parameters() if p.requires_grad]
    changed = {n for n, p in model.named_parameters() if not torch.equal(p, before[n])}
    assert changed <= set(learned)
    # the gradient reaches the first layer, and every part of the model
    assert learned[0] in changed
    parts = {name.split(".")[0] for name in learned}
    assert parts == {name.split(".")[0] for name in changed}


def pretrained_parameters(config, model):
    """The rates of the parts that start from ImageNet weights and learn slowly."""
    if "lite0" not in config.filename:
        return {}
    parts = [model.backbone, model.neck.tail]
    return {id(p): 0.03 for part in parts for p in part.parameters()}


def test_flow_parameters_learn_slowly(config, model):
    flows = [m for m in model.modules() if isinstance(m, RepresentationFlow)]
    flow_parameters = {id(p) for m in flows for p in m.parameters() if p.requires_grad}
    if not flow_parameters:
        pytest.skip("nothing of a representation flow is learned")
    optimizer = build_optim_wrapper(model, config.optim_wrapper).optimizer
    lr = optimizer.defaults["lr"]
    slow = pretrained_parameters(config, model)
    for group in optimizer.param_groups:
        for p in group["params"]:
            mult = 0.01 if id(p) in flow_parameters else slow.get(id(p), 1)
            assert group["lr"] == pytest.approx(mult * lr)
            flow_parameters.discard(id(p))
    assert not flow_parameters


@pytest.mark.parametrize("loader", ["train", "val", "test"])
def test_pipeline_builds(config, loader):
    for transform in config[f"{loader}_dataloader"].dataset.pipeline:
        TRANSFORMS.build(transform)


def test_inferencer_finds_its_pipeline(config):
    inherited = [  # mmaction2 marks what it left in its own file
        {key: value for key, value in transform.items() if key != "_scope_"}
        for transform in config.test_pipeline
    ]
    assert inherited == config.test_dataloader.dataset.pipeline


def bases_of(path):
    """The files that a config inherits from directly, without those of mmaction2."""
    for node in ast.parse(path.read_text()).body:
        if node.targets[0].id == "_base_":
            bases = ast.literal_eval(node.value)
            bases = [bases] if isinstance(bases, str) else bases
            return [path.parent / base for base in bases if "::" not in base]
    return []


def depth(path):
    return 1 + max(map(depth, bases_of(path)), default=0)


def test_inheritance_is_flat():
    """Of _base_, only networks that fuse another one inherit from it."""
    assert max(map(depth, CONFIGS)) == 3
    deep = [path for path in BASES if depth(path) > 1]
    assert {path.parent.name for path in deep} == {"models"}
    assert max(map(depth, deep)) == 2


DATA = {"train_data", "val_data", "test_data"}
DATASETS = sorted((ROOT / "_base_" / "datasets").glob("*.py"))


@pytest.mark.parametrize("path", DATASETS, ids=lambda path: path.stem)
def test_base_datasets_are_data_only(path):
    config = Config.fromfile(path)
    assert DATA | {"num_classes"} <= set(config)
    assert set(config) <= DATA | {"num_classes", "root", "split", "train_list", "files"}
    for data in map(config.get, DATA):
        assert data.type.endswith("Dataset")
        assert not {"pipeline", "batch_size", "test_mode"} & set(data)


def test_every_base_is_used():
    paths = [*CONFIGS, *BASES]  # bases of models may have one, too
    used = {base.resolve() for path in paths for base in bases_of(path)}
    assert {path.resolve() for path in BASES} <= used


def test_names_are_unique():
    """mim finds configs by their file names."""
    names = [path.name for path in [*CONFIGS, *BASES]]
    assert sorted(names) == sorted(set(names))
