"""FlowZoo: motion for mmaction2. Importing it registers everything."""

# in this order: compat makes mmaction2, which the others import, importable
from . import compat, datasets, deprecated, engine, evaluation, models, zoo
from ._version import __version__
from .inference import Inferencer

deprecated.install()

__all__ = [
    "Inferencer",
    "__version__",
    "compat",
    "datasets",
    "engine",
    "evaluation",
    "models",
    "zoo",
]
