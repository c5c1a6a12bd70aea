"""Files called ``*_interpreted.py`` run in a process of their own.

Triton reads TRITON_INTERPRET when it is imported, and another test may have imported
it. Without the variable each of these files is one test, which runs the whole file with
it; ``TRITON_INTERPRET=1 pytest FILE`` shows the single tests.
"""

import os
from pathlib import Path
from unittest import mock

import pytest
import torch
from helpers.tool_process import run_tool

INTERPRET = {"TRITON_INTERPRET": "1", "OMP_NUM_THREADS": "1"}
PYTEST = Path(pytest.__file__).with_name("__main__.py")


class InterpretedFile(pytest.File):
    def collect(self):
        yield InterpretedRun.from_parent(self, name="interpreted")


class InterpretedRun(pytest.Item):
    def runtest(self):
        pytest.importorskip("triton")
        command = [PYTEST, "-p", "no:cacheprovider", self.path]
        command += ["--slow"] if self.config.getoption("--slow") else []
        with mock.patch.dict(os.environ, INTERPRET):
            run = run_tool(*command, timeout=3600)
        assert run.returncode == 0, run.stdout[-4000:]
        assert " passed" in run.stdout

    def repr_failure(self, excinfo):
        return str(excinfo.value)

    def reportinfo(self):
        return self.path, 0, self.name


def pytest_pycollect_makemodule(module_path, parent):
    interpreting = os.environ.get("TRITON_INTERPRET") == "1"
    if module_path.name.endswith("_interpreted.py") and not interpreting:
        return InterpretedFile.from_parent(parent, path=module_path)
    return None


@pytest.fixture(autouse=True)
def one_thread():
    """Small tensors gain nothing from threads, which wait long on a busy machine."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def arguments_on_the_cpu(monkeypatch):
    """The interpreter copies nothing back: with huge strides that is gigabytes."""
    from triton.runtime.interpreter import GridExecutor

    monkeypatch.setattr(GridExecutor, "_restore_args_dev", lambda *args: None)
