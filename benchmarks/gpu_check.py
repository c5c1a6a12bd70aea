"""Everything that needs a GPU, in three steps that end in time and bring results back.

    sh benchmarks/gpu_check.sh wheels FOLDER     here: what a machine without a network
                                                 lacks, packed into FOLDER
    sh benchmarks/gpu_check.sh tests|bench|train there: into $OUT, at most ten minutes
    sh benchmarks/gpu_check.sh tests --dry-run   here: the same with launches stubbed
                                                 and smaller inputs

For a machine that is rented by the minute: nothing is installed on it, each step stops
before its time is over, what it has measured until then is written, and its results are
at most 8 files of 16 MiB. `--wheels FOLDER` reads what `wheels` has packed; FOLDER and
the repository's files have to stay below 64 MiB together, which they do without
checkpoints/.

tests: every kernel against its reference, on as many processes as there are cores;
then, alone, the tensors of more than 2^31 elements. bench: times and memory against the
baselines. train: two networks of full width on MotionShapes, and their weights in half
precision. timeline.json says what was run for how long, on what.
"""

import argparse
import contextlib
import importlib.metadata
import io
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# Beside torch, triton, numba, numpy, scipy, matplotlib, rich, pyyaml, opencv, filelock,
# safetensors, pytest and pytest-xdist, which such machines have.
WHEELS = (
    *("mmengine==0.10.7", "mmaction2==1.2.0", "mmcv-lite==2.1.0", "addict==2.4.0"),
    *("importlib-metadata==8.7.1", "termcolor==3.3.0", "yapf==0.43.0"),
    *("platformdirs==4.14.7", "av==18.1.0"),
)
PLATFORMS = [f"manylinux_2_{n}_x86_64" for n in (28, 27, 17)] + ["manylinux2014_x86_64"]
LIMIT = 64 << 20  # bytes that travel, and that come back
FILES, LARGEST = 8, 16 << 20  # that come back, and bytes of one
PART = 15 << 20  # bytes of a file with weights
RESERVE = 20  # seconds for what comes after the last command
PATIENCE = 10  # seconds that a command has to write what it knows, once it is stopped
VERSIONS = "torch", "triton", "numpy", "numba"


@dataclass(frozen=True)
class Command:
    """A command of a step.

    Args:
        seconds: after which it is stopped; what it has written until then counts.
        small: further arguments of a dry run.
    """

    name: str
    arguments: list[str]
    seconds: int
    small: Sequence[str] = ()


def _pytest(name: str, marker: str, seconds: int, *options: str) -> Command:
    arguments = ["-m", "pytest", "tests/gpu", "-m", marker, "-ra", "-vv", *options]
    arguments += ["--durations=20", f"--junitxml={{out}}/{name}.xml"]
    small = ["-k", "not 224 and not 130 and not 61 and not 56 and not 70-60-120"]
    return Command(name, arguments, seconds, small)


def _bench(
    script: str, seconds: int, options: str = "", small: str = "", suffix: str = ""
) -> Command:
    arguments = [f"benchmarks/{script}.py", *options.split()]
    if suffix:
        arguments += ["--suffix", suffix]
    return Command(script + suffix, arguments, seconds, small.split())


def _train(config: str, seconds: int, options: str, small: str) -> Command:
    arguments = ["tools/train.py", f"configs/{config}.py"]
    arguments += ["--work-dir", f"{{work}}/{config}", "--cfg-options"]
    arguments += ["train_dataloader.num_workers=8", *options.split()]
    clips = [
        f"{split}_dataloader.dataset.spec.num_{part}=32"
        for split in ("train", "val")
        for part in ("train", "val", "test")
    ]
    return Command(config, arguments, seconds, [*small.split(), *clips])


