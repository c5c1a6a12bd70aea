import os
import time
from pathlib import Path

import pytest
import timing
import torch


def pytest_collection_modifyitems(items):
    if not torch.cuda.is_available():
        skip = pytest.mark.skip(reason="needs a GPU")
        for item in items:
            if Path(__file__).parent in item.path.parents:
                item.add_marker(skip)


def pytest_runtest_setup():
    """gpu_check.py says until when there is time."""
    if time.time() > float(os.environ.get("FLOWZOO_TESTS_UNTIL", "inf")):
        pytest.fail("not run: no time was left", pytrace=False)


@pytest.fixture(autouse=True)
def full_precision():
    """TF32, cuDNN's default, would spoil the yardstick: eager convolutions."""
    timing.use_full_precision()
