from mmaction.models.recognizers import Recognizer2D
from mmaction.registry import MODELS
from torch import Tensor


@MODELS.register_module()
class RepFlowRecognizer2D(Recognizer2D):
    """mmaction2's Recognizer2D with a neck that keeps the frames apart.

    ``Recognizer2D`` takes the feature map of a backbone for a tuple of them as soon as
    there is a neck, and expects the neck (TPN) to leave no frames. Here the neck gets
    the map, (N*T, C, H, W), and the head what comes out of it, with the number of
    frames that the head knows.

    Raises:
        ValueError: ``test_cfg`` asks for ``fcn_test`` or ``max_testing_views``.
    """

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        for key in ("fcn_test", "max_testing_views"):
            if (self.test_cfg or {}).get(key):
                raise ValueError(f"{type(self).__name__} has no test_cfg.{key}")

    def extract_feat(
        self,
        inputs: Tensor,
        stage: str = "neck",
        data_samples: list | None = None,
        test_mode: bool = False,
    ) -> tuple[Tensor, dict]:
        """Features after 'backbone', 'neck' or 'head', and what the head needs."""
        x, kwargs = super().extract_feat(inputs, "backbone", test_mode=test_mode)
        if stage == "backbone":
            return x, kwargs
        kwargs["loss_aux"] = {}
        if self.with_neck:
            x, kwargs["loss_aux"] = self.neck(x, data_samples=data_samples)
        if stage == "head" and self.with_cls_head:
            x = self.cls_head(x, **kwargs)
        return x, kwargs
