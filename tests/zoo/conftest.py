import sys
from pathlib import Path

# the authors' networks and layers, transcribed, stand beside the tests of ours
TESTS = Path(__file__).parents[1]
sys.path[:0] = [str(TESTS / name) for name in ("kernels", "models", "zoo")]

from local_server import checkpoint, server  # noqa: E402, F401
