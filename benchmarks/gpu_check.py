"""Everything that needs a GPU, in three steps that end in time and bring results back.

    sh benchmarks/gpu_check.sh wheels FOLDER     here: what a machine without a network
                                                 lacks, packed into FOLDER
    sh benchmarks/gpu_check.sh tests|bench|train there: into $OUT, at most ten minutes

For a machine that is rented by the minute: nothing is installed on it, each step stops
before its time is over, what it has measured until then is written, and its results are
at most 8 files of 16 MiB. `--wheels FOLDER` reads what `wheels` has packed; FOLDER and
the repository's files have to stay below 64 MiB together.

tests: every kernel against its reference, on as many processes as there are cores;
then, alone, the tensors of more than 2^31 elements. bench: times and memory against the
baselines. train: two networks of full width on MotionShapes, and their weights in half
precision.
"""

import argparse
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# Beside torch, triton, numba, numpy, scipy, matplotlib, rich, pyyaml, opencv, filelock,
# safetensors, pytest and pytest-xdist, which such machines have.
WHEELS = (
    *("mmengine==0.10.7", "mmaction2==1.2.0", "mmcv-lite==2.1.0", "addict==2.4.0"),
    *("importlib-metadata==8.7.1", "termcolor==3.3.0", "yapf==0.43.0"),
    *("platformdirs==4.14.7", "av==19.0.2"),
)
PLATFORMS = [f"manylinux_2_{n}_x86_64" for n in (28, 27, 17)] + ["manylinux2014_x86_64"]
LIMIT = 64 << 20  # bytes that travel
PART = 15 << 20  # bytes of a file that comes back
RESERVE = 20  # seconds for what comes after the last command


@dataclass(frozen=True)
class Command:
    """A command of a step.

    Args:
        seconds: after which it is stopped; what it has written until then counts.
    """

    name: str
    arguments: list[str]
    seconds: int


def _pytest(name: str, marker: str, seconds: int, *options: str) -> Command:
    arguments = ["-m", "pytest", "tests/gpu", "-m", marker, "-ra", *options]
    return Command(name, [*arguments, f"--junitxml={{out}}/{name}.xml"], seconds)


def _train(config: str, seconds: int, **options: object) -> Command:
    arguments = ["tools/train.py", f"configs/{config}.py", "--work-dir"]
    arguments += [
        f"{{work}}/{config}",
        "--cfg-options",
        "train_dataloader.num_workers=8",
    ]
    arguments += ["default_hooks.checkpoint.max_keep_ckpts=1"]
    arguments += [f"{key}={value}" for key, value in options.items()]
    return Command(Path(config).name, arguments, seconds)


STEPS = {
    "tests": [
        _pytest("tests", "not huge", 400, "-n", str(min(14, os.cpu_count() or 1))),
        _pytest("tests_huge", "huge", 150),
    ],
    "bench": [
        Command(
            "bench_repflow", ["benchmarks/bench_repflow.py", "--device", "cuda"], 240
        ),
        Command(
            "bench_repflow_8_pixels",
            [
                *("benchmarks/bench_repflow.py", "--device", "cuda"),
                *("--backward-pixels", "8", "--suffix", "_8_pixels"),
                *("--sizes", "14,28", "--compile-sizes", "", "--no-memory"),
            ],
            50,
        ),
        Command(
            "bench_motion_loss",
            ["benchmarks/bench_motion_loss.py", "--device", "cuda", "--compile"],
            180,
        ),
        Command(
            "bench_tvl1_flow_batch",
            ["benchmarks/bench_tvl1_flow_batch.py", "--device", "cuda"],
            60,
        ),
    ],
    "train": [
        # ResNet-18 as published, not a quarter of its width
        _train(
            "repflow_r18_motionshapes",
            280,
            **{
                "model.backbone.base_channels": 64,
                "model.cls_head.in_channels": 512,
                "model.backbone.flow_cfg.bottleneck_channels": 32,
            },
        ),
        _train("motionnet/motionnet_motionshapes", 250),
    ],
}


def environment(wheels: Path | None, folder: Path) -> dict[str, str]:
    """Variables with which the repository works where it is not installed."""
    (folder / "flowzoo_kernels").symlink_to(ROOT / "kernels", target_is_directory=True)
    paths = [folder, ROOT, ROOT / "tests", ROOT / "benchmarks"]
    if wheels:
        site = folder / "site"
        for archive in sorted(wheels.glob("*.tar.xz")):
            with tarfile.open(archive) as tar:
                tar.extractall(site, filter="data")
        paths.append(site)
    path = os.pathsep.join(map(str, paths))
    return os.environ | {"PYTHONPATH": path, "PYTHONUNBUFFERED": "1"}


