"""Which states of an iteration to keep while it is gone through backwards.

With few slots for states, some are computed again from an earlier one that was kept.
Where the next one is kept follows the binomial schedule of Griewank and Walther
("Algorithm 799: revolve", 2000), so that the slots do not grow with the iterations.
"""

import math

ADVANCE = -1
MIN_SLOTS = 3


def schedule(n_iters: int, slots: int) -> list[tuple[int, int, int]]:
    """What to do, in order, from state 0 in slot 0.

    Args:
        n_iters: iterations; iteration i leads from state i to state i + 1.
        slots: states that can be kept at a time, at least 3.

    Returns:
        Rows (ADVANCE, a, b): one iteration from the state in slot a to slot b, which
        may be a; and rows (i, a, b) for i = n_iters - 1 down to 0: iteration i
        backwards, state i lies in slot a and state i + 1 in b (but state n_iters is
        never computed).
    """
    if slots < MIN_SLOTS:
        raise ValueError(f"slots={slots}, but at least {MIN_SLOTS} are needed")
    if n_iters <= slots:
        return _with_all_kept(n_iters)
    steps = []
    kept = [(0, 0)]  # state and slot, in ascending order
    free = list(range(slots - 1, 0, -1))
    new = free.pop()
    for i in range(n_iters - 1, -1, -1):
        while kept[-1][0] < i:
            state, slot = kept[-1]
            target = free.pop()
            distance = _distance(i - state, len(free))
            steps.append((ADVANCE, slot, target))
            steps += [(ADVANCE, target, target)] * (distance - 1)
            kept.append((state + distance, target))
        _, old = kept.pop()
        steps.append((i, old, new))
        free.append(new)
        new = old
    return steps


def _with_all_kept(n_iters: int) -> list[tuple[int, int, int]]:
    forward = [(ADVANCE, i, i + 1) for i in range(n_iters - 1)]
    backward = [(i, i, min(i + 1, n_iters - 1)) for i in range(n_iters - 1, -1, -1)]
    return forward + backward


def _distance(length: int, others: int) -> int:
    """How far the next kept state is, of ``length`` to go and with others after it."""
    if others == 0:
        return length
    if length <= others + 1:
        return 1
    kept, repeats = others + 1, 1
    while math.comb(kept + repeats, kept) <= length:
        repeats += 1
    return max(1, length * repeats // (kept + repeats))
