import sys
from pathlib import Path

# flowzoo before mmaction.models, which cannot be imported otherwise: any file here runs
# alone.
import flowzoo  # noqa: F401

# the authors' networks, transcribed, stand beside the tests
sys.path.insert(0, str(Path(__file__).parent))
