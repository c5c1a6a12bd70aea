"""The ``--device`` of the tools."""

import argparse

import torch


def device_error(name: str) -> str:
    """Why PyTorch cannot compute on a device; empty where it can."""
    try:
        torch.empty(1, device=name).cpu()
    except (RuntimeError, AssertionError, ImportError) as error:
        return str(error).splitlines()[0]
    return ""


def device_argument(name: str) -> str:
    """The name of a device that is there, as a type for argparse."""
    try:
        device = torch.device(name)
    except RuntimeError:
        raise argparse.ArgumentTypeError(
            f"{name!r} is no device; give cpu, cuda or cuda:1"
        ) from None
    if device.type != "cuda" and device_error(name):
        raise argparse.ArgumentTypeError(
            f"PyTorch {torch.__version__} cannot use {name!r} here; give another one "
            "or cpu"
        )
    # The count, unlike other calls, leaves CUDA alone, so that workers can be forked.
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise argparse.ArgumentTypeError(
            f"{name!r} is not there: PyTorch {torch.__version__} finds "
            f"{torch.cuda.device_count()} GPUs; give another one or cpu"
        )
    return name
