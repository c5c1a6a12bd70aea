import os
import subprocess
import sys
import threading
import time

import pytest
import torch

from flowzoo_kernels._common.threads import run_tasks

AFTER_MAIN = """
import atexit, threading, time
import torch
from flowzoo_kernels import backward_warp
torch.set_num_threads(3)
x, flow = torch.rand(2, 3, 256, 256), torch.rand(2, 2, 256, 256)
expected = backward_warp(x, flow) if {warm} else None
def work():
    time.sleep(1)  # the main thread ends meanwhile
    out = backward_warp(x, flow)
    print(torch.equal(out, out if expected is None else expected), flush=True)
{start}
"""
START = {
    "thread": "threading.Thread(target=work).start()",
    "atexit": "atexit.register(work)",
}

AT_EXIT = """
import atexit, sys
class Late:
    def __del__(self):
        work("auto")
{start}
import torch
from flowzoo_kernels import RepresentationFlow, backward_warp
x, flow = torch.rand(1, 3, 9, 8), torch.rand(1, 2, 9, 8)
maps = torch.rand(1, 2, 3, 8, 8)
layer = RepresentationFlow(2)
expected = backward_warp(x, flow), layer(maps).detach()
def work(backend):
    try:
        print(torch.allclose(backward_warp(x, flow, backend=backend), expected[0]))
        with torch.no_grad():
            print(torch.allclose(layer(maps), expected[1], atol=1e-5))
    except RuntimeError as error:
        print(error, flush=True)
"""


def at_exit(start):
    command = [sys.executable, "-c", AT_EXIT.format(start=start)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=300)
    return result.stdout.splitlines()


def test_callbacks_after_pytorch_has_removed_its_operators():
    assert at_exit("atexit.register(lambda: work('auto'))") == ["True", "True"]
    (error,) = at_exit("atexit.register(lambda: work('cpu'))")
    assert "backend='cpu' is called at exit" in error


def test_destructor_while_python_shuts_down():
    (error,) = at_exit("sys.modules['late'] = Late()")
    assert "Python is shutting down" in error


@pytest.fixture
def threads():
    """Set torch's number of threads; afterward it is what it was."""
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


def names_of_workers(tasks, seconds=0.0):
    """Run tasks, each once; the names of the threads that ran them."""
    done, names = [], set()

    def worker(task):
        time.sleep(seconds)
        done.append(task)
        names.add(threading.current_thread().name)

    run_tasks(lambda: worker, tasks)
    assert sorted(done) == list(range(tasks))
    return names


@pytest.mark.parametrize("warm", [False, True])
@pytest.mark.parametrize("start", START)
def test_operator_when_the_main_thread_has_ended(start, warm):
    code = AFTER_MAIN.format(start=START[start], warm=warm)
    command = [sys.executable, "-c", code]
    result = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert result.stdout == "True\n", result.stderr


def test_one_pool_for_all_sizes(threads):
    threads(6)
    for tasks in range(1, 12):
        names_of_workers(tasks, 0.002)
    mine = [t for t in threading.enumerate() if t.name.startswith("flowzoo")]
    assert 1 <= len(mine) <= 5


def test_work_is_shared(threads):
    threads(4)
    assert len(names_of_workers(40, 0.005)) == 4


def test_more_threads_than_before(threads):
    threads(2)
    assert len(names_of_workers(20, 0.005)) == 2
    threads(9)
    assert len(names_of_workers(60, 0.01)) == 9


def test_no_thread_can_be_started(threads, monkeypatch):
    threads(64)  # more than a test before has started

    def start(thread):
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", start)
        assert names_of_workers(100) == {threading.current_thread().name}
    assert len(names_of_workers(100, 0.005)) > 1


def test_a_busy_pool_does_not_hold_up_the_caller(threads):
    threads(2)
    release = threading.Event()
    main = threading.current_thread()

    def blocking(task):
        if threading.current_thread() is not main:
            release.wait(60)

    hog = threading.Thread(target=run_tasks, args=(lambda: blocking, 2))
    hog.start()
    start = time.monotonic()
    names_of_workers(10)
    assert time.monotonic() - start < 30
    release.set()
    hog.join()


@pytest.mark.parametrize("where", ["caller", "helper"])
def test_errors_reach_the_caller(threads, where):
    threads(2)
    caller = threading.current_thread()

    def worker(task):
        time.sleep(0.01)
        if (threading.current_thread() is caller) == (where == "caller"):
            raise ValueError(where)

    with pytest.raises(ValueError, match=where):
        run_tasks(lambda: worker, 20)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_forked_process_has_its_own_threads(threads):
    threads(3)
    assert len(names_of_workers(20, 0.005)) == 3
    child = os.fork()
    if child == 0:
        os._exit(0 if len(names_of_workers(20, 0.005)) == 3 else 1)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
