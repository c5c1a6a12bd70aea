"""Fixes of imports, beside the errors that come without them."""

import os
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

import pytest
from helpers.python_process import python

from flowzoo.compat import imports


def mmaction_lacks_drn():
    folder = Path(find_spec("mmaction").origin).parent
    return not (folder / "models/localizers/drn/drn.py").exists()


@pytest.mark.skipif(not mmaction_lacks_drn(), reason="mmaction2 from source")
def test_without_flowzoo_drn_is_missing_and_mmcv_lite_complains():
    error = python("import mmaction.models").stderr
    assert "You should install ``mmcv`` rather than ``mmcv-lite``" in error
    assert "No module named 'mmaction.models.localizers.drn'" in error


@pytest.mark.skipif(not mmaction_lacks_drn(), reason="mmaction2 from source")
def test_drn_says_why_it_cannot_be_built():
    from mmaction.registry import MODELS

    with pytest.raises(ImportError, match="the wheel of mmaction2 lacks it"):
        MODELS.build({"type": "DRN"})


def test_opencv_without_libgl_names_the_cure(tmp_path):
    message = "libGL.so.1: cannot open shared object file: No such file or directory"
    (tmp_path / "cv2.py").write_text(f"raise ImportError({message!r})")
    error = python("import flowzoo", cwd=tmp_path).stderr
    assert message in error
    assert "pip install --force-reinstall" in error.splitlines()[-1]


def test_import_says_nothing():
    done = python("import flowzoo")
    assert done.returncode == 0
    assert done.stdout + done.stderr == ""


@pytest.mark.skipif(sys.platform == "win32", reason="homes are found otherwise there")
def test_user_without_a_home(monkeypatch, tmp_path):
    def unknown():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", unknown)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.delenv("HOME")
    with pytest.warns(UserWarning, match="no home directory"):
        imports.provide_home()
    home = Path(os.environ["HOME"])
    assert home.parent == tmp_path and home.stat().st_mode & 0o777 == 0o700
    home.rmdir()
    home.symlink_to(tmp_path)
    with pytest.raises(PermissionError, match="set HOME"):
        imports.provide_home()
