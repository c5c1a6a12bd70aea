from __future__ import annotations

import torch
from mmaction.registry import MODELS
from mmengine.model import BaseDataPreprocessor
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence


@MODELS.register_module()
class FeatureDataPreprocessor(BaseDataPreprocessor):
    """Make one batch of feature sequences of several lengths.

    From ``inputs``, a dict with a list of (T_i, D) for each stream, to
    ``inputs[stream]`` (N, T, D), zero where padded, and ``inputs['mask']`` (N, T), True
    where not. The streams of a video have the same T_i.
    """

    def forward(self, data: dict, training: bool = False) -> dict:
        data = self.cast_data(data)
        inputs = {
            stream: pad_sequence([x.float() for x in sequences], batch_first=True)
            for stream, sequences in data["inputs"].items()
        }
        lengths = None
        for stream, sequences in data["inputs"].items():
            these = [len(x) for x in sequences]
            if lengths not in (None, these):
                raise ValueError(
                    f"the streams {list(data['inputs'])} of a video differ in their "
                    f"number of steps: {lengths} and, of {stream!r}, {these}"
                )
            lengths = these
        inputs["mask"] = _mask(lengths, next(iter(inputs.values())))
        return dict(inputs=inputs, data_samples=data["data_samples"])


def _mask(lengths: list[int], like: Tensor) -> Tensor:
    steps = torch.arange(max(lengths), device=like.device)
    return steps < torch.tensor(lengths, device=like.device)[:, None]
