import os
import time

import pytest

from flowzoo.io.missing import missing_files


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("a.mp4", "sub/b.mp4", "sub/ü 1.mp4"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def test_missing_in_their_order(folder):
    paths = ["x.mp4", "sub/b.mp4", "none/c.mp4", "a.mp4", "x.mp4", "sub/ü 1.mp4"]
    assert missing_files(paths) == ["x.mp4", "none/c.mp4"]
    absolute = [str(folder / "a.mp4"), str(folder / "b.mp4")]
    assert missing_files(absolute) == absolute[1:]


def test_links(folder):
    (folder / "good.mp4").symlink_to("a.mp4")
    (folder / "bad.mp4").symlink_to("nowhere.mp4")
    (folder / "link").symlink_to("sub")
    paths = ["good.mp4", "bad.mp4", "link/b.mp4", "link/c.mp4"]
    assert missing_files(paths) == ["bad.mp4", "link/c.mp4"]


def test_names_that_no_file_can_have(folder):
    paths = ["x" * 300 + ".mp4", "a\0.mp4", "a.mp4/b.mp4"]
    assert missing_files(["a.mp4", *paths]) == paths


def test_folder_that_cannot_be_entered(folder, monkeypatch):
    def refuse(path, **_):
        raise PermissionError(path)

    monkeypatch.setattr(os, "scandir", refuse)
    monkeypatch.setattr(os, "stat", refuse)
    assert missing_files(["sub/b.mp4"]) == ["sub/b.mp4"]


def test_folder_that_cannot_be_listed(folder, monkeypatch):
    def refuse(path):
        raise PermissionError(path)

    monkeypatch.setattr(os, "scandir", refuse)
    assert missing_files(["a.mp4", "x.mp4"]) == ["x.mp4"]


def test_many_files_are_not_asked_for_one_by_one(folder, monkeypatch):
    paths = [f"class {i % 40}/{i}.mp4" for i in range(4000)]
    for i in range(40):
        (folder / f"class {i}").mkdir()
    for path in paths[1:]:
        os.close(os.open(path, os.O_CREAT))
    asked = []
    exists = os.stat
    monkeypatch.setattr(os, "stat", lambda *a, **k: asked.append(a) or exists(*a, **k))
    start = time.monotonic()
    assert missing_files(paths) == paths[:1]
    assert len(asked) <= 1
    assert time.monotonic() - start < 5
