"""Two checkouts are compared by all that they compute."""

import numpy as np
import pytest

pytest.importorskip("numba")
import bench_cpu_progress as progress


class Server:
    """A pipe to a checkout that computes a flow and two gradients."""

    def __init__(self, gradient: float) -> None:
        self.results = [np.ones(3), np.array([gradient, 4.0]), np.zeros(1)]

    def send(self, question) -> None:
        pass

    def recv(self) -> tuple[float, list[np.ndarray]]:
        return 1.0, self.results


@pytest.mark.parametrize("wrong", [3.0, np.nan])
def test_other_gradients_are_told(wrong):
    case = "tvl1", (1, 1, 2, 1, 3), 1, True
    servers = {"before": Server(2.0), "now": Server(2.0)}
    assert progress.compare(servers, case, 1)["gradients differ by"] == 0
    servers["now"] = Server(wrong)
    with pytest.raises(RuntimeError, match="the results differ"):
        progress.compare(servers, case, 1)
