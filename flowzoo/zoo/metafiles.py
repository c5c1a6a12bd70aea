"""Reading and writing the zoo's metafiles."""

from collections.abc import Iterator
from pathlib import Path

import yaml

from .index import DERIVED, metafiles


def read_metafiles() -> Iterator[tuple[Path, dict]]:
    for path in metafiles():
        yield path, yaml.safe_load(path.read_text(encoding="utf-8"))


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: object) -> bool:
        return True


def write_metafile(path: Path, metafile: dict) -> None:
    """Write a metafile, without what its configs say by themselves."""
    for entry in metafile["models"]:
        for key in DERIVED:
            entry.pop(key, None)
    text = yaml.dump(
        metafile,
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        default_flow_style=None,
    )
    path.write_text(text, encoding="utf-8")
