"""Unpacking of .zip, .tar and .rar files."""

from __future__ import annotations

import shutil
import subprocess
import tarfile
import zipfile
from pathlib import Path

from .records import PreparationError

SUFFIXES = (".zip", ".rar", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")

# Programs that unpack .rar, best first: unar is free and notices damage,
# libarchive's bsdtar is free, and 7-Zip has RAR in some distributions only. Archive and
# target are put in the braces.
_RAR_PROGRAMS = (
    ("unrar", "x", "-o-", "-p-", "-idq", "{archive}", "{target}/"),
    ("unar", "-quiet", "-no-directory", "-o", "{target}", "{archive}"),
    ("bsdtar", "-xf", "{archive}", "-C", "{target}"),
    ("7z", "x", "-y", "-bso0", "-o{target}", "{archive}"),
    ("7zz", "x", "-y", "-bso0", "-o{target}", "{archive}"),
)
_HOW_TO_INSTALL = (
    "apt-get install unar, brew install unar or conda install -c conda-forge libarchive"
)


def is_archive(name: str) -> bool:
    return name.lower().endswith(SUFFIXES)


def without_suffix(path: Path) -> Path:
    """train/part_0.tar.gz -> train/part_0"""
    suffix = max((s for s in SUFFIXES if path.name.lower().endswith(s)), key=len)
    return path.with_name(path.name[: -len(suffix)])


def unpack(archive: Path, target: Path) -> None:
    """Unpack an archive and those inside it into a new folder.

    The folder appears whole or not at all; where it exists, nothing is done.

    Raises:
        PreparationError: The archive is damaged, encrypted, or a .rar file with no
            program for it.
    """
    if target.exists():
        return
    partial = target.with_name(f"{target.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)  # left by a run that was interrupted
    partial.mkdir(parents=True)
    _unpack_one(archive, partial)
    inner = [path for path in partial.rglob("*") if is_archive(path.name)]
    for path in inner:  # HMDB51: an archive for each class
        folder = without_suffix(path)
        folder.mkdir(exist_ok=True)
        _unpack_one(path, folder)
        path.unlink()
    partial.rename(target)


def _unpack_one(archive: Path, target: Path) -> None:
    suffix = archive.suffix.lower()
    try:
        if suffix == ".zip":
            _unpack_zip(archive, target)
        elif suffix == ".rar":
            _unpack_rar(archive, target)
        else:
            _unpack_tar(archive, target)
    except PreparationError:
        raise
    except Exception as error:  # those of damaged files are of any kind
        raise PreparationError(
            f"cannot unpack {archive}: {error}. If the disk is not full, the file is "
            "damaged or incomplete: compare its size with that on the server and "
            "download it again"
        ) from error


def _unpack_tar(archive: Path, target: Path) -> None:
    with tarfile.open(archive) as tar:
        tar.extractall(target, filter="data")
        # A damaged header counts as the end, and the checksum comes after it.
        tar.fileobj.seek(tar.offset)
        if tar.fileobj.read(tarfile.BLOCKSIZE).strip(b"\0"):
            raise tarfile.ReadError("the head of a file in it is damaged")
        while tar.fileobj.read(1 << 20):
            pass


def _unpack_zip(archive: Path, target: Path) -> None:
    with zipfile.ZipFile(archive) as content:
        if any(member.flag_bits & 1 for member in content.infolist()):
            raise PreparationError(
                f"{archive} is encrypted. Unpack it by hand with the password that its "
                f"owners gave you (unzip -P PASSWORD {archive.name}) and move the .zip "
                "file away"
            )
        content.extractall(target)


def _unpack_rar(archive: Path, target: Path) -> None:
    for program, *arguments in _RAR_PROGRAMS:
        if not (found := shutil.which(program)):
            continue
        command = [a.format(archive=archive, target=target) for a in arguments]
        done = subprocess.run(
            [found, *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        if done.returncode:
            raise PreparationError(
                f"{program} cannot unpack {archive} (exit status {done.returncode}): "
                f"{done.stdout.strip()[-500:]}\nIf the file is whole, another program "
                f"may do ({_HOW_TO_INSTALL})"
            )
        return
    programs = ", ".join(program for program, *_ in _RAR_PROGRAMS)
    raise PreparationError(
        f"no program to unpack {archive}. Install one of {programs} (for example: "
        f"{_HOW_TO_INSTALL}), or unpack the file by hand next to it"
    )
