from __future__ import annotations


def protected(asked, cells, scope, period, table, threshold, compute):
    raise NotImplementedError
