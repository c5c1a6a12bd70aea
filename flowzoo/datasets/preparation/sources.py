"""The official files of a dataset, loose or in archives."""

from __future__ import annotations

import fnmatch
import functools
import os
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath

from tqdm import tqdm

from ...io.text import read_text
from .archives import is_archive, unpack, without_suffix
from .records import PreparationError

VIDEO_SUFFIXES = (
    *(".avi", ".mp4", ".mkv", ".webm", ".mov", ".flv", ".mpg", ".mpeg"),
    *(".m4v", ".3gp"),
)


class Sources:
    """Videos and annotations below a folder.

    Loose videos are taken from where they lie: ``OUT/videos`` becomes a link to
    ``root``. Without loose videos the archives are unpacked into ``OUT/videos``, each
    into a folder of its own; annotations that lie in archives, into ``OUT/official``.

    Args:
        root: folder with the official files, in subfolders of any name.
        out: folder of the prepared dataset.
        annotation_archives: patterns of names of archives without videos.

    Attributes:
        videos: ``OUT/videos``, which paths are relative to.
    """

    def __init__(
        self, root: Path, out: Path, annotation_archives: tuple[str, ...] = ()
    ) -> None:
        if not root.is_dir():
            raise PreparationError(
                f"no folder {root.absolute()}: --root is the folder with the videos or "
                "archives and the annotations of the dataset"
            )
        self.root, self.out = root, out
        self.videos, self.official = out / "videos", out / "official"
        self._loose, self._archives, self._annotation_archives = [], [], []
        self._has_linked = False
        loose_videos = False
        for path in _walk(root, skip=(self.videos, self.official)):
            name = path.name
            if is_archive(name):
                annotations = any(fnmatch.fnmatch(name, p) for p in annotation_archives)
                (self._annotation_archives if annotations else self._archives).append(
                    path
                )
            elif _is_video(name):
                loose_videos = True
            else:
                self._loose.append(path)
        if loose_videos:
            self._link_videos()
        elif root.resolve() != self.videos.resolve():
            for archive in tqdm(self._archives, "Unpacking", unit="archive"):
                unpack(archive, self.videos / without_suffix(archive.relative_to(root)))
        self._index = self._list_videos()

    def find_video(
        self, name: str, *hints: str, any_suffix: bool = False
    ) -> str | None:
        """Path of a video, relative to :attr:`videos`.

        Args:
            name: of the file; without suffix where ``any_suffix`` is set.
            hints: names of folders; among several files of this name, the first one
                with the first of them above it is taken.
        """
        index = self._index[1 if any_suffix else 0]
        return _choose(index.get(_normalized(name), ()), hints)

    def find_renamed_video(self, name: str, *hints: str) -> str | None:
        """The same; the file may also have other capitals, or another suffix."""
        found = self.find_video(name, *hints)
        stem = PurePosixPath(_normalized(name)).stem.casefold()
        return found or _choose(self._by_folded_stem.get(stem, ()), hints)

    @functools.cached_property
    def _by_folded_stem(self) -> dict[str, list[str]]:
        folded = {}
        for stem, paths in self._index[1].items():
            folded.setdefault(stem.casefold(), []).extend(paths)
        return folded

    def paths(self) -> list[str]:
        """All videos, relative to :attr:`videos`, in order."""
        return sorted(path for paths in self._index[0].values() for path in paths)

    def find_path(self, name: str) -> str | None:
        """Path of a video that is given relative to :attr:`root` or in full."""
        for spelling in (name, name.replace("\\", "/")):
            paths = [os.path.normpath(spelling)]
            if Path(spelling).is_absolute():
                real = Path(spelling).resolve()
                paths = [
                    os.path.relpath(spelling, self.root.absolute()),
                    os.path.relpath(real, self.root.resolve()),
                ]
            for path in map(Path, paths):
                if path.as_posix() in self._all_paths:
                    return path.as_posix()
        return None

    @functools.cached_property
    def _all_paths(self) -> set[str]:
        return set(self.paths())

    def videos_below(self, folder: str) -> dict[str, str]:
        """{name without suffix: path} of the videos below a folder of this name."""
        return {
            PurePosixPath(path).stem: path
            for paths in self._index[0].values()
            for path in paths
            if folder in PurePosixPath(path).parts[:-1]
        }

    def annotation(self, pattern: str, what: str) -> Path:
        """The file whose name matches a regular expression.

        Raises:
            PreparationError: There is none, or there are several.
        """
        found = self.annotations(pattern)
        if not found:
            archives = [path.name for path in self._annotation_archives]
            raise PreparationError(
                f"no {what} below {self.root.absolute()}"
                + (f" or in {', '.join(archives)}" if archives else "")
                + ". docs/data.md says where to get it"
            )
        if len({path.read_bytes() for path in found}) > 1:
            listed = ", ".join(map(str, found))
            raise PreparationError(
                f"several files that may be {what}, and they differ: {listed}. Move "
                "all but one of them away"
            )
        return found[0]

    def annotations(self, pattern: str) -> list[Path]:
        """All files whose name matches a regular expression, in order."""
        fits = re.compile(pattern, re.IGNORECASE).fullmatch
        if found := [path for path in self._loose if fits(path.name)]:
            return sorted(found)
        for archive in self._annotation_archives:
            name = without_suffix(archive.relative_to(self.root))
            unpack(archive, self.official / name)
        if not self.official.is_dir():
            return []
        return sorted(path for path in _walk(self.official) if fits(path.name))

    def _link_videos(self) -> None:
        if self.root.resolve() == self.videos.resolve():
            return
        if self.videos.exists() or self.videos.is_symlink():
            raise PreparationError(
                f"there are videos below {self.root.absolute()}, but {self.videos} "
                "exists and is another folder. Remove it, or choose another --out"
            )
        self.out.mkdir(parents=True, exist_ok=True)
        try:
            self.videos.symlink_to(self.root.resolve(), target_is_directory=True)
        except OSError as error:
            raise PreparationError(
                f"cannot make {self.videos} a link to {self.root} ({error}). Move the "
                f"videos into {self.videos} and give that as --root"
            ) from error
        self._has_linked = True

    def remove_link(self) -> None:
        """Leave nothing behind of a root that was the wrong one."""
        if self._has_linked:
            self.videos.unlink()

    def _list_videos(self) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
        """Paths by name with suffix, and by name without."""
        by_name, by_stem = {}, {}
        if self.videos.is_dir():
            for file in _walk(self.videos, skip=(self.official,)):
                if _is_video(file.name) and file.exists():  # not a link to nowhere
                    path = file.relative_to(self.videos).as_posix()
                    _check_path(path)
                    name = _normalized(file.name)
                    by_name.setdefault(name, []).append(path)
                    by_stem.setdefault(PurePosixPath(name).stem, []).append(path)
        for paths in (*by_name.values(), *by_stem.values()):
            paths.sort()
        return by_name, by_stem


