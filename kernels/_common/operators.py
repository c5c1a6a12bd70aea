"""What the operators have in common: gradients and vmap.

The formula of a gradient is needed twice, because neither form serves for everything:

- Registered with the operator (torch.library) it serves eager PyTorch, and graphs,
  which are made of operators: torch.compile, torch.export, torch.jit.trace. torch.func
  cannot differentiate what torch.library makes of it, and forward mode would take the
  derivative for 0, so that its tangents are looked for.
- As a torch.autograd.Function it serves torch.func. torch.compile takes none that has
  a jvp, without which forward mode would not say what to do.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.autograd import forward_ad


def in_functorch_transform() -> bool:
    """Whether in a transform of torch.func."""
    return torch._C._are_functorch_transforms_active()  # there is no public way


def _no_forward_mode(name: str) -> NotImplementedError:
    return NotImplementedError(
        f"the fused {name} has no forward-mode derivative; use reverse mode "
        f"(torch.func.jacrev) or backend='reference'"
    )


def _has_tangent(tensor: Tensor) -> bool:
    return forward_ad.unpack_dual(tensor).tangent is not None


def needs_function(name: str, tensors: Sequence[Tensor | None]) -> bool:
    """Whether the autograd.Function has to stand for the operator: for torch.func.

    Raises:
        NotImplementedError: forward mode asks for a derivative, outside of torch.func.
    """
    if torch.compiler.is_compiling() or torch.jit.is_tracing():
        return False
    if in_functorch_transform():
        return True
    if any(_has_tangent(tensor) for tensor in tensors if tensor is not None):
        raise _no_forward_mode(name)
    return False


def needs_derivative(tensor: Tensor) -> bool:
    """Whether a derivative for ``tensor`` may be asked for, in either mode."""
    if tensor.requires_grad and torch.is_grad_enabled():
        return True
    return not torch.compiler.is_compiling() and _has_tangent(tensor)


def raise_on_second_derivative(name: str) -> Callable:
    """What to register as the gradient of an operator's backward pass."""

    def raise_error(ctx, *grads):
        raise NotImplementedError(
            f"the fused {name} has no second derivative; use backend='reference'"
        )

    return raise_error


def save_nothing(ctx, inputs, output) -> None:
    pass


def make_autograd_function(
    name: str, run: Callable, backward: Callable, save: Callable = save_nothing
) -> Callable:
    """``run`` with a gradient that torch.func knows; forward mode raises.

    Tensors have to be direct arguments, and results direct results, not in lists.
    """

    def raise_error(ctx, *tangents):
        raise _no_forward_mode(name)

    members = {
        "generate_vmap_rule": True,
        "forward": staticmethod(run),
        "setup_context": staticmethod(save),
        "backward": staticmethod(backward),
        "jvp": staticmethod(raise_error),
    }
    return type(name, (torch.autograd.Function,), members).apply


def differentiable(
    name: str, forward: Callable, backward: Callable, tensors: int
) -> Callable:
    """Give an operator its gradient, once. Returns it as a function for torch.func.

    Args:
        name: of the public function, for messages.
        forward: the operator, forward(*tensors, *options) -> a tensor.
        backward: the operator backward(grad, *tensors, *options, needs) -> a gradient
            for each tensor, anything where ``needs`` (bool[]) asks for none.
        tensors: their number.
    """

    def save(ctx, inputs, output) -> None:
        ctx.save_for_backward(*inputs[:tensors])
        ctx.options = inputs[tensors:]

    def differentiate(ctx, grad):
        needs = list(ctx.needs_input_grad[:tensors])
        run = function_backward if in_functorch_transform() else backward
        grads = run(grad, *ctx.saved_tensors, *ctx.options, needs)
        grads = (g if need else None for g, need in zip(grads, needs, strict=True))
        return *grads, *[None] * len(ctx.options)

    no_second = raise_on_second_derivative(name)
    forward.register_autograd(differentiate, setup_context=save)
    backward.register_autograd(no_second, setup_context=save_nothing)
    function_backward = make_autograd_function(
        f"{name}_backward", lambda *a: backward(*a), no_second
    )
    return make_autograd_function(name, lambda *a: forward(*a), differentiate, save)


def differentiable_list(
    name: str, forward: Callable, save: Callable, differentiate: Callable
) -> Callable:
    """The same for an operator of a list of tensors: function(options, *tensors).

    Args:
        name: of the public function, for messages.
        forward: the operator, forward([*tensors], *options) -> [*results].
        save: save(ctx, tensors, results) keeps what ``differentiate`` needs.
        differentiate: differentiate(ctx, needs, grads) -> a gradient or None for each
            tensor. needs: whether each of them needs one; grads: of the results.
    """

    def save_lists(ctx, inputs, output) -> None:
        ctx.others = [None] * (len(inputs) - 1)
        save(ctx, inputs[0], output)

    def differentiate_lists(ctx, grads):
        return differentiate(ctx, ctx.needs_input_grad[0], grads), *ctx.others

    def save_each(ctx, inputs, output) -> None:
        save(ctx, inputs[1:], output)

    def differentiate_each(ctx, *grads):
        return None, *differentiate(ctx, ctx.needs_input_grad[1:], grads)

    forward.register_autograd(differentiate_lists, setup_context=save_lists)
    return make_autograd_function(
        name,
        lambda options, *tensors: tuple(forward(list(tensors), *options)),
        differentiate_each,
        save_each,
    )


def vmap_loop(operator: Callable, info, in_dims: Sequence, args: Sequence) -> list:
    """vmap by a loop: an operator's results for each example."""

    def example(value, dim, i: int):
        if isinstance(dim, list | tuple):  # one for each of a list of tensors
            several = zip(value, dim, strict=True)
            return [example(v, d, i) for v, d in several] if dim else value
        return value if dim is None else value.select(dim, i)

    return [
        operator(*(example(a, d, i) for a, d in zip(args, in_dims, strict=True)))
        for i in range(info.batch_size)
    ]
