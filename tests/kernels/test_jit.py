import pytest
from helpers.tool_process import run_tool

OWN = """
from flowzoo_kernels._common.jit import cached_njit
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
import resource, sys
import numba
sys.dont_write_bytecode = True
numba.config.CACHE_DIR = {cache!r}  # as NUMBA_CACHE_DIR says when Numba is imported
resource.setrlimit(resource.RLIMIT_FSIZE, ({largest}, -1))
from cpu_own import whole
print(whole(3), sum(whole.stats.cache_hits.values()))
"""
DAMAGE = {
    "empty": lambda data: b"",
    "truncated": lambda data: data[: len(data) // 2],
    "only the head": lambda data: data[:72],
    "zeros at the end": lambda data: data[:-100] + bytes(100),
    "one bit": lambda data: data[:-50] + bytes([data[-50] ^ 1]) + data[-49:],
    "garbage": lambda data: bytes(range(256)) * 2,
}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "cpu_own.py").write_text(OWN)
    (tmp_path / "cpu_part.py").write_text(PART.format(factor=2))
    return tmp_path


def run(folder, cache="cache", largest=-1):
    """What the kernel returns, hits of the cache, and the lines of warnings."""
    program = folder / "run.py"
    program.write_text(RUN.format(cache=str(folder / cache), largest=largest))
    result = run_tool(program)
    assert result.returncode == 0, result.stdout
    *messages, values = result.stdout.splitlines()
    warnings = [line for line in messages if "Warning:" in line]
    return *map(int, values.split()), warnings


def code_file(folder):
    (file,) = folder.glob("cache/*/*.nbc")
    return file


@pytest.mark.parametrize("place", ["cpu_part.py", "deep/part.py"])
def test_code_on_disk_is_of_all_files(folder, place):
    """Machine code from before a change in another file must not be used."""
    (folder / "deep").mkdir()
    (folder / "cpu_part.py").rename(folder / place)
    if place.startswith("deep"):
        own = OWN.replace("cpu_part", "deep.part")
        (folder / "cpu_own.py").write_text(own)
    assert run(folder) == (7, 0, [])
    assert run(folder) == (7, 1, [])
    (folder / place).write_text(PART.format(factor=5))
    assert run(folder) == (16, 0, [])
    assert run(folder) == (16, 1, [])


@pytest.mark.parametrize("damage", DAMAGE)
def test_damaged_file_is_compiled_again_and_replaced(folder, damage):
    run(folder)
    file = code_file(folder)
    file.write_bytes(DAMAGE[damage](file.read_bytes()))
    value, hits, (warning,) = run(folder)
    assert (value, hits) == (7, 0)
    assert "replaced" in warning
    assert run(folder) == (7, 1, [])


def test_full_disk_is_a_warning(folder):
    """The limit on a file's size stands for a full disk."""
    value, hits, (warning,) = run(folder, largest=1000)
    assert (value, hits) == (7, 0)
    assert "NUMBA_CACHE_DIR" in warning
    assert not list(folder.glob("cache/*/*"))  # nothing half written


def test_folder_in_place_of_the_file(folder):
    run(folder)
    file = code_file(folder)
    file.unlink()
    file.mkdir()
    value, hits, warnings = run(folder)
    assert (value, hits, len(warnings)) == (7, 0, 2)  # neither read nor written


def test_no_place_is_a_warning(folder, monkeypatch):
    """A file stands where each of Numba's folders would be."""
    (folder / "taken").write_text("")
    (folder / "__pycache__").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "taken"))
    value, hits, (warning,) = run(folder, cache="taken")
    assert (value, hits) == (7, 0)
    assert "NUMBA_CACHE_DIR" in warning
