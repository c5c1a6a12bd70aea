import os
import subprocess
import sys
from pathlib import Path

EXAMPLE = Path(__file__).parents[2] / "examples" / "cuda_graph.py"


def test_example_runs_with_the_gpu_stubbed():
    code = "import runpy, stubbed_gpu; stubbed_gpu.install(); runpy.run_path({!r})"
    path = os.pathsep.join(sys.path)
    done = subprocess.run(
        [sys.executable, "-c", code.format(str(EXAMPLE))],
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    losses = [float(line.split()[1]) for line in done.stdout.splitlines()]
    assert len(losses) == len(set(losses)) == 3
