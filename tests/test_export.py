"""Deployment: ONNX files, exported programs and TorchScript, of operators and networks.

Whoever runs them has no FlowZoo: only the reference implementation may be in them.
"""

import io

import numpy as np
import onnxruntime
import pytest
import torch
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.registry import DefaultScope
from torch import nn

from flowzoo.config_lookup import find_config
from flowzoo.models.layers import RepFlowBlock
from flowzoo_kernels import (
    BackwardWarp,
    RepresentationFlow,
    TVNet,
    backward_warp,
    representation_flow,
    tvl1_flow,
)
from flowzoo_kernels.frame_pyramid import frame_pyramid

BATCH = {0: torch.export.Dim("N")}


class Pyramid(nn.Module):
    def forward(self, frames):
        return tuple(frame_pyramid(frames, [(5, 4), (3, 2)]))


class Tvl1(nn.Module):
    def forward(self, frames):
        return tvl1_flow(frames, "fast", scales=1, warps=1)


class Scores(nn.Module):
    """The part of a recognizer between data preprocessor and averaging of views."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, x):
        if hasattr(self.model, "cls_head"):
            return self.model.cls_head(self.model.backbone(x))
        if hasattr(self.model, "stream_logits"):
            x = dict(appearance=x)
        return tuple(self.model(x).values())


OPERATORS = {
    **{
        variant: (RepresentationFlow(4, n_iters=2, variant=variant), [(4, 3, 8, 7)])
        for variant in ("paper", "tvl1", "released")
    },
    **{
        padding: (BackwardWarp(padding), [(3, 8, 7), (2, 8, 7)])
        for padding in ("zeros", "border")
    },
    "pyramid": (Pyramid(), [(3, 2, 8, 7)]),
    "tvnet": (TVNet(n_iters=2, scales=2), [(3, 3, 16, 18)]),
}


def make(shapes, batch, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return tuple(2 * torch.randn(batch, *s, generator=generator) for s in shapes)


def network(name):
    """Of a config, with one iteration: exporting twenty takes long."""
    model = Config.fromfile(find_config(f"{name}.py")).model
    for part in (model, model.get("appearance") or {}):
        if "flow_cfg" in part.get("backbone", {}):
            part.backbone.flow_cfg.n_iters = 1
    torch.manual_seed(0)
    with DefaultScope.overwrite_default_scope("mmaction"):
        return Scores(MODELS.build(model)).eval()


def results(outputs):
    outputs = [outputs] if torch.is_tensor(outputs) else outputs
    return [out.detach().numpy() for out in outputs]


def own_operators(program):
    """In graphs below the outermost too: there is one without autocast."""
    graphs = [m.graph for m in program.graph_module.modules() if hasattr(m, "graph")]
    targets = {str(node.target) for graph in graphs for node in graph.nodes}
    return {target for target in targets if target.startswith("flowzoo")}


def onnx_session(module, inputs, dynamo):
    file = io.BytesIO()
    if dynamo:
        program = torch.onnx.export(
            module, inputs, dynamic_shapes=(BATCH,) * len(inputs), verbose=False
        )
        program.save(file)
    else:
        names = [f"x{i}" for i in range(len(inputs))]
        torch.onnx.export(
            module,
            inputs,
            file,
            dynamo=False,
            opset_version=18,
            input_names=names,
            dynamic_axes={name: {0: "N"} for name in names},
        )
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(file.getvalue(), options)


def assert_onnx_agrees(module, shapes, dynamo):
    session = onnx_session(module, make(shapes, 2), dynamo)
    names = [i.name for i in session.get_inputs()]
    cases = [make(shapes, batch, seed=batch) for batch in (1, 2, 3)]
    cases += [tuple(torch.full_like(x, value) for x in cases[0]) for value in (0, 1)]
    for inputs in cases:
        arrays = {n: x.numpy() for n, x in zip(names, inputs, strict=True)}
        got, expected = session.run(None, arrays), results(module(*inputs))
        for a, b in zip(got, expected, strict=True):
            np.testing.assert_allclose(a, b, rtol=0, atol=1e-4)


@pytest.mark.parametrize("name", OPERATORS)
def test_onnx_of_an_operator_by_torchscript(name):
    module, shapes = OPERATORS[name]
    assert_onnx_agrees(module.eval(), shapes, dynamo=False)


@pytest.mark.parametrize("name", ["zeros"])  # others are in the networks below
def test_onnx_of_an_operator(name):
    module, shapes = OPERATORS[name]
    assert_onnx_agrees(module.eval(), shapes, dynamo=True)


NETWORKS = {
    "repflow_r18_motionshapes": (3, 3, 32, 32),
    "hidden2s_r18_motionshapes": (3, 11, 64, 64),
    "monet_repflow_motionshapes_fusion": (5, 128),
    "monet_repflow_motionshapes_e2e": (2, 3, 3, 32, 32),
    "hidden2s_r18_weizmann": (3, 8, 33, 40),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_onnx_of_a_network_by_torchscript(name):
    assert_onnx_agrees(network(name), [NETWORKS[name]], dynamo=False)


# the others are made of parts of these, and the exporter is slow
@pytest.mark.parametrize("name", list(NETWORKS)[:3])
def test_onnx_of_a_network(name):
    assert_onnx_agrees(network(name), [NETWORKS[name]], dynamo=True)


@pytest.mark.parametrize("name", [*OPERATORS, "repflow_r18_motionshapes"])
def test_saved_trace(name, tmp_path):
    if name in OPERATORS:
        module, shapes = OPERATORS[name]
    else:
        module, shapes = network(name), [NETWORKS[name]]
    torch.jit.trace(module.eval(), make(shapes, 2)).save(tmp_path / "trace.pt")
    loaded = torch.jit.load(tmp_path / "trace.pt")
    assert "flowzoo::" not in str(loaded.inlined_graph)
    inputs = make(shapes, 3, seed=1)
    for a, b in zip(results(loaded(*inputs)), results(module(*inputs)), strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", ["tvl1", "zeros", "pyramid"])
def test_exported_program_holds_the_reference(name):
    module, shapes = OPERATORS[name]
    inputs = make(shapes, 2)
    program = torch.export.export(module.eval(), inputs)
    assert not own_operators(program)
    got, expected = results(program.module()(*inputs)), results(module(*inputs))
    for a, b in zip(got, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-5)


def test_exported_program_takes_any_number_of_clips():
    module, shapes = (
        network("hidden2s_r18_weizmann"),
        [NETWORKS["hidden2s_r18_weizmann"]],
    )
    program = torch.export.export(module, make(shapes, 2), dynamic_shapes=(BATCH,))
    inputs = make(shapes, 3)
    (got,), (expected,) = results(program.module()(*inputs)), results(module(*inputs))
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-5)


def test_a_named_backend_stays():
    block = RepFlowBlock(4, n_iters=1, backend="cpu")
    assert "backend='cpu'" in repr(block)
    inputs = make([(4, 3, 6, 5)], 1)
    program = torch.export.export(block.flows[0].eval(), inputs)
    assert own_operators(program) == {"flowzoo.representation_flow.default"}
    with pytest.raises(NotImplementedError, match="use 'auto' or 'reference'"):
        onnx_session(block.eval(), inputs, dynamo=False)
    with pytest.raises(ValueError, match="backend='gpu' is not known"):
        RepFlowBlock(4, backend="gpu")


def test_tvl1_flow_says_that_it_stays_outside():
    inputs = (torch.rand(1, 2, 8, 7),)
    with pytest.raises(RuntimeError, match="compute the flow before"):
        torch.jit.trace(Tvl1(), inputs)
    program = torch.export.export(Tvl1(), inputs)
    assert own_operators(program) == {"flowzoo.tvl1_flow.default"}


@pytest.mark.parametrize(
    "scripted",
    [RepresentationFlow(2), RepFlowBlock(4), backward_warp, representation_flow],
)
def test_script_says_what_to_use(scripted):
    with pytest.raises(NotImplementedError, match=r"use torch\.jit\.trace"):
        torch.jit.script(scripted)
