"""What the representation-flow layers of a model compute."""

from __future__ import annotations

from torch import Tensor, nn

from flowzoo_kernels import RepresentationFlow


class FlowRecorder:
    """Keep the first input and output of each representation-flow layer of a model.

    A context manager; hooks of the layers do the work, so that any model will do::

        with FlowRecorder(model) as recorder:
            model.test_step(batch)
        for name, flow in recorder.flows.items():
            ...

    Args:
        model: contains at least one ``RepresentationFlow``.

    Attributes:
        layers: name of each layer in the model, and the layer.
        inputs: (N, C, T, H, W) of each layer that was called, before normalization.
        flows: (N, 2C, T-1, H, W): u1 of all channels, then u2.

    Raises:
        ValueError: The model has no such layer.
    """

    def __init__(self, model: nn.Module) -> None:
        self.layers = {
            name or "flow": module
            for name, module in model.named_modules()
            if isinstance(module, RepresentationFlow)
        }
        if not self.layers:
            raise ValueError(
                f"{type(model).__name__} has no RepresentationFlow layer, so there is "
                "no representation flow to look at"
            )
        self.inputs: dict[str, Tensor] = {}
        self.flows: dict[str, Tensor] = {}
        self._handles = []

    def __enter__(self) -> FlowRecorder:
        self.inputs.clear()
        self.flows.clear()
        self._handles = [
            layer.register_forward_hook(self._keep_as(name))
            for name, layer in self.layers.items()
        ]
        return self

    def __exit__(self, *exception) -> None:
        for handle in self._handles:
            handle.remove()

    def _keep_as(self, name: str):
        def keep(_layer: nn.Module, args: tuple[Tensor, ...], flow: Tensor) -> None:
            if name not in self.flows:
                self.inputs[name], self.flows[name] = args[0].detach(), flow.detach()

        return keep