SMALL = "--clips 1 --sizes 7 --rounds 1 --n-iters 2 --no-memory"  # of bench_repflow
STEPS = {
    "tests": [
        _pytest("tests", "not huge", 400, "-n", str(min(14, os.cpu_count() or 1))),
        _pytest("tests_huge", "huge", 150),
    ],
    "bench": [
        _bench("bench_repflow", 150, "--device cuda --compile-sizes=", SMALL),
        _bench(
            "bench_repflow",
            80,
            "--device cuda --backward-pixels 8 --sizes 14,28 --compile-sizes= "
            "--no-memory",
            f"{SMALL} --variants tvl1",
            "_8_pixels",
        ),
        _bench(
            "bench_motion_loss",
            150,
            "--device cuda --compile --only warp,ssim,loss,multiscale",
            "--no-compile --batch 1 --size 64 --rounds 1",
        ),
        _bench(
            "bench_tvl1_flow_batch",
            50,
            "--device cuda --batches 1,4,16,64",
            "--batches 1 --runs 1",
        ),
        # Last: PyTorch compiles unrolled iterations for minutes
        _bench(
            "bench_repflow",
            120,
            "--device cuda --sizes 14,28 --compile-sizes 14,28 --no-memory",
            f"{SMALL} --compile-sizes 7 --variants tvl1",
            "_compiled",
        ),
    ],
    "train": [
        _bench("bench_training_step", 50, small="--clips 1 --rounds 1"),
        # ResNet-18 as published, not a quarter of its width
        _train(
            "repflow_r18_motionshapes",
            250,
            "model.backbone.base_channels=64 model.cls_head.in_channels=512 "
            "model.backbone.flow_cfg.bottleneck_channels=32 "
            "default_hooks.checkpoint.max_keep_ckpts=1",
            "train_cfg.max_epochs=1",
        ),
        # Not MotionNet, whose weights are 81 MiB in half precision
        _train(
            "tinymotionnet_motionshapes",
            240,
            "default_hooks.checkpoint.interval=200",
            "default_hooks.checkpoint.interval=2 train_cfg.max_iters=4 "
            "train_cfg.val_interval=2",
        ),
    ],
}


def environment(wheels: Path | None, folder: Path, dry: bool) -> dict[str, str]:
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
    variables = os.environ | {"PYTHONPATH": path, "PYTHONUNBUFFERED": "1"}
    if dry:  # every process imports sitecustomize as it starts
        stub = "import stubbed_gpu\nstubbed_gpu.install()\n"
        (folder / "sitecustomize.py").write_text(stub)
        variables["FLOWZOO_DATA"] = str(folder / "data")
    return variables


def run_step(
    step: str, out: Path, minutes: float, wheels: Path | None, dry: bool = False
) -> int:
    """Run the commands of a step; returns how many failed or ran out of time."""
    deadline = time.monotonic() + 60 * minutes - RESERVE
    out.mkdir(parents=True, exist_ok=True)
    commands = []
    timeline = {"step": step, "dry run": dry, **machine(), "commands": commands}
    with tempfile.TemporaryDirectory() as folder, (out / "log.txt").open("w") as log:
        work = Path(folder)
        variables = environment(wheels, work, dry)
        variables["FLOWZOO_RESULTS"] = str(out)
        if step == "train":  # reads the weights
            sys.path[:0] = variables["PYTHONPATH"].split(os.pathsep)
        for command in STEPS[step]:
            limit = min(command.seconds, deadline - time.monotonic())
            entry = {"command": command.name, "limit": round(max(0, limit))}
            entry |= {"load before": round(os.getloadavg()[0], 1), "ended": "under way"}
            commands.append(entry)
            write_timeline(out, timeline)
            if limit < 5:
                entry["ended"] = "not started: no time was left"
            else:
                arguments = [a.format(out=out, work=work) for a in command.arguments]
                arguments += command.small if dry else []
                print(f"== {command.name}", file=log, flush=True)
                try:
                    entry |= run_command(arguments, limit, variables, log)
                finally:  # also where this process is stopped
                    write_timeline(out, timeline)
                    if problems := pack_weights(work, out):
                        entry["no weights"] = problems
                if entry["ended"] != 0:
                    print((out / "log.txt").read_text(errors="replace")[-1500:])
            write_timeline(out, timeline)
            print(json.dumps(entry), flush=True)
    print("comes back:", json.dumps(what_comes_back(out)))
    return sum(entry["ended"] != 0 for entry in commands)


def stop_by_signals() -> None:
    """Let signals raise KeyboardInterrupt, so that what runs ends with this process.

    Nor may that inherit that Ctrl-C is ignored, as in a shell's background; that a lost
    connection is, as under nohup, is wanted.
    """
    numbers = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
        numbers.append(signal.SIGHUP)
    for number in numbers:
        signal.signal(number, signal.default_int_handler)


def has_gpu() -> bool:
    import torch

    return torch.cuda.is_available()


def machine() -> dict[str, object]:
    """Versions and cores, without importing torch."""
    versions = {name: importlib.metadata.version(name) for name in VERSIONS}
    return {"python": platform.python_version(), **versions, "cores": os.cpu_count()}


def write_timeline(out: Path, timeline: dict) -> None:
    (out / "timeline.json").write_text(json.dumps(timeline, indent=1))


def what_comes_back(out: Path) -> dict[str, int]:
    """Bytes of each file. Raises SystemExit where they are more than may."""
    sizes = {p.name: p.stat().st_size for p in sorted(out.iterdir()) if p.is_file()}
    total = sum(sizes.values())
    if len(sizes) > FILES or total > LIMIT or max(sizes.values()) > LARGEST:
        raise SystemExit(f"more than may come back: {json.dumps(sizes)}")
    return sizes


