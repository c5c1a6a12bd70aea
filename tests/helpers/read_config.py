"""FlowZoo's configs, of which thousands of tests read one."""

import copy

from mmengine.config import Config

from flowzoo.zoo import models


def read_config(name: str) -> Config:
    """A config of the zoo by its name: a copy of what was read at first.

    What environment variables say must not change; tests of that read the file.
    """
    return copy.deepcopy(models()[name]._config)
