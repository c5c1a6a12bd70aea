"""gpu_check.py with other commands: it ends in time and brings back what there is."""

import importlib.util
import json
import os
import signal
import sys
import time

import gpu_check
import gpu_check_report
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
        return failed, *what_is_there(tmp_path / "out")

    return run


def what_is_there(out):
    """The commands of the timeline, and the log."""
    timeline = json.loads((out / "timeline.json").read_text())
    return timeline["commands"], (out / "log.txt").read_text()


def test_commands_that_fail_or_hang_do_not_stop_the_others(run):
    stubborn = "import signal; signal.signal(15, signal.SIG_IGN); "
    child = "child = subprocess.Popen([sys.executable, '-c', 'input()'], stdin=-1)\n"
    child += "try: time.sleep(60)\nexcept KeyboardInterrupt: print('reported')"
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
    assert log.count("reported") == 1  # it was interrupted
    assert "no such thing" in log and "imported" in log


def test_what_runs_ends_with_the_script(run, tmp_path):
    command = Command("slow", ["-c", SLEEP + "print(os.getpid()); time.sleep(60)"], 60)
    command.arguments[1] = "import os; " + command.arguments[1]
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    signal.alarm(6)
    try:
        with pytest.raises(KeyboardInterrupt):
            run(command)
    finally:
        signal.signal(signal.SIGALRM, before)
    timeline, log = what_is_there(tmp_path / "out")
    assert [entry["ended"] for entry in timeline] == ["under way"]
    with pytest.raises(ProcessLookupError):
        os.kill(int(log.split()[-1]), 0)


@pytest.mark.parametrize("ignored", [False, True])
def test_a_lost_connection_stops_it_unless_ignored(ignored):
    """nohup lets it be ignored."""
    numbers = signal.SIGINT, signal.SIGTERM, signal.SIGHUP
    before = {number: signal.getsignal(number) for number in numbers}
    wanted = signal.SIG_IGN if ignored else signal.SIG_DFL
    try:
        signal.signal(signal.SIGHUP, wanted)
        gpu_check.stop_by_signals()
        handlers = [signal.getsignal(number) for number in numbers]
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    stops = signal.default_int_handler
    assert handlers == [stops, stops, signal.SIG_IGN if ignored else stops]


@pytest.mark.parametrize(
    ("variable", "expected"),
    [("", "work_dirs/gpu/bench"), ("results", "results")],
)
def test_steps_have_folders_of_their_own(variable, expected, monkeypatch, tmp_path):
    asked = []
    monkeypatch.setenv("OUT", variable)
    monkeypatch.setattr(sys, "argv", ["gpu_check.py", "bench", "--dry-run"])
    monkeypatch.setattr(gpu_check, "stop_by_signals", lambda: None)
    monkeypatch.setattr(gpu_check, "run_step", lambda *args: asked.append(args[1]) or 0)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit):
        gpu_check.main()
    assert asked == [tmp_path / expected]


@pytest.mark.parametrize(
    ("step", "options", "message"),
    [
        ("tests", ["--wheels", "{folder}"], "holds no *.tar.xz"),
        ("train", [], "mmengine is not installed"),
        ("bench", [], "sees no GPU"),
    ],
)
def test_mistakes_are_told_before_anything_runs(
    step, options, message, monkeypatch, tmp_path, capsys
):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(gpu_check, "find_spec", lambda _name: None)
    options = [option.format(folder=tmp_path) for option in options]
    out = str(tmp_path / "out")
    monkeypatch.setattr(sys, "argv", ["gpu_check.py", step, out, *options])
    with pytest.raises(SystemExit):
        gpu_check.main()
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(not (gpu_check.ROOT / ".git").exists(), reason="needs git's list")
def test_the_repository_may_travel_with_the_wheels(tmp_path):
    wheels = 26  # MiB; see results/gpu_check_dry_run.json
    travels = gpu_check.what_travels(tmp_path)
    assert 1 < travels["repository"] < (gpu_check.LIMIT >> 20) - wheels


def test_reports_count_tests(tmp_path):
    (tmp_path / "tests.xml").write_text(
        """<testsuites><testsuite><testcase classname="a" name="right"/>
        <testcase classname="a" name="wrong"><failure/></testcase>
        <testcase classname="a" name="other"><skipped message="needs two GPUs"/>
        </testcase></testsuite></testsuites>"""
    )
    assert gpu_check_report.count_tests(tmp_path / "tests.xml") == {
        "passed": 1,
        "failed": 1,
        "skipped": 1,
        "failures": ["a.wrong"],
        "reasons of skips": {"needs two GPUs": 1},
    }


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


def test_tests_without_time_fail(run, monkeypatch):
    path = gpu_check.ROOT / "tests" / "gpu" / "conftest.py"
    spec = importlib.util.spec_from_file_location("gpu_conftest", path)
    conftest = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(conftest)
    name, limit = "FLOWZOO_TESTS_UNTIL", 60
    code = f"import os, time; print(float(os.environ['{name}']) - time.time())"
    _, _, log = run(Command("tests", ["-c", code], limit))
    assert 0 < float(log.split()[-1]) < limit
    monkeypatch.setenv(name, str(time.time() + 60))
    conftest.pytest_runtest_setup()
    monkeypatch.setenv(name, str(time.time() - 1))
    with pytest.raises(pytest.fail.Exception, match="no time"):
        conftest.pytest_runtest_setup()


def test_nothing_is_started_without_time(run):
    failed, timeline, _ = run(Command("late", ["-c", "print(1)"], 20), minutes=0.01)
    assert failed == 1
    assert timeline[0]["ended"] == "not started: no time was left"


def test_weights_come_back_in_half_precision_and_in_parts(tmp_path, monkeypatch):
    monkeypatch.setattr(gpu_check, "PART", 1000)
    work, out = tmp_path / "work", tmp_path / "out"
    folder = work / "network"
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


def test_weights_that_cannot_be_read_do_not_stop_the_others(run):
    code = "import pathlib, sys; folder = pathlib.Path(sys.argv[1]); folder.mkdir(); "
    code += "file = folder / 'epoch_1.pth'; file.write_bytes(b'cut off'); "
    code += "(folder / 'last_checkpoint').write_text(str(file))"
    failed, timeline, _ = run(
        Command("training", ["-c", code, "{work}/network"], 20),
        Command("next", ["-c", "print('ran')"], 20),
    )
    assert failed == 0
    assert "network" in timeline[0]["no weights"]
    assert timeline[1]["ended"] == 0


def test_every_command_names_a_file_that_is_there():
    for commands in gpu_check.STEPS.values():
        for command in commands:
            files = [a for a in command.arguments if a.endswith(".py")]
            assert files or command.arguments[1] == "pytest"
            assert all((gpu_check.ROOT / file).is_file() for file in files)
    for step in gpu_check.STEPS:
        assert sum(c.seconds for c in gpu_check.STEPS[step]) <= 9.5 * 60 - 20