def _choose(paths: Sequence[str], hints: Iterable[str]) -> str | None:
    """The first path in a folder called as the earliest fitting hint, or the first."""
    if len(paths) > 1:
        for hint in hints:
            for path in paths:
                if hint in PurePosixPath(path).parts[:-1]:
                    return path
    return paths[0] if paths else None


def read_official(path: Path) -> str:
    """Text of an official file, which may have been saved by other programs since."""
    try:
        return read_text(path)
    except ValueError as error:
        raise PreparationError(str(error)) from error


def find_videos(folder: Path) -> list[Path]:
    """All below a folder, in the order of their paths, through links."""
    return sorted(path for path in _walk(folder) if _is_video(path.name))


def _walk(folder: Path, skip: tuple[Path, ...] = ()) -> Iterator[Path]:
    """Files below a folder, through links, but no folder twice."""
    seen = {path.resolve() for path in skip}
    for here, folders, files in os.walk(folder, followlinks=True):
        real = Path(here).resolve()
        if real in seen and here != str(folder):
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(f for f in folders if not f.endswith(".partial"))
        yield from (Path(here, name) for name in files if not name.startswith("."))


def _is_video(name: str) -> bool:
    return name.lower().endswith(VIDEO_SUFFIXES)


def _normalized(name: str) -> str:
    """In Unicode's composed form: file systems differ in how they write accents."""
    return unicodedata.normalize("NFC", name)


def _check_path(path: str) -> None:
    """Annotation files are lines of UTF-8."""
    try:
        path.encode()
    except UnicodeEncodeError:
        fault = "is not UTF-8"
    else:
        if path == path.strip() and len(path.splitlines()) == 1:
            return
        fault = "has a line break, or a space at an end"
    raise PreparationError(
        f"the name of {path!r} {fault}, which an annotation file cannot hold: rename it"
    )
