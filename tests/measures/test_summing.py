"""Sums of establishments by run, whatever holds no row."""

from __future__ import annotations

import numpy as np

from essaim.engines.measures.summing import Block, run_sums


def test_members_of_whom_nothing_is_known_add_nothing():
    """A group whose establishments come and go, none of which has a row among the facts: zeros of the right shape."""
    values = np.ones((1, 2, 3), dtype=np.int64)  # one row, of establishment 4
    masked = Block(np.array([0, 1]), np.array([0, 1]), mask=np.ones((2, 3), dtype=bool))
    found = run_sums(values, np.array([4]), (masked,), runs=2, size=5)
    assert found.shape == (2, 2, 3) and not found.any()


def test_members_with_and_without_rows_add_what_the_former_hold():
    """One establishment with a row, one without, in the same run; the mask keeps the second period only."""
    values = np.full((1, 1, 2), 7, dtype=np.int64)
    masked = Block(np.array([4, 1]), np.array([0, 0]), mask=np.array([[False, True], [True, True]]))
    assert run_sums(values, np.array([4]), (masked,), runs=1, size=5).tolist() == [[[0, 7]]]
