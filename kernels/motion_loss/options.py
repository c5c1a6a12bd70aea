"""The options of the motion losses: names, defaults, what is allowed."""

import functools
import inspect
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields

from torch import Tensor

from .._common import checks

NORMALIZATIONS = ("elements", "caffe")
# From fine to coarse, for flow at 1/2 to 1/32 of the frames' size.
FLOW_SCALES = (10.0, 5.0, 2.5, 1.25, 0.625)
SSIM_WEIGHTS = (0.01, 0.02, 0.04, 0.08, 0.16)


@dataclass(frozen=True)
class Options:
    """The options of one scale; :func:`flowzoo_kernels.motion_loss` explains them."""

    flow_scale: float
    weights: tuple[float, float, float] = (1.0, 1.0, 0.01)
    photometric_alpha: float = 0.4
    photometric_beta: float = 255.0
    smoothness_alpha: float = 0.3
    smoothness_beta: float | None = None  # flow_scale
    epsilon: float = 1e-3
    border: float = 0.1
    ssim_window: int = 8
    ssim_stride: int = 8
    ssim_sigma: float | None = None  # ssim_window / 6
    ssim_center: float | None = None  # ssim_window / 2
    ssim_c1: float = 1e-4
    ssim_c2: float = 1e-3
    normalization: str = "elements"
    caffe_mask: tuple[int, int] = (16, 30)

    def __post_init__(self) -> None:
        checks.check_choice("normalization", self.normalization, NORMALIZATIONS)
        checks.check_positive_int("ssim_window", self.ssim_window, "pixel")
        checks.check_positive_int("ssim_stride", self.ssim_stride, "pixel")
        terms = "three are needed: of the photometric, the smoothness and the SSIM term"
        self._set("weights", _tuple_of("weights", self.weights, 3, terms))
        mask = "two are needed: batch, channels"
        self._set("caffe_mask", _tuple_of("caffe_mask", self.caffe_mask, 2, mask))
        derived = self.flow_scale, self.ssim_window / 6, self.ssim_window / 2
        names = "smoothness_beta", "ssim_sigma", "ssim_center"
        for name, value in zip(names, derived, strict=True):
            if getattr(self, name) is None:
                self._set(name, value)
        for name, value in zip(_NUMBERS, self.numbers(), strict=True):
            finite = value - value == 0
            if not finite and not (name == "ssim_sigma" and value > 0):
                raise ValueError(f"{name}={value}, but a finite number is needed")
        for name in ("epsilon", "ssim_sigma", "ssim_c1", "ssim_c2"):
            if not getattr(self, name) > 0:
                raise ValueError(
                    f"{name}={getattr(self, name)}, but it must be positive"
                )
        if self.normalization == "caffe" and not min(self.caffe_mask) > 0:
            raise ValueError("caffe_mask holds a number that is not positive")

    def _set(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)

    def numbers(self) -> list[float]:
        """What an operator takes as a list of numbers, in the order of _NUMBERS."""
        singles = [_number(name, getattr(self, name)) for name in _SINGLE_NUMBERS]
        return [*self.weights, *self.caffe_mask, *singles]


_TUPLES = (
    *("photometric_weight", "smoothness_weight", "ssim_weight"),
    *("mask_batch", "mask_channels"),
)
_NO_NUMBERS = ("weights", "caffe_mask", "ssim_window", "ssim_stride", "normalization")
_SINGLE_NUMBERS = tuple(f.name for f in fields(Options) if f.name not in _NO_NUMBERS)
_NUMBERS = _TUPLES + _SINGLE_NUMBERS


def _tuple_of(
    name: str, values: Sequence[float], count: int, what: str
) -> tuple[float, ...]:
    values = tuple(values) if isinstance(values, Iterable) else (values,)
    if len(values) != count:
        raise ValueError(f"{name}={values}, but {what}")
    return tuple(_number(name, value) for value in values)


def _number(name: str, value: object) -> float:
    if not isinstance(value, Tensor):  # which torch turns into a number
        checks.check_number(name, value)
    return float(value)


def from_numbers(numbers: list[float], **shared) -> list[Options]:
    """The options of several scales from their numbers, one after another.

    shared: ssim_window, ssim_stride and normalization.
    """
    scales = []
    for first in range(0, len(numbers), len(_NUMBERS)):
        own = numbers[first : first + len(_NUMBERS)]
        singles = dict(zip(_SINGLE_NUMBERS, own[5:], strict=True))
        scales.append(
            Options(weights=own[:3], caffe_mask=own[3:5], **singles, **shared)
        )
    return scales


def takes_options(*fixed: str) -> Callable:
    """A decorator: ``**options`` are those of Options, without the ``fixed`` ones.

    The signature shows them with their defaults, and an error lists them.
    """
    shown = [
        parameter.replace(kind=parameter.KEYWORD_ONLY)
        for parameter in inspect.signature(Options).parameters.values()
        if parameter.name not in fixed
    ]

    def decorate(function: Callable) -> Callable:
        signature = inspect.signature(function)
        *own, _ = signature.parameters.values()
        signature = signature.replace(parameters=own + shown)
        known = set(signature.parameters)
        named = [p.name for p in own + shown if p.kind == p.KEYWORD_ONLY]

        @functools.wraps(function)
        def call(*args, **options):
            if unknown := sorted(name for name in options if name not in known):
                raise TypeError(
                    f"no option {', '.join(unknown)}; there are {', '.join(named)}"
                )
            return function(*args, **options)

        call.__signature__ = signature
        return call

    return decorate
