"""mmaction2's inferencers with the zoo's models."""

from collections.abc import Callable

from mmaction.apis.inferencers import ActionRecogInferencer
from mmaction.datasets.transforms import DecordDecode, DecordInit
from mmengine.config import Config
from mmengine.dataset import Compose
from mmengine.infer import BaseInferencer

from ..config_lookup import find_config
from ._patch import wrap


def infer_by_zoo_names() -> None:
    """Answer ``Cannot find model: repflow_r18_motionshapes in mmaction``.

    mmengine looks for names in mmaction2's metafiles only. A name that FlowZoo's zoo
    has means its config and its published weights; where none are published, loading
    them says so.
    """

    def make(original: Callable) -> Callable:
        def _load_model_from_metafile(self, model: str) -> tuple[Config, str]:
            from ..zoo.index import find  # needs what this package makes importable

            try:
                row = find(model)
            except KeyError:
                return original(self, model)
            return Config.fromfile(find_config(row.config)), f"flowzoo://{row.name}"

        return _load_model_from_metafile

    wrap(BaseInferencer, "_load_model_from_metafile", make)


def keep_decoders_of_inferencers() -> None:
    """Answer ``'VideoReader' object has no attribute 'get_batch'``.

    mmaction2 puts decord's decoder into every pipeline of videos, but leaves the step
    that opens them where it does not know it.
    """

    def make(original: Callable) -> Callable:
        def _init_pipeline(self, cfg: Config) -> Compose:
            from ..datasets.transforms import DecodeFrames, OpenVideo

            pipeline = original(self, cfg)
            steps = pipeline.transforms
            if any(isinstance(s, OpenVideo) for s in steps):
                steps = [s for s in steps if not isinstance(s, DecordInit)]
                pipeline.transforms = [
                    DecodeFrames() if isinstance(s, DecordDecode) else s for s in steps
                ]
            return pipeline

        return _init_pipeline

    wrap(ActionRecogInferencer, "_init_pipeline", make)
