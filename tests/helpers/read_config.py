"""FlowZoo's configs, of which thousands of tests read one."""

import copy
import functools

from mmengine.config import Config

from flowzoo.config_lookup import find_config


def read_config(name: str) -> Config:
    """A config by its name, without ``.py``: a copy of what was read at first.

    What environment variables say must not change; tests of that read the file.
    """
    return copy.deepcopy(_read(name))


@functools.cache
def _read(name: str) -> Config:
    return Config.fromfile(find_config(f"{name}.py"))