def run_command(arguments: list[str], limit: float, variables: dict, log) -> dict:
    """Run Python with the arguments; at the limit it is interrupted, then killed.

    Tests that have not begun after five sixths of it fail (tests/gpu/conftest.py), for
    pytest reports nothing where it is stopped.
    """
    start = time.monotonic()
    variables = variables | {"FLOWZOO_TESTS_UNTIL": str(time.time() + 5 / 6 * limit)}
    process = subprocess.Popen(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=variables,
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,  # so that its workers end with it
        # a shell's background jobs ignore interrupts, and so do what they start
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    )
    try:
        ended = process.wait(limit)
    except subprocess.TimeoutExpired:
        ended = f"stopped after {limit:.0f} s"
        process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(PATIENCE)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    return {"seconds": round(time.monotonic() - start, 1), "ended": ended}


def pack_weights(work: Path, out: Path) -> dict[str, str]:
    """Logs of all trainings and their newest weights; what is wrong with which."""
    problems = {}
    for marker in sorted(work.glob("*/last_checkpoint")):
        name = marker.parent.name
        for scalars in marker.parent.glob("*/vis_data/scalars.json"):
            shutil.copy(scalars, out / f"{name}.log.json")
        try:
            pack_checkpoint(Path(marker.read_text().strip()), out, name)
        except Exception as error:  # a training that follows is to be started
            problems[name] = f"{type(error).__name__}: {error}"[:500]
    return problems


def pack_checkpoint(path: Path, out: Path, name: str) -> None:
    """Weights in half precision, in parts."""
    import torch

    import flowzoo  # noqa: F401  mmengine's checkpoints can be read

    state = torch.load(path, map_location="cpu")["state_dict"]
    packed = io.BytesIO()
    torch.save({k: v.half() if v.is_floating_point() else v
                for k, v in state.items()}, packed)  # fmt: skip
    data = packed.getvalue()
    for number, begin in enumerate(range(0, len(data), PART)):
        (out / f"{name}.pth.{number}").write_bytes(data[begin : begin + PART])


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
    sizes = what_travels(folder)
    print(", ".join(f"{name} {size} MiB" for name, size in sizes.items()))
    if sum(sizes.values()) > LIMIT >> 20:
        raise SystemExit(
            f"more than the {LIMIT >> 20} MiB that may travel; nothing there needs "
            "checkpoints/: delete it, and 'git checkout checkpoints' afterward"
        )


def what_travels(wheels: Path) -> dict[str, float]:
    """MiB of the checkout's files, the weights apart, and of the packed wheels."""
    command = ["git", "ls-files", "-z"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    files = {name: ROOT / name for name in done.stdout.split("\0") if name}
    weights = {name for name in files if name.startswith("checkpoints/")}

    def size(paths) -> float:
        return round(sum(p.lstat().st_size for p in paths if p.exists()) / 2**20, 1)

    return {
        "repository": size(p for name, p in files.items() if name not in weights),
        "checkpoints": size(files[name] for name in weights),
        "wheels": size(wheels.glob("*.tar.xz")),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("step", choices=("wheels", *STEPS))
    parser.add_argument(
        "folder", nargs="?", type=Path, help="default: $OUT, or work_dirs/gpu/STEP"
    )
    parser.add_argument("--minutes", type=float, default=9.5)
    parser.add_argument("--dry-run", action="store_true", help="stub the GPU")
    parser.add_argument("--wheels", type=Path, help="folder that 'wheels' has packed")
    args = parser.parse_args()
    folder = args.folder or Path(os.environ.get("OUT") or f"work_dirs/gpu/{args.step}")
    if args.step == "wheels":
        pack_wheels(folder)
    elif args.wheels and not any(args.wheels.glob("*.tar.xz")):
        parser.error(f"{args.wheels} holds no *.tar.xz; 'wheels' packs them")
    elif args.step == "train" and not (args.wheels or find_spec("mmengine")):
        parser.error("mmengine is not installed; --wheels FOLDER brings it")
    elif not args.dry_run and not has_gpu():
        parser.error("PyTorch sees no GPU; --dry-run stubs one")
    else:
        stop_by_signals()
        out = folder.resolve()
        try:
            failed = run_step(args.step, out, args.minutes, args.wheels, args.dry_run)
        except KeyboardInterrupt:
            raise SystemExit(f"stopped; what there was is in {out}") from None
        sys.exit(min(1, failed))


if __name__ == "__main__":
    main()
