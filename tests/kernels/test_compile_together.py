"""The kernels of a call compile side by side, without a GPU and a compiler."""

import os
import threading
from types import SimpleNamespace

import pytest

pytest.importorskip("triton")

import torch
import triton
from count_compiles import NoDriver
from repflow_inputs import make_parameters
from triton.runtime import driver

from flowzoo_kernels._common import compile_together
from flowzoo_kernels.repflow import gpu
from flowzoo_kernels.repflow.gpu.backward import backward_kernel
from flowzoo_kernels.repflow.gpu.forward import forward_kernel

pytestmark = pytest.mark.skipif(
    not hasattr(triton, "AsyncCompileMode"),
    reason="this Triton compiles one kernel at a time",
)
DEVICE = -3  # shares no compiled kernels with another
KERNELS = 3  # one that computes states again, two on the way back


@pytest.fixture
def compiler(monkeypatch):
    """A compiler whose calls wait for one another; its names and launches."""
    compiled, launched = [], []
    together = threading.Barrier(KERNELS)

    def compile(source, **_options):
        together.wait(timeout=30)
        compiled.append(source.name)
        return SimpleNamespace(
            launch_metadata=lambda *_arguments: None,
            run=lambda *_arguments: launched.append(source.name),
            function=None,
            packed_metadata=None,
        )

    stub = NoDriver()
    stub.get_current_device = lambda: DEVICE
    monkeypatch.setattr(driver, "_active", stub)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _process: range(KERNELS))
    monkeypatch.setattr(compile_together, "_known", set())
    for kernel in (forward_kernel, backward_kernel):
        kernel.device_caches.pop(DEVICE, None)
        kernel.device_caches[DEVICE]  # a new one chooses the compiler
        monkeypatch.setattr(kernel, "compile", compile)
    yield compiled, launched
    for kernel in (forward_kernel, backward_kernel):
        kernel.device_caches.pop(DEVICE)


def back() -> None:
    x, grad = torch.empty(1, 1, 2, 56, 56), torch.empty(1, 2, 1, 56, 56)
    parameters = make_parameters("tvl1", 1).values()
    needs = [True] + 7 * [False]
    gpu.backward(grad, x, *parameters, None, 20, "tvl1", needs)


def test_kernels_of_a_call_compile_at_the_same_time(compiler):
    compiled, launched = compiler
    back()
    kernels = {"forward_kernel", "backward_kernel"}
    assert len(compiled) == KERNELS and set(compiled) == kernels
    before = len(launched)
    assert before > KERNELS and set(launched) == kernels
    back()
    assert len(compiled) == KERNELS and len(launched) == 2 * before


def test_what_does_not_compile_says_so_and_leaves_nothing_behind(compiler, monkeypatch):
    def fail(source, **_options):
        raise ValueError("no such instruction")

    compiled, _ = compiler
    with monkeypatch.context() as broken:
        for kernel in (forward_kernel, backward_kernel):
            broken.setattr(kernel, "compile", fail)
        with pytest.raises(ValueError, match="no such instruction"):
            back()
    back()
    assert len(compiled) == KERNELS
