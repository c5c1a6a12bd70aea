"""Finding checkpoints: in the package, in the cache, or on a mirror."""

import errno
import hashlib
import os
import time
import uuid
from http.client import HTTPException
from io import FileIO
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from tqdm import tqdm

from ..io.locks import lock
from ..paths import cache_root
from .index import Checkpoint, find_checkpoint

# The wheel carries the published files, a clone has them in the folder checkpoints.
REPOSITORY = Path(__file__).parents[1] / ".mim" / "checkpoints"

CHUNK = 1 << 18
TIMEOUT = 30.0  # seconds without a byte
PAUSES = (0.5, 1.0, 2.0)  # seconds before another attempt at the same mirror


class DownloadError(OSError):
    """No mirror gave the file; the message says what each of them did."""


def mirrors() -> list[str]:
    """Where files are looked for, in this order.

    ``FLOWZOO_ZOO_URL`` names them: http, https or file addresses of folders, separated
    by spaces. There is no default.
    """
    places = os.environ.get("FLOWZOO_ZOO_URL", "").split()
    for place in places:
        if not place.startswith(("http://", "https://", "file://")):
            raise ValueError(
                f"FLOWZOO_ZOO_URL names {place!r}; it takes http://, https:// or "
                "file:// addresses of folders, separated by spaces"
            )
    return [place.rstrip("/") + "/" for place in places]


def cache_folder() -> Path:
    """Where downloaded files are kept: ``checkpoints`` in FlowZoo's data folder."""
    return cache_root() / "checkpoints"


def download(name: str, progress: bool = True) -> Path:
    """Path of a model's weights on this machine, fetched where they are not yet.

    The bytes are compared with the metafile's SHA-256 before they are used, also
    those that were there. A download that broke off is continued by the next call;
    the file gets its name only when it is whole and right. Two processes do not
    fetch the same file at the same time.

    Args:
        name: of a model in the zoo.
        progress: show a progress bar.

    Raises:
        KeyError, LookupError: There is no such model, or it has no weights.
        DownloadError: No mirror has the file, or gives the right bytes.
        OSError: The disk is full, or the cache cannot be written.
    """
    checkpoint = find_checkpoint(name)
    in_repository = REPOSITORY / checkpoint.file
    if in_repository.is_file():
        if sha256(in_repository) == checkpoint.sha256:
            return in_repository
        raise DownloadError(
            f"{in_repository} is not the published file: restore it with git, or "
            "remove it and it is fetched"
        )
    target = cache_folder() / checkpoint.file
    if _is_there(checkpoint, target):  # before the lock: the cache may be read-only
        return target
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        path = target.with_name(f"{target.name}.lock")
        path.touch()
    except OSError as error:
        raise OSError(
            error.errno,
            f"{target.parent} cannot be written ({error.strerror}); set FLOWZOO_DATA "
            "to another folder",
        ) from error
    with lock(path) as alone:
        if not _is_there(checkpoint, target):  # another process may have been faster
            _fetch(checkpoint, target, progress, alone)
    return target


def _is_there(checkpoint: Checkpoint, path: Path) -> bool:
    return path.is_file() and sha256(path) == checkpoint.sha256


def sha256(path: Path) -> str:
    """The full SHA-256 of a file's bytes, in hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def _fetch(checkpoint: Checkpoint, target: Path, progress: bool, alone: bool) -> None:
    # named by the hash, so that a newer publication never continues an older file
    owner = "" if alone else f".{uuid.uuid4().hex}"
    part = target.with_name(f"{target.name}.{checkpoint.sha256[:8]}{owner}.part")
    failures = []
    for place in mirrors():
        url = place + checkpoint.file
        try:
            with part.open("ab", buffering=0) as file:
                _fetch_from(url, file, checkpoint, progress)
        except DownloadError as error:
            failures.append(f"{url}: {error}")
            if not part.stat().st_size:
                part.unlink()
            continue
        except OSError as error:
            if not _is_full(error):
                raise
            part.unlink()
            raise OSError(
                error.errno,
                f"the disk is full: {checkpoint.file} needs "
                f"{checkpoint.size / 2**20:.1f} MB in {target.parent}; free some, or "
                "set FLOWZOO_DATA to another folder",
            ) from error
        if sha256(part) == checkpoint.sha256:
            part.replace(target)
            return
        part.unlink()
        failures.append(f"{url}: not the published file (its SHA-256 differs)")
    reasons = "".join(f"\n  {failure}" for failure in failures)
    raise DownloadError(
        f"{checkpoint.file} is not in this installation and could not be "
        f"downloaded.{reasons}\nSet the environment variable FLOWZOO_ZOO_URL to a "
        "folder or server that has the files (file:///PATH, http:// or https://), or "
        f"put the file into {target.parent}."
    )


def _is_full(error: Exception) -> bool:
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)


def _fetch_from(url: str, file: FileIO, checkpoint: Checkpoint, progress: bool) -> None:
    """Complete ``file`` from ``url``, trying again where the connection breaks."""
    pauses = PAUSES if url.startswith("http") else ()
    for pause in (*pauses, None):
        reason = "the connection broke off"
        try:
            _continue(url, file, checkpoint, progress)
        except (HTTPException, OSError) as error:
            if isinstance(error, DownloadError) or _is_full(error):
                raise
            if isinstance(error, HTTPError) and error.code < 500:
                raise DownloadError(str(error)) from error
            reason = str(error)
        if file.tell() >= checkpoint.size:
            return
        if pause is not None:
            time.sleep(pause)
    if pauses:
        reason += f" ({len(pauses) + 1} attempts)"
    if file.tell():
        reason += (
            f"; {file.tell()} of {checkpoint.size} bytes are here, and the next call "
            "continues from there"
        )
    raise DownloadError(reason)


def _continue(url: str, file: FileIO, checkpoint: Checkpoint, progress: bool) -> None:
    """Append what is missing of ``file``, or write it anew where that cannot be."""
    if file.tell() == checkpoint.size:
        return
    if file.tell() > checkpoint.size:
        _empty(file)
    request = Request(url)
    if file.tell() and url.startswith("http"):
        request.add_header("Range", f"bytes={file.tell()}-")
    with urlopen(request, timeout=TIMEOUT) as response:
        if file.tell() and response.status != 206:  # the whole file, not the rest
            _empty(file)
        length = response.headers.get("Content-Length")
        if length and file.tell() + int(length) != checkpoint.size:
            raise DownloadError(  # a page that asks for a login, for example
                f"not the published file: {file.tell() + int(length)} bytes instead of "
                f"{checkpoint.size}"
            )
        with tqdm(
            desc=checkpoint.file,
            total=checkpoint.size,
            initial=file.tell(),
            unit="B",
            unit_scale=True,
            disable=not progress,
        ) as bar:
            # one byte more than there should be is enough to see that it is wrong
            while file.tell() <= checkpoint.size and (chunk := response.read(CHUNK)):
                file.write(chunk)
                bar.update(len(chunk))


def _empty(file: FileIO) -> None:
    file.seek(0)
    file.truncate()
