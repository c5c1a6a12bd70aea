import torch

from flowzoo_kernels import RepresentationFlow
from flowzoo_kernels._common.lower_bound import lower_bound


def test_gradient_leads_back_but_no_further_down():
    x = torch.tensor([2.0, -1.0, -1.0], requires_grad=True)
    y = lower_bound(x, 0.5)
    assert y.tolist() == [2.0, 0.5, 0.5]
    y.backward(torch.tensor([3.0, 3.0, -3.0]))
    assert x.grad.tolist() == [3.0, 0.0, -3.0]


def test_nan_passes():
    assert lower_bound(torch.tensor(float("nan")), 0.5).isnan()


def test_module_computes_and_recovers_below_zero():
    module = RepresentationFlow(2, n_iters=3)
    x = torch.rand(1, 2, 3, 6, 6)
    with torch.no_grad():
        module.theta.fill_(0.01)
        at_bound = module(x)
        module.theta.fill_(-0.2)
    out = module(x)
    torch.testing.assert_close(out, at_bound)
    sign = 1.0
    for _ in range(2):  # one of the two directions leads upwards
        module.theta.grad = None
        (sign * module(x).square().sum()).backward()
        sign = -sign
        if module.theta.grad.abs() > 0:
            break
    assert module.theta.grad < 0
