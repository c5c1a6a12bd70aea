"""Tools in processes of their own, without most of the time that these take to start.

A server imports the packages of others that tools need, and forks itself for each tool,
which imports FlowZoo, mmaction2 and Triton as ever. What the environment tells the
packages of the server is what it was when the first tool ran, and a tool's atexit
functions do not run.
"""

import multiprocessing
import os
import runpy
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
ONLY_OF_TESTS = (ROOT, ROOT / "tests", ROOT / "benchmarks")  # on their sys.path
SERVER = multiprocessing.get_context("forkserver")
SERVER.set_forkserver_preload(
    ["av", "cv2", "matplotlib.pyplot", "mmengine.runner", "numba", "scipy.stats"]
)


def run_tool(path, *arguments, cwd=ROOT, timeout=1200) -> subprocess.CompletedProcess:
    """Run a Python file as the main program; both of its outputs are in ``stdout``."""
    command = [str(path), *map(str, arguments)]
    with tempfile.NamedTemporaryFile("r") as output:
        options = command, cwd, dict(os.environ), output.name
        process = SERVER.Process(target=_main, args=options)
        process.start()
        process.join(timeout)
        process.kill()
        process.join()
        return subprocess.CompletedProcess(command, process.exitcode, output.read())


def _main(command, cwd, environment, output):
    with Path(output).open("w") as file:
        for descriptor in (1, 2):
            os.dup2(file.fileno(), descriptor)
    sys.stdout.reconfigure(line_buffering=True)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(cwd)
    sys.argv = command
    sys.path[:] = [path for path in sys.path if Path(path) not in ONLY_OF_TESTS]
    sys.path.insert(0, str(Path(cwd, command[0]).parent))
    runpy.run_path(command[0], run_name="__main__")
