"""Which states of an iteration to keep while it is gone through backwards.

With few places for states, some are computed again from an earlier one that was kept.
Where the next one is kept follows the binomial schedule of Griewank and Walther
("Algorithm 799: revolve", 2000), so that the places do not grow with the iterations.
"""

import math

ADVANCE = -1
MIN_PLACES = 3


def schedule(n_iters: int, places: int) -> list[tuple[int, int, int]]:
    """What to do, in order, from state 0 in place 0.

    Args:
        n_iters: iterations; iteration i leads from state i to state i + 1.
        places: states that can be kept at a time, at least 3.

    Returns:
        Rows (ADVANCE, a, b): one iteration from the state in place a to place b, which
        may be a; and rows (i, a, b) for i = n_iters - 1 down to 0: iteration i
        backwards, state i lies in place a and state i + 1 in b (but state n_iters is
        never computed).
    """
    if places < MIN_PLACES:
        raise ValueError(f"places={places}, but at least {MIN_PLACES} are needed")
    if n_iters <= places:
        return _with_all_kept(n_iters)
    steps = []
    kept = [(0, 0)]  # state and place, in ascending order
    free = list(range(places - 1, 0, -1))
    new = free.pop()
    for i in range(n_iters - 1, -1, -1):
        while kept[-1][0] < i:
            state, place = kept[-1]
            target = free.pop()
            distance = _distance(i - state, len(free))
            steps.append((ADVANCE, place, target))
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
