import sys
from pathlib import Path

# The helpers beside the tests are imported by name, in every import mode of pytest.
sys.path.insert(0, str(Path(__file__).parent))
