import time

import timing
import torch


def test_one_round_has_a_summary():
    result = timing.compare({"fused": lambda: time.sleep(0.01)}, rounds=1)
    values = result["fused"]
    assert values["median"] == values["q20"] == values["q80"] == values["min"] > 0.009
    assert timing.speed_ups(result) == {}


def test_quantiles_of_more_rounds():
    values = timing.summary([3.0, 1.0, 2.0])
    assert values["min"] < values["q20"] < values["median"] == 2 < values["q80"]


def test_full_precision_is_no_tf32():
    backends = torch.backends.cudnn, torch.backends.cuda.matmul
    before = [backend.allow_tf32 for backend in backends]
    try:
        for backend in backends:
            backend.allow_tf32 = True
        timing.use_full_precision()
        assert not any(backend.allow_tf32 for backend in backends)
    finally:
        for backend, value in zip(backends, before, strict=True):
            backend.allow_tf32 = value
