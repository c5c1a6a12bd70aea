"""Make a training run's weights a checkpoint of the zoo.

usage: python tools/zoo/publish.py CONFIG CHECKPOINT --metric acc/top1 [--half]

Takes the weights alone out of mmengine's checkpoint (no optimizer, no log), writes them
to checkpoints/NAME.safetensors, tests that file on the config's test split, adds the
config, the classes, the test's metrics and the versions to it, copies the training's
log beside it, and enters size, SHA-256 and result into the metafile that lists the
config. Then `python tools/zoo/build_model_zoo.py` writes the tables anew.
"""

import argparse
import os
import platform
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from mmengine.config import Config

import flowzoo
from flowzoo.config_lookup import moved_config
from flowzoo.interrupts import run_tool
from flowzoo.io.checkpoint_io import write_checkpoint
from flowzoo.zoo.download import REPOSITORY, sha256
from flowzoo.zoo.evaluate import evaluate
from flowzoo.zoo.metafiles import read_metafiles, write_metafile
from flowzoo.zoo.protocol import exit_on_other_split


def find_entry(config: Path) -> tuple[Path, dict, dict]:
    """The metafile that lists ``config``, its content, and the entry in it."""
    for path, metafile in read_metafiles():
        for entry in metafile["models"]:
            if Path(entry["config"]).name == config.name:
                return path, metafile, entry
    raise SystemExit(
        f"no configs/FAMILY/metafile.yml lists {config.name}: add it to one first"
    )


def read_training(path: Path) -> dict:
    """A checkpoint of mmengine."""
    if not path.is_file():
        raise SystemExit(f"there is no checkpoint {path}")
    checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    if "state_dict" not in checkpoint:
        raise SystemExit(f"{path} is no checkpoint of tools/train.py: no state_dict")
    return checkpoint


def weights_of(checkpoint: dict, half: bool) -> dict[str, torch.Tensor]:
    """The state_dict, in half precision if asked.

    With mmengine's EMAHook these are the averaged weights: it exchanges them when it
    saves, and puts the others into ema_state_dict.
    """
    weights = checkpoint["state_dict"]
    if half:
        weights = {
            k: v.half() if v.is_floating_point() else v for k, v in weights.items()
        }
    return weights


def training_log(work_dir: Path) -> Path:
    """The latest log of a training in a work directory."""
    logs = sorted(work_dir.glob("*/vis_data/scalars.json"))
    trainings = [log for log in logs if '"loss"' in log.read_text()]
    if not trainings:
        raise SystemExit(f"{work_dir} has no log of a training")
    return trainings[-1]


def config_text(path: Path) -> str:
    """A config, with the data where it is by default, not where it is here."""
    data = os.environ.pop("FLOWZOO_DATA", None)
    try:
        return Config.fromfile(path).pretty_text
    finally:
        if data is not None:
            os.environ["FLOWZOO_DATA"] = data


def machine() -> str:
    if torch.cuda.is_available():
        device = torch.cuda.get_device_name()
    else:
        device = f"{os.cpu_count()} CPU cores ({platform.machine()})"
    return f"{device}, PyTorch {torch.__version__}"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("config", type=Path)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--metric", required=True, help="as mmengine logs it")
    parser.add_argument("--half", action="store_true", help="store float16")
    parser.add_argument("--work-dir", type=Path, default=Path("work_dirs/zoo"))
    args = parser.parse_args()
    exit_on_other_split()

    args.config = moved_config(args.config) or args.config
    find_entry(args.config)  # before the test, which takes its time
    name = args.config.stem
    checkpoint = read_training(args.checkpoint)
    log = training_log(args.checkpoint.parent)
    weights = weights_of(checkpoint, args.half)
    meta = {
        "config": config_text(args.config),
        "classes": checkpoint.get("meta", {}).get("dataset_meta") or {},
        "versions": {"flowzoo": flowzoo.__version__, "torch": torch.__version__},
    }
    with TemporaryDirectory() as folder:
        candidate = Path(folder, f"{name}.safetensors")
        write_checkpoint(candidate, weights, meta)
        metrics = evaluate(args.config, str(candidate), args.work_dir / name)
    if args.metric not in metrics:
        raise SystemExit(
            f"the test gave no {args.metric!r}, but {', '.join(metrics)}; give one of "
            "them as --metric"
        )
    published = REPOSITORY / f"{name}.safetensors"
    published.parent.mkdir(exist_ok=True)
    write_checkpoint(published, weights, meta | {"metrics": metrics})
    published_log = published.with_name(f"{name}.log.json")
    shutil.copyfile(log, published_log)

    metafile_path, metafile, entry = find_entry(args.config)
    entry["result"] = {
        "metric": args.metric,
        "value": metrics[args.metric],
        "machine": machine(),
        "log": f"checkpoints/{published_log.name}",
    }
    entry["checkpoint"] = {
        "file": published.name,
        "size": published.stat().st_size,
        "sha256": sha256(published),
    }
    write_metafile(metafile_path, metafile)
    print(f"{published}: {entry['result']}")


if __name__ == "__main__":
    run_tool(main)
