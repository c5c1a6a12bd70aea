from functools import cache

import pytest

from flowzoo_kernels.repflow.recompute_schedule import ADVANCE, schedule


def go_through(n_iters, slots):
    """Check that every step finds its states; return how many lead forward."""
    states, forward, backward = {0: 0}, 0, []
    for iteration, a, b in schedule(n_iters, slots):
        assert 0 <= a < slots
        assert 0 <= b < slots
        if iteration == ADVANCE:
            states[b] = states[a] + 1
            forward += 1
        else:
            assert states[a] == iteration
            assert iteration == n_iters - 1 or states[b] == iteration + 1
            backward.append(iteration)
    assert backward == list(range(n_iters))[::-1]
    return forward


@cache
def fewest(length, free):
    """The fewest steps forward to have each of ``length`` states after a kept one."""
    if length <= free:
        return length
    if free == 1:
        return length * (length + 1) // 2
    return min(
        step + fewest(length - step, free - 1) + fewest(step - 1, free)
        for step in range(1, length + 1)
    )


@pytest.mark.parametrize("slots", [3, 4, 5, 9, 22, 60])
def test_states_are_where_they_are_needed(slots):
    for n_iters in (1, 2, 3, 4, 7, 19, 20, 50):
        forward = go_through(n_iters, slots)
        if n_iters <= slots:
            assert forward == n_iters - 1
        assert forward <= 1.05 * fewest(n_iters - 1, slots - 2) + 1


def test_too_few_slots():
    with pytest.raises(ValueError, match="slots=2"):
        schedule(5, 2)
