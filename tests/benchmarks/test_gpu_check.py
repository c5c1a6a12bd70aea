"""gpu_check.py with other commands: it ends in time and brings back what there is."""

import json
import sys
import time

import gpu_check
import pytest
import stubbed_gpu
import torch
from gpu_check import Command

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs sessions")
SLEEP = "import subprocess, sys, time; print('began', flush=True); "


@pytest.fixture
def run(monkeypatch, tmp_path):
    def run(*commands, minutes=1.0):
        monkeypatch.setattr(gpu_check, "RESERVE", 0)
        monkeypatch.setitem(gpu_check.STEPS, "bench", list(commands))
        failed = gpu_check.run_step("bench", tmp_path / "out", minutes, None)
        timeline = json.loads((tmp_path / "out" / "timeline.json").read_text())
        return failed, timeline, (tmp_path / "out" / "log.txt").read_text()

    return run


def test_commands_that_fail_or_hang_do_not_stop_the_others(run):
    stubborn = "import signal; signal.signal(15, signal.SIG_IGN); "
    child = "subprocess.run([sys.executable, '-c', 'import time; time.sleep(60)'])"
    start = time.monotonic()
    failed, timeline, log = run(
        Command("wrong", ["-c", "raise SystemExit('no such thing')"], 20),
        Command("slow", ["-c", SLEEP + child], 6),
        Command("stubborn", ["-c", stubborn + SLEEP + "time.sleep(60)"], 6),
        Command("right", ["-c", "import flowzoo_kernels; print('imported')"], 60),
    )
    assert time.monotonic() - start < 50
    assert [entry["ended"] for entry in timeline] == [
        1,
        "stopped after 6 s",
        "stopped after 6 s",
        0,
    ]
    assert failed == 3
    assert log.count("began") == 2
    assert "no such thing" in log and "imported" in log


def test_dry_runs_stub_the_gpu(monkeypatch, tmp_path):
    code = """
import torch, timing
from flowzoo_kernels import backward_warp
image, flow = torch.rand(1, 1, 5, 4).cuda(), torch.rand(1, 2, 5, 4, device="cuda")
times = timing.compare(dict(fused=lambda: backward_warp(image, flow)), 1)
assert list(times) == ["fused", "fused, launched"], times
"""
    command = Command("dry", ["-c", code], 500, ["small"])
    monkeypatch.setitem(gpu_check.STEPS, "bench", [command])
    failed = gpu_check.run_step("bench", tmp_path / "out", 9, None, dry=True)
    assert failed == 0, (tmp_path / "out" / "log.txt").read_text()


def test_graphs_that_are_stubbed_run_again():
    graph, x = stubbed_gpu._Graph(), torch.ones(3)
    with graph:
        y = x * 2 + 1
    x.fill_(5)
    graph.replay()
    assert y.tolist() == [11.0] * 3


def test_too_much_to_come_back_is_an_error(tmp_path, monkeypatch):
    (tmp_path / "weights.pth.0").write_bytes(bytes(100))
    assert gpu_check.what_comes_back(tmp_path) == {"weights.pth.0": 100}
    monkeypatch.setattr(gpu_check, "LARGEST", 99)
    with pytest.raises(SystemExit, match="more than may come back"):
        gpu_check.what_comes_back(tmp_path)


def test_nothing_is_started_without_time(run):
    failed, timeline, _ = run(Command("late", ["-c", "print(1)"], 20), minutes=0.01)
    assert failed == 1
    assert timeline[0]["ended"] == "not started: no time was left"


def test_weights_come_back_in_half_precision_and_in_parts(tmp_path, monkeypatch):
    monkeypatch.setattr(gpu_check, "PART", 1000)
    work, out = tmp_path / "work", tmp_path / "out"
    folder = work / "family" / "network"
    (folder / "1" / "vis_data").mkdir(parents=True), out.mkdir()
    (folder / "1" / "vis_data" / "scalars.json").write_text("{}")
    state = {"weight": torch.rand(40, 40), "steps": torch.tensor(7)}
    torch.save({"state_dict": state}, folder / "epoch_1.pth")
    (folder / "last_checkpoint").write_text(str(folder / "epoch_1.pth"))
    gpu_check.pack_weights(work, out)
    parts = sorted(out.glob("network.pth.*"), key=lambda path: int(path.suffix[1:]))
    assert len(parts) > 1
    joined = tmp_path / "joined.pth"
    joined.write_bytes(b"".join(part.read_bytes() for part in parts))
    loaded = torch.load(joined)
    assert loaded["steps"] == 7
    assert torch.equal(loaded["weight"], state["weight"].half())
    assert (out / "network.log.json").exists()


def test_every_command_names_a_file_that_is_there():
    for commands in gpu_check.STEPS.values():
        for command in commands:
            files = [a for a in command.arguments if a.endswith(".py")]
            assert files or command.arguments[1] == "pytest"
            assert all((gpu_check.ROOT / file).is_file() for file in files)
    for step in gpu_check.STEPS:
        assert sum(c.seconds for c in gpu_check.STEPS[step]) <= 9.5 * 60 - 20
