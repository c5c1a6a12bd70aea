"""Numba's options for the CPU kernels, and their machine code on disk."""

import functools
import hashlib
import pickle
import uuid
import warnings
from pathlib import Path

import numba
from numba import njit
from numba.core.serialize import dumps

# Options of every kernel. The fast-math flags keep NaN and infinity.
_OPTIONS = {
    "nogil": True,
    "error_model": "numpy",
    "fastmath": {"contract", "reassoc", "arcp", "nsz"},
}
# Of the functions that kernels call. Without an entry for Python, which must not call
# them, and for C they compile faster.
JIT = {**_OPTIONS, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
INLINE = {**JIT, "forceinline": True}


def cached_njit(function):
    """njit that keeps the machine code on disk, where there is a place for it.

    The place is Numba's: the folder that NUMBA_CACHE_DIR names, the package's
    __pycache__ or the user's cache folder.
    """
    try:
        dispatcher = njit(**_OPTIONS, cache=True)(function)
        dispatcher._cache = _DiskCache(dispatcher._cache)
    except RuntimeError:
        _warn_once("Numba finds no folder in which to keep compiled code")
        return njit(**_OPTIONS)(function)
    except AttributeError:  # of a Numba that is made otherwise
        return njit(**_OPTIONS)(function)
    return dispatcher


class _DiskCache:
    """Numba's cache of a function with its own files, which may be missing or damaged.

    Numba keeps an index, of which a damaged one stops the program, and which can name
    code of an older source. Here each signature has one file: a mark, the digest of
    everything that the code is made of, the digest of the code, the code. What cannot
    be read is compiled again and replaced, and what cannot be written is not kept.
    """

    MARK = b"flowzoo\n"

    def __init__(self, numba_cache) -> None:
        self._numba = numba_cache
        self._impl = numba_cache._impl
        self.cache_path = self._impl.locator.get_cache_path()
        code = Path(numba_cache._py_func.__code__.co_filename)
        versions = numba.__version__, self._impl.locator.get_source_stamp()
        self._stamp = repr(versions).encode() + _digest_of_sources(code.parent)

    def load_overload(self, sig, target_context):
        target_context.refresh()
        try:
            path, head = self._locate(sig, target_context.codegen())
            data = path.read_bytes()
            if data.startswith(self.MARK) and not data.startswith(head):
                return None  # of another source
            code = data[len(head) + 32 :]
            if data[: -len(code) or None] != head + hashlib.sha256(code).digest():
                raise ValueError("damaged file")
            return self._impl.rebuild(target_context, pickle.loads(code))
        except FileNotFoundError:
            return None
        except Exception as error:  # whatever damaged files and disks may raise
            self._warn("read", "It is compiled again and replaced", error)
            return None

    def save_overload(self, sig, result) -> None:
        try:
            if not self._impl.check_cachable(result):
                return
            path, head = self._locate(sig, result.codegen)
            code = dumps(self._impl.reduce(result))
            path.parent.mkdir(parents=True, exist_ok=True)
            part = path.with_suffix(f".{uuid.uuid4().hex}")
            try:
                part.write_bytes(head + hashlib.sha256(code).digest() + code)
                part.replace(path)
            finally:
                part.unlink(missing_ok=True)
        except Exception as error:
            self._warn("written", "It is compiled in each process", error)

    def flush(self) -> None:
        """Forget what is on disk."""
        for path in Path(self.cache_path).glob(f"{self._impl.filename_base}-*.nbc"):
            path.unlink(missing_ok=True)

    def _locate(self, sig, codegen) -> tuple[Path, bytes]:
        """The file of a signature, and what it has to begin with."""
        key = repr(self._numba._index_key(sig, codegen)).encode()
        name = f"{self._impl.filename_base}-{hashlib.sha256(key).hexdigest()[:16]}.nbc"
        head = self.MARK + hashlib.sha256(self._stamp + key).digest()
        return Path(self.cache_path) / name, head

    def _warn(self, verb: str, consequence: str, error: Exception) -> None:
        reason = getattr(error, "strerror", None) or f"{type(error).__name__}: {error}"
        _warn_once(
            f"Compiled code in {self.cache_path} cannot be {verb} ({reason}). "
            f"{consequence}"
        )


@functools.cache
def _digest_of_sources(folder: Path) -> bytes:
    """Of the operator's files, wherever they lie in its folder, and of the vectors."""
    package = Path(__file__).parents[1]
    if package in folder.parents:
        folder = package / folder.relative_to(package).parts[0]
    files = *sorted(folder.rglob("*.py")), *sorted(Path(__file__).parent.glob("*.py"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).digest()


@functools.cache
def _warn_once(what: str) -> None:
    remedy = "the environment variable NUMBA_CACHE_DIR can name another folder"
    warnings.warn(f"{what}; {remedy}.", RuntimeWarning, stacklevel=2)
