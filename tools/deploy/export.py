"""Write a recognizer to a file that runs without FlowZoo, and compare it with PyTorch.

usage: python tools/deploy/export.py CONFIG|NAME CHECKPOINT
           --to onnx|torchscript|pt2 [--out FILE] [--clips VIDEO ...]

for example: python tools/deploy/export.py repflow_r18_motionshapes \\
                 flowzoo://repflow_r18_motionshapes --to onnx

The file takes clips (N, 3, T, H, W) of RGB pixels from 0 to 255 as float32, N as you
like, of the size that the config tests with, and gives scores (N, classes). It holds
the names of the classes where they are known (classes.txt beside the lists). The
average over clips of a video is left to whoever runs it (examples/classify_onnx.py,
which needs onnxruntime and no torch). Scores are compared on random pixels, on zeros
and on the clips given; where they differ by more than 1e-4 of the largest, nothing is
kept.
"""

# ruff: noqa: E402
import argparse
import runpy
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

# Before torch is loaded.
runpy.run_path(str(Path(__file__).parents[1] / "mmaction_tool.py"))["wait_passively"]()

import torch
from mmaction.registry import MODELS, TRANSFORMS
from mmengine.config import Config
from mmengine.dataset import Compose
from mmengine.registry import DefaultScope

import flowzoo  # noqa: F401
from flowzoo.config_lookup import find_config
from flowzoo.deployment import FORMATS, ClipClassifier, compare, export, load_exported
from flowzoo.inference import known_classes, load_all_weights
from flowzoo.interrupts import run_tool
from flowzoo.zoo.protocol import counted_input

TOLERANCE = 1e-4


def build(config: Config, checkpoint: str) -> ClipClassifier:
    with DefaultScope.overwrite_default_scope(config.default_scope):
        model = MODELS.build(config.model)
    load_all_weights(model, checkpoint)
    return ClipClassifier(model)


def read_clips(config: Config, videos: list[str]) -> torch.Tensor:
    """The first view of each video, as the config tests it."""
    with DefaultScope.overwrite_default_scope(config.default_scope):
        steps = config.test_dataloader.dataset.pipeline
        pipeline = Compose([TRANSFORMS.build(step) for step in steps])
        samples = [
            pipeline(dict(filename=v, label=0, start_index=0, modality="RGB"))
            for v in videos
        ]
    return torch.stack([sample["inputs"][0] for sample in samples]).float()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("config")
    parser.add_argument("checkpoint")
    parser.add_argument("--to", choices=FORMATS, required=True)
    parser.add_argument("--out", type=Path, help="default: the config's name")
    parser.add_argument("--clips", nargs="+", default=[], metavar="VIDEO")
    args = parser.parse_args()
    if args.to == "onnx" and not find_spec("onnx"):
        parser.error("--to onnx needs ONNX: pip install onnx onnxruntime onnxscript")
    path = Path(args.config)
    out = args.out or Path(path.stem).with_suffix(FORMATS[args.to])
    if out.is_dir():
        parser.error(f"--out {out} is a folder; give the name of a file")
    try:
        if not path.is_file():
            path = find_config(f"{path.name.removesuffix('.py')}.py")
        config = Config.fromfile(path)
        net = build(config, args.checkpoint)
        clips = read_clips(config, args.clips) if args.clips else None
    except (TypeError, OSError, LookupError, ValueError, RuntimeError) as error:
        parser.error(str(error.args[0] if isinstance(error, KeyError) else error))
    shape = counted_input(config)[1:]
    generator = torch.Generator().manual_seed(0)
    inputs = {
        "zeros": torch.zeros(3, *shape),
        "random pixels": 255 * torch.rand(2, *shape, generator=generator),
    }
    if clips is not None:
        inputs["clips"] = clips
    partial = out.with_stem(f"{out.stem}.partial")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        write(net, inputs, args.to, partial, out, known_classes(config))
    except OSError as error:
        parser.error(f"cannot write {out}: {error.strerror or error}")
    finally:
        if partial.exists():
            partial.unlink()


def write(
    net: ClipClassifier,
    inputs: dict[str, torch.Tensor],
    kind: str,
    partial: Path,
    out: Path,
    classes: Sequence[str] | None,
) -> None:
    """Export to ``partial``, compare, and rename it to ``out``."""
    print(f"1 of 3: writing {out}; each iteration of a flow adds to it", flush=True)
    export(net, inputs["random pixels"], kind, partial, classes)
    print("2 of 3: reading it", flush=True)
    exported = load_exported(kind, partial)
    print("3 of 3: comparing it with PyTorch", flush=True)
    found = compare(net, exported, inputs)
    for name, difference in found["differences"].items():
        print(f"{name}: scores differ by {difference:.1e} of the largest")
    if not max(found["differences"].values()) < TOLERANCE:
        raise SystemExit(f"error: more than {TOLERANCE:g}, {out} is not written")
    partial.rename(out)
    print(
        f"{out}: {out.stat().st_size / 2**20:.1f} MiB, "
        f"clips {tuple(inputs['zeros'].shape[1:])}; "
        f"{found['exported ms']:.1f} ms a clip, PyTorch {found['torch ms']:.1f} ms "
        f"({torch.get_num_threads()} threads)"
    )


if __name__ == "__main__":
    run_tool(main)
