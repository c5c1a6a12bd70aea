"""Seconds, bytes and versions, as the benchmarks measure and report them."""

import ctypes
import importlib.metadata
import importlib.util
import json
import multiprocessing
import os
import platform
import re
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import torch

RESULTS = Path(__file__).parent / "results"
OUTPUT = Path(os.environ.get("FLOWZOO_RESULTS") or RESULTS)  # gpu_check.py sets it


_FLUSHED = 1 << 28  # bytes, more than any GPU's cache


def use_full_precision() -> None:
    """No TF32 in the baselines: results are compared with float64's."""
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False


def seconds_of(function: Callable[[], object]) -> float:
    """Seconds of one call; on a GPU between two events, with nothing in its caches."""
    if not torch.cuda.is_initialized():
        start = time.perf_counter()
        function()
        return time.perf_counter() - start
    torch.empty(_FLUSHED, dtype=torch.int8, device="cuda").zero_()
    start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    start.record()
    function()
    end.record()
    end.synchronize()
    return start.elapsed_time(end) / 1000


def captured(call: Callable[[], object]) -> Callable[[], object]:
    """The replay of a CUDA graph of the call, in which the host has no part.

    The call itself on a CPU, and where it cannot be captured.
    """
    if not torch.cuda.is_initialized():
        return call
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        call()  # compiles
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    try:
        with torch.cuda.graph(graph):
            call()
    except RuntimeError as error:
        print(f"not captured: {error}"[:300], flush=True)
        return call
    return graph.replay


def compare(calls: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, dict]:
    """Median and quantiles of each, in turns; on a GPU of graphs that are replayed.

    There, the fused call is timed with its launches as well.
    """
    steps = {name: captured(call) for name, call in calls.items()}
    if "fused" in calls and steps["fused"] is not calls["fused"]:
        steps["fused, launched"] = calls["fused"]
    seconds = alternate(steps, rounds)
    result = {name: summary(values) for name, values in seconds.items()}
    for name, call in calls.items():
        if steps[name] is not call:
            result[name]["replayed"] = True
    return result


def cpu_seconds() -> float:
    """Of this process and those that it started and waited for, as an assembler."""
    return sum(os.times()[:4])


def gpu_limits() -> tuple[float, float]:
    """The card's highest clock in Hz, and bytes a second that a copy of it moves."""
    query = ["nvidia-smi", "--query-gpu=clocks.max.sm", "--format=csv,noheader,nounits"]
    clocks = subprocess.run(query, capture_output=True, text=True, check=True).stdout
    source = torch.empty(1 << 30, dtype=torch.int8, device="cuda")
    copies = [seconds_of(source.clone) for _ in range(12)][2:]
    return 1e6 * int(clocks.split()[0]), 2 * len(source) / statistics.median(copies)


def alternate(
    functions: Mapping[str, Callable[[], object]], rounds: int
) -> dict[str, list[float]]:
    """Seconds of each function in every round.

    The functions take turns, so that a busy machine slows all of them alike. One more
    round comes first and does not count: it compiles and warms up.
    """
    seconds = {name: [] for name in functions}
    for _ in range(rounds + 1):
        for name, function in functions.items():
            seconds[name].append(seconds_of(function))
    return {name: values[1:] for name, values in seconds.items()}


def summary(seconds: list[float]) -> dict[str, float]:
    """Median, 20 % and 80 % quantiles, and minimum."""
    if len(seconds) == 1:
        return dict.fromkeys(("median", "q20", "q80", "min"), seconds[0])
    quantiles = statistics.quantiles(seconds, n=5, method="inclusive")
    return {
        "median": statistics.median(seconds),
        "q20": quantiles[0],
        "q80": quantiles[3],
        "min": min(seconds),
    }


def medians(seconds: Mapping[str, list[float]], digits: int = 4) -> dict[str, float]:
    """The median of each, rounded."""
    return {k: round(statistics.median(v), digits) for k, v in seconds.items()}


def speed_ups(summaries: Mapping[str, dict], own: str = "fused") -> dict[str, float]:
    """How many times as long as our own function the others take."""
    median = summaries[own]["median"]
    others = (item for item in summaries.items() if item[0] != own)
    return {name: round(values["median"] / median, 1) for name, values in others}


def memory(peak: bool = False) -> int:
    """Bytes of this process: now, or the most since :func:`reset_peak` (Linux)."""
    name = "VmHWM" if peak else "VmRSS"
    status = Path("/proc/self/status").read_text()
    return 1024 * int(re.search(rf"{name}:\s+(\d+)", status)[1])


def reset_peak() -> int:
    """Look for the peak anew (Linux). Returns the memory in use."""
    ctypes.CDLL(None).malloc_trim(0)  # freed memory would be used again, uncounted
    Path("/proc/self/clear_refs").write_text("5")
    return memory()


def _added_in_child(queue, threads: int, prepare: Callable, args: tuple) -> None:
    torch.set_num_threads(threads)
    call = prepare(*args)
    before = reset_peak()
    result = call()
    queue.put(memory(peak=True) - before)
    del result


def added_to_peak(device: str, prepare: Callable, *args) -> int:
    """Bytes that one call adds to the peak of memory, its results included.

    On the CPU this is that of a process of its own (Linux).

    Args:
        device: 'cuda' or 'cpu'.
        prepare: prepare(*args) returns the call, which takes no arguments; what is
            allocated only once, by imports and compilation, it has allocated.
    """
    if device == "cuda":
        call = prepare(*args)
        call()
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        call()
        return torch.cuda.max_memory_allocated() - before
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    arguments = queue, torch.get_num_threads(), prepare, args
    process = context.Process(target=_added_in_child, args=arguments)
    process.start()
    peak = queue.get()
    process.join()
    return peak


def load() -> float | None:
    """Processes that were running in the last minute, on average."""
    return round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None


def environment(device: str, *packages: str) -> dict:
    """Where a benchmark runs: device, cores, threads, load, versions."""
    name = platform.processor() or platform.machine()
    if device == "cuda":
        name = torch.cuda.get_device_name()
    elif (cpuinfo := Path("/proc/cpuinfo")).exists():
        models = re.findall(r"model name\s+:\s+(.*)", cpuinfo.read_text())
        name = (models or [name])[0]
    result = {"device": name, "cores": os.cpu_count()}
    result |= {"threads": torch.get_num_threads(), "load before": load()}
    installed = (p for p in packages if importlib.util.find_spec(p))
    versions = {package: importlib.metadata.version(package) for package in installed}
    return result | {"torch": torch.__version__} | versions


def check_writable(folder: Path) -> None:
    """Raise ``OSError`` now rather than after what takes long."""
    folder.mkdir(parents=True, exist_ok=True)
    tempfile.TemporaryFile(dir=folder).close()


def write(path: Path, result: dict) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, indent=1) + "\n")
