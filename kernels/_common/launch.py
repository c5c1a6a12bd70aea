"""What every launch of a Triton kernel needs."""

import contextlib
import os

import torch


def interpreted() -> bool:
    """Whether Triton was told to run kernels in Python, on CPU tensors."""
    return os.environ.get("TRITON_INTERPRET") == "1"


def device_guard(tensor: torch.Tensor) -> contextlib.AbstractContextManager:
    """Triton launches on the current device, which need not be the tensor's."""
    if tensor.is_cuda:
        return torch.cuda.device(tensor.device)
    return contextlib.nullcontext()


def named_strides(prefix: str, tensor: torch.Tensor) -> dict[str, int]:
    """Strides of (N, C, H, W) as kernels name them: PREFIXsn, PREFIXsc and so on."""
    return {f"{prefix}s{a}": s for a, s in zip("nchw", tensor.stride(), strict=True)}


def sm_count(tensor: torch.Tensor) -> int:
    """Multiprocessors of the tensor's device."""
    if tensor.is_cuda:
        return torch.cuda.get_device_properties(tensor.device).multi_processor_count
    return 1
