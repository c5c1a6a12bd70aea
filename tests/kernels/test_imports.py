import subprocess
import sys

CODE = """
import sys, time
import torch
start = time.perf_counter()
import flowzoo_kernels
took = time.perf_counter() - start
loaded = sorted({m.split('.')[0] for m in sys.modules})
heavy = [m for m in loaded if m in ('numba', 'triton') or m.startswith('mm')]
assert not [m for m in heavy if m not in BEFORE], heavy
assert not torch.cuda.is_initialized()
print(took)
"""


def test_import_is_light():
    """No mm package, no numba, no triton, no CUDA context, and quick."""
    code = CODE.replace(
        "import flowzoo_kernels",
        "BEFORE = {m.split('.')[0] for m in sys.modules}\nimport flowzoo_kernels",
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    assert float(run.stdout) < 0.5


def test_whether_an_export_runs_is_known_without_loading_an_exporter():
    """Nothing can be imported any more when the interpreter shuts down."""
    code = """
import sys
from flowzoo_kernels._common.exporting import exporting
assert "torch.onnx" not in sys.modules
sys.meta_path = None
assert not exporting()
"""
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr


def test_switched_off_numba_is_not_used(monkeypatch):
    code = """
import torch
from flowzoo_kernels import backward_warp
image = torch.rand(1, 2, 3, 4)
backward_warp(image, image)
try:
    backward_warp(image, image, backend="cpu")
except RuntimeError as error:
    assert "NUMBA_DISABLE_JIT" in str(error)
else:
    raise AssertionError
"""
    monkeypatch.setenv("NUMBA_DISABLE_JIT", "1")
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