def run_step(step: str, out: Path, minutes: float, wheels: Path | None) -> int:
    """Run the commands of a step; returns how many failed or ran out of time."""
    deadline = time.monotonic() + 60 * minutes - RESERVE
    out.mkdir(parents=True, exist_ok=True)
    timeline = []
    with tempfile.TemporaryDirectory() as folder, (out / "log.txt").open("w") as log:
        work = Path(folder)
        variables = environment(wheels, work)
        variables["FLOWZOO_RESULTS"] = str(out)
        for command in STEPS[step]:
            limit = min(command.seconds, deadline - time.monotonic())
            entry = {"command": command.name, "limit": round(max(0, limit))}
            timeline.append(entry)
            if limit < 5:
                entry["ended"] = "not started: no time was left"
            else:
                arguments = [a.format(out=out, work=work) for a in command.arguments]
                entry |= run_command(arguments, limit, variables, log)
            (out / "timeline.json").write_text(json.dumps(timeline, indent=1))
            print(json.dumps(entry), flush=True)
        if step == "train":
            sys.path[:0] = variables["PYTHONPATH"].split(os.pathsep)
            pack_weights(work, out)
    return sum(entry["ended"] != 0 for entry in timeline)


def run_command(arguments: list[str], limit: float, variables: dict, log) -> dict:
    """Run Python with the arguments; it is asked to stop at the limit, then killed."""
    start = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=variables,
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,  # so that its workers end with it
    )
    try:
        ended = process.wait(limit)
    except subprocess.TimeoutExpired:
        ended = f"stopped after {limit:.0f} s"
        for stop, patience in ((15, 5), (9, None)):
            try:
                os.killpg(process.pid, stop)
                process.wait(patience)
            except (ProcessLookupError, subprocess.TimeoutExpired):
                continue
    return {"seconds": round(time.monotonic() - start, 1), "ended": ended}


def pack_weights(work: Path, out: Path) -> None:
    """The newest weights of each training in half precision, in parts, and its log."""
    import torch

    import flowzoo  # noqa: F401  mmengine's checkpoints can be read

    for marker in sorted(work.glob("**/last_checkpoint")):
        folder = marker.parent
        state = torch.load(marker.read_text().strip(), map_location="cpu")["state_dict"]
        packed = io.BytesIO()
        torch.save({k: v.half() if v.is_floating_point() else v
                    for k, v in state.items()}, packed)  # fmt: skip
        data = packed.getvalue()
        for number, begin in enumerate(range(0, len(data), PART)):
            part = out / f"{folder.name}.pth.{number}"
            part.write_bytes(data[begin : begin + PART])
        for scalars in folder.glob("*/vis_data/scalars.json"):
            shutil.copy(scalars, out / f"{folder.name}.log.json")


def pack_wheels(folder: Path) -> None:
    """Download what a machine lacks, and say whether it may travel."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as downloads:
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps"]
        command += ["--only-binary=:all:", "--python-version", "3.12"]
        command += [f"--platform={name}" for name in PLATFORMS]
        subprocess.run([*command, "-d", downloads, *WHEELS], check=True)
        for wheel in sorted(Path(downloads).glob("*.whl")):
            site = Path(downloads, wheel.stem)
            with zipfile.ZipFile(wheel) as archive:
                archive.extractall(site)
            with tarfile.open(folder / f"{wheel.stem}.tar.xz", "w:xz") as tar:
                for path in site.iterdir():
                    tar.add(path, path.name)
    files = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split("\0")
    own = sum((ROOT / name).lstat().st_size for name in filter(None, files))
    packed = sum(path.stat().st_size for path in folder.glob("*.tar.xz"))
    total = own + packed
    print(
        f"repository {own / 2**20:.1f} MiB + {folder} {packed / 2**20:.1f} MiB = "
        f"{total / 2**20:.1f} MiB of {LIMIT / 2**20:.0f}"
    )
    if total > LIMIT:
        raise SystemExit("more than may travel")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("step", choices=("wheels", *STEPS))
    parser.add_argument("folder", nargs="?", type=Path, help="default: $OUT")
    parser.add_argument("--minutes", type=float, default=9.5)
    parser.add_argument("--wheels", type=Path, help="folder that 'wheels' has packed")
    args = parser.parse_args()
    folder = args.folder or Path(os.environ.get("OUT", "work_dirs/gpu"))
    if args.step == "wheels":
        pack_wheels(folder)
    else:
        out = folder.resolve()
        sys.exit(min(1, run_step(args.step, out, args.minutes, args.wheels)))


if __name__ == "__main__":
    main()
