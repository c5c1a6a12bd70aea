import subprocess
import sys

OWN = """
from flowzoo_kernels._common.simd import cached_njit
from cpu_part import part

@cached_njit
def whole(x):
    return part(x) + 1
"""
PART = """
from numba import njit

@njit
def part(x):
    return {factor} * x
"""
RUN = """
import sys
sys.path.insert(0, {folder!r})
from cpu_own import whole
print(whole(3), sum(whole.stats.cache_hits.values()))
"""


def run(folder):
    command = [sys.executable, "-c", RUN.format(folder=str(folder))]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    return tuple(map(int, result.stdout.split()))


def test_code_on_disk_is_of_all_files(tmp_path):
    """Machine code from before a change in another file must not be used."""
    (tmp_path / "cpu_own.py").write_text(OWN)
    (tmp_path / "cpu_part.py").write_text(PART.format(factor=2))
    assert run(tmp_path) == (7, 0)
    assert run(tmp_path) == (7, 1)
    (tmp_path / "cpu_part.py").write_text(PART.format(factor=5))
    assert run(tmp_path) == (16, 0)
