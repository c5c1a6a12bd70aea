import sys
from pathlib import Path

import pytest
import torch

# The helpers beside the tests are imported by name, in every import mode of pytest.
sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(autouse=True)
def one_thread():
    """Small tensors gain nothing from threads, which wait long on a busy machine."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
