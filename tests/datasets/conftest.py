import os
from pathlib import Path

import pytest
from mmengine.registry import init_default_scope

from flowzoo.datasets.motionshapes.files import MotionShapesSpec

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(autouse=True, scope="session")
def mmaction_scope():
    """Build from type names as a run of mmaction2 does."""
    init_default_scope("mmaction")


@pytest.fixture(scope="session")
def real_videos() -> Path:
    """Folder of real videos, for tests that are skipped without it."""
    default = REPOSITORY.parent / "shared" / "data"
    folder = Path(os.environ.get("FLOWZOO_TEST_DATA", default))
    if not folder.is_dir():
        pytest.skip(f"no real videos: {folder} is missing (set FLOWZOO_TEST_DATA)")
    return folder


@pytest.fixture
def tiny() -> MotionShapesSpec:
    """A set that is written in a fraction of a second."""
    return MotionShapesSpec(num_train=16, num_val=8, num_test=8, num_frames=10, size=32)
