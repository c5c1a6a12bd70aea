"""What keeps mmaction2 from being imported, or prints when it is."""

import os
import sys
import tempfile
import warnings
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType


def check_opencv() -> None:
    """Say what to do about ``ImportError: libGL.so.1: cannot open shared object file``.

    mmaction2 requires opencv-contrib-python, whose wheel is linked against libGL and
    X11; slim images have neither.
    """
    try:
        import cv2  # noqa: F401
    except ImportError as error:
        if isinstance(error, ModuleNotFoundError):
            raise
        raise ImportError(
            f"OpenCV cannot be loaded ({error}). On a machine without a display run\n"
            "    pip install --force-reinstall --no-deps opencv-contrib-python-headless"
        ) from error


def provide_home() -> None:
    """Answer ``RuntimeError: could not determine the home directory``.

    Containers may run with a user id that has no home. yapf, which mmengine imports,
    and others ask for it when they are imported, so it gets one for this user.
    """
    try:
        Path.home()
        return
    except RuntimeError:
        home = Path(tempfile.gettempdir(), f"flowzoo-home-{os.getuid()}")
    home.mkdir(mode=0o700, exist_ok=True)
    if home.is_symlink() or home.stat().st_uid != os.getuid():
        raise PermissionError(f"{home} is another user's: set HOME to a folder")
    os.environ["HOME"] = str(home)
    warnings.warn(f"there is no home directory; HOME is {home} now", stacklevel=2)


def stub_drn() -> None:
    """Answer ``No module named 'mmaction.models.localizers.drn'``.

    The wheel of mmaction2 1.2.0 lacks the folder of its DRN localizer, which
    ``mmaction.models`` imports; the source tree has it, but needs torchvision there.
    The class put in its place keeps everything else usable.
    """
    name = "mmaction.models.localizers.drn"
    spec = find_spec("mmaction")
    if spec is None or name in sys.modules:
        return
    source = Path(spec.submodule_search_locations[0], "models/localizers/drn/drn.py")
    if source.exists() and find_spec("torchvision") is not None:
        return

    from mmaction.registry import MODELS

    @MODELS.register_module()
    class DRN:
        def __init__(self, *args, **kwargs) -> None:
            raise ImportError(
                "DRN cannot be used: the wheel of mmaction2 lacks it. Install "
                "mmaction2 from source, and torchvision."
            )

    package, module = ModuleType(name), ModuleType(f"{name}.drn")
    package.__path__ = []
    package.drn = module
    module.DRN = DRN
    sys.modules.update({name: package, f"{name}.drn": module})


def silence_mmcv_lite() -> None:
    """Silence ``You should install ``mmcv`` rather than ``mmcv-lite```` at import.

    Nothing here needs the operator it is about, and mmcv has no wheels to install.
    """
    warnings.filterwarnings("ignore", "Fail to import ``MultiScaleDeformableAttention")
