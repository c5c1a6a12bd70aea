"""Every way in which a server or a disk fails leaves nothing wrong behind."""

import errno
import multiprocessing
import os
import sys
from pathlib import Path

import pytest
from helpers.local_server import FILE, NAME

from flowzoo.io import locks
from flowzoo.zoo import DownloadError, download, index

module = sys.modules[download.__module__]


def cached():
    folder = module.cache_folder()
    return sorted(p.name for p in folder.iterdir() if p.suffix != ".lock")


def test_download_once_then_offline(server):
    path = download(NAME)
    assert path.read_bytes() == server.content
    assert download(NAME) == path
    assert server.requests == [None]
    assert cached() == [FILE]


def test_progress_bar(server, capsys):
    download(NAME)
    assert "100%" in capsys.readouterr().err


def test_no_progress_bar(server, capsys):
    download(NAME, progress=False)
    assert not capsys.readouterr().err


def test_cut_connection_is_continued(server):
    server.troubles = ["cut", "cut"]
    assert download(NAME).read_bytes() == server.content
    half = len(server.content) // 2
    assert server.requests[0] is None
    assert server.requests[1] == f"bytes={half}-"
    assert len(server.requests) == 3


def test_next_call_continues(server):
    server.troubles = ["cut", 503, 503]
    half = len(server.content) // 2
    with pytest.raises(DownloadError, match=rf"503.*{half} of {len(server.content)}"):
        download(NAME)
    assert FILE not in cached()
    assert download(NAME).read_bytes() == server.content
    assert server.requests[-1] == f"bytes={half}-"
    assert cached() == [FILE]


def test_server_without_ranges(server):
    server.troubles = ["cut", "no ranges"]
    assert download(NAME).read_bytes() == server.content


@pytest.mark.parametrize(
    ("trouble", "says"),
    [
        ("other file", r"not the published file \(its SHA-256 differs\)"),
        ("longer", "not the published file: .* bytes instead of"),
        ("other page", "not the published file: 25 bytes instead of"),
    ],
)
def test_wrong_file_is_rejected_and_removed(server, trouble, says):
    server.troubles = [trouble]
    with pytest.raises(DownloadError, match=says):
        download(NAME)
    assert cached() == []
    assert download(NAME).read_bytes() == server.content


def test_not_found(server):
    server.troubles = [404]
    with pytest.raises(DownloadError, match=r"404.*(\n.*)*FLOWZOO_ZOO_URL"):
        download(NAME)
    assert len(server.requests) == 1  # asking again would not help
    assert cached() == []


def test_second_mirror(server, monkeypatch):
    monkeypatch.setenv("FLOWZOO_ZOO_URL", f"{server.url} {server.url}")
    server.troubles = [404]
    assert download(NAME).read_bytes() == server.content


def test_file_address(server, checkpoint, monkeypatch):
    monkeypatch.setenv("FLOWZOO_ZOO_URL", checkpoint.parent.as_uri())
    assert download(NAME).read_bytes() == server.content
    assert not server.requests


def test_file_address_without_the_file(server, tmp_path, monkeypatch):
    monkeypatch.setenv("FLOWZOO_ZOO_URL", tmp_path.as_uri())
    with pytest.raises(DownloadError, match="No such file"):
        download(NAME)


def test_no_server(server):
    server.shutdown()
    server.server_close()
    with pytest.raises(DownloadError, match="refused"):
        download(NAME)


def test_address_of_unknown_kind(server, monkeypatch):
    monkeypatch.setenv("FLOWZOO_ZOO_URL", "/some/folder")
    with pytest.raises(ValueError, match="FLOWZOO_ZOO_URL names '/some/folder'"):
        download(NAME)


def test_without_an_address(server, monkeypatch):
    monkeypatch.delenv("FLOWZOO_ZOO_URL")
    with pytest.raises(DownloadError, match=r"not in this(.|\n)*FLOWZOO_ZOO_URL") as e:
        download(NAME)
    assert "file:///PATH" in str(e.value)
    assert not server.requests


@pytest.fixture
def read_only(monkeypatch):
    """The cache cannot be written; a test that runs as root cannot make it so."""

    def refuse(path, *args, **kwargs):
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Path, "touch", refuse)


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP])
def test_file_system_without_locks(server, monkeypatch, code):
    def refuse(file, operation):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(pytest.importorskip("fcntl"), "flock", refuse)
    said = []
    monkeypatch.setattr(locks, "print_log", lambda text, **_: said.append(text))
    path = download(NAME)
    assert path.is_file() and os.strerror(code) in said[0]
    assert cached() == [FILE]


def test_read_only_cache_that_has_the_file(server, request):
    path = download(NAME)
    request.getfixturevalue("read_only")
    assert download(NAME) == path


def test_read_only_cache(server, read_only):
    with pytest.raises(OSError, match=r"cannot be written \(Permission.*FLOWZOO_DATA"):
        download(NAME)


def test_cache_that_is_no_folder(server, tmp_path):
    (tmp_path / "data").write_text("a file")
    with pytest.raises(OSError, match=r"cannot be written.*FLOWZOO_DATA"):
        download(NAME)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's /dev/full")
def test_full_disk(server):
    checkpoint = index.find_checkpoint(NAME)
    part = module.cache_folder() / f"{FILE}.{checkpoint.sha256[:8]}.part"
    part.parent.mkdir(parents=True)
    part.symlink_to("/dev/full")
    with pytest.raises(OSError, match=r"the disk is full.*MB.*FLOWZOO_DATA") as caught:
        download(NAME)
    assert caught.value.errno == errno.ENOSPC
    assert cached() == []


def test_damaged_cache_is_fetched_again(server):
    path = download(NAME)
    path.write_bytes(b"damaged")
    assert download(NAME).read_bytes() == server.content


def test_clone_comes_first(server, checkpoint, monkeypatch):
    monkeypatch.setattr(module, "REPOSITORY", checkpoint.parent)
    assert download(NAME) == checkpoint
    assert not server.requests


def test_damaged_clone_is_named(server, checkpoint, monkeypatch):
    monkeypatch.setattr(module, "REPOSITORY", checkpoint.parent)
    checkpoint.write_bytes(b"damaged")
    with pytest.raises(DownloadError, match="not the published file"):
        download(NAME)


def test_two_processes_fetch_once(server):
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=download, args=(NAME,)) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0]
    assert len(server.requests) == 1


def test_unknown_name(server):
    with pytest.raises(KeyError, match="did you mean tiny"):
        download("tinny")


def test_untrained_model(server):
    with pytest.raises(LookupError, match=r"tools/train.py configs/untrained.py"):
        download("untrained")
