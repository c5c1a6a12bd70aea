"""The MoNet authors' TensorFlow weights as a state_dict of ours."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from ..io.state_dict_reader import StateDictReader
from ..io.tensorflow_variables import read_variables, variables_in

SCOPE = "predictor/"


def convert_monet(theirs: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """MoNet's state_dict, for ``MoNet(D, variant='released')``.

    Their gates have the order of ours: z of the state itself, of the next and of the
    previous step, then both resets, then h. Their first dense layer is of the previous
    step. Kernels are (width, in, out) there, and weights (in, out).

    Args:
        theirs: variables by name. Those outside ``predictor/``, such as I3D's, are
            passed over.

    Raises:
        ValueError: Variables are missing, of another shape or not finite; the message
            names them.
    """
    own = variables_in(theirs, SCOPE)
    if not own:
        raise ValueError(
            f"no variable's name begins with {SCOPE}: this is not their MoNet"
        )
    source = StateDictReader(own)
    D = (source.shape("cnn_trans_x/conv1d/kernel")[1:2] or (1024,))[0]
    of_x = source.take("cnn_trans_x/conv1d/kernel", (1, D, 6 * D))
    of_s = source.take("cnn_trans/conv1d/kernel", (3, D, 5 * D))
    ours = {
        "of_x.weight": of_x[0].T,
        "of_x.bias": source.take("cnn_trans_x/conv1d/bias", (6 * D,)),
        "of_s.weight": of_s.permute(2, 1, 0),
        "of_s.bias": source.take("cnn_trans/conv1d/bias", (5 * D,)),
    }
    for side, layer in (("f", "fully_connected"), ("b", "fully_connected_1")):
        weights = source.take(f"cnn_trans/{layer}/weights", (D, D))
        ours[f"of_reset_{side}.weight"] = weights.T
        biases = source.take(f"cnn_trans/{layer}/biases", (D,))
        ours[f"of_reset_{side}.bias"] = biases
    source.finish("their MoNet")
    return {name: value.contiguous() for name, value in ours.items()}


def convert_file(path: Path) -> tuple[dict[str, Tensor], str]:
    """Our state_dict of a checkpoint of theirs, and what it is for.

    Raises:
        OSError, ImportError: As
            :func:`flowzoo.io.tensorflow_variables.read_variables`.
        ValueError: As there, or as :func:`convert_monet`.
    """
    ours = convert_monet(read_variables(path))
    channels = len(ours["of_reset_f.bias"])
    return ours, f"MoNet of {channels} channels"
