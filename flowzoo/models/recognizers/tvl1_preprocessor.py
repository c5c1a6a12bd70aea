"""RGB clips to flow on the device of training."""

from __future__ import annotations

from collections.abc import Sequence

from mmaction.models.data_preprocessors import ActionDataPreprocessor
from mmaction.registry import MODELS
from torch import Tensor

from flowzoo_kernels import tvl1_flow
from flowzoo_kernels.tvl1_flow.op import make_options


@MODELS.register_module()
class TVL1DataPreprocessor(ActionDataPreprocessor):
    """Make a pipeline of RGB clips one of TV-L1 flow, without files of flow.

    Takes clips (views, 3, T, H, W) of each sample, values 0 to 255, as
    ``FormatShape(input_format='NCTHW')`` makes them. Flow is cut off at ``bound`` and
    scaled to [0, 255], the middle being no motion, as in files of flow; mean and std
    are subtracted and divided after that.

    Args:
        bound: in pixels.
        preset: of :func:`flowzoo_kernels.tvl1_flow`.
        mean, std: of the scaled flow; the default suits networks of TSN's kind.
        times: how often flow is computed. With 2, the flow images of x and those of y
            are each taken for gray videos, and the network gets 4 channels of T - 2
            frames (Representation Flow for Action Recognition, table 5).
        format_shape: what the network takes. 'NCTHW': (N, views, 2, T - 1, H, W).
            'NCHW': (N, views, 2 (T - 1), H, W), x and y of a pair next to each other.
        parameters: of the same function, instead of the preset's.
        **kwargs: of mmaction2's ``ActionDataPreprocessor``.
    """

    def __init__(
        self,
        bound: float = 20.0,
        preset: str = "fast",
        mean: Sequence[float] = (127.5,),
        std: Sequence[float] = (127.5,),
        times: int = 1,
        format_shape: str = "NCTHW",
        parameters: dict | None = None,
        **kwargs,
    ) -> None:
        if format_shape not in ("NCTHW", "NCHW"):
            raise ValueError(f"format_shape={format_shape!r}; choose 'NCTHW' or 'NCHW'")
        if not 0 < bound < float("inf"):
            raise ValueError(f"bound={bound}, but it must be a positive number")
        if times < 1:
            raise ValueError(f"times={times}, but flow is computed at least once")
        make_options(preset, **parameters or {})  # raises
        super().__init__(mean=mean, std=std, format_shape=format_shape, **kwargs)
        self.bound = bound
        self.times = times
        self.preset = preset
        self.format_shape = format_shape
        self.parameters = parameters or {}

    def preprocess(self, inputs: list[Tensor], data_samples, training: bool = False):
        """Flow of the samples' clips, then as mmaction2 does.

        Flow is computed in float32; a network in half precision gets its own dtype.
        """
        images, data_samples = super().preprocess(
            [self._flow_images(clips) for clips in inputs], data_samples, training
        )
        return images.to(self.mean.dtype), data_samples

    def _flow_images(self, clips: Tensor) -> Tensor:
        if clips.ndim != 5 or clips.shape[1] != 3:
            raise ValueError(
                f"a sample has shape {tuple(clips.shape)}; (views, 3, T, H, W) is "
                f"needed: use FormatShape(input_format='NCTHW')"
            )
        if clips.shape[2] <= self.times:
            raise ValueError(
                f"clips have {clips.shape[2]} frames, but {self.times + 1} are needed "
                f"for flow that is computed {self.times} times; raise clip_len"
            )
        images = self._flow_of(clips)
        for _ in range(self.times - 1):
            images = self._flow_of(images.flatten(0, 1)).unflatten(0, (len(clips), -1))
            images = images.flatten(1, 2)
        if self.format_shape == "NCHW":
            images = images.transpose(1, 2).flatten(1, 2)
        return images

    def _flow_of(self, videos: Tensor) -> Tensor:
        flow = tvl1_flow(videos, self.preset, data_range=255.0, **self.parameters)
        return (flow.clamp(-self.bound, self.bound) / self.bound + 1) * 127.5
