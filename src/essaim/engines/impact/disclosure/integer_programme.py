"""Mixed-integer programmes through HiGHS (as shipped with scipy: it prints nothing), deterministic: the same tables always give the
same pattern."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array

Floats = npt.NDArray[np.float64]
OPTIMAL = 0


def minimise(cost: Floats, rows: csr_array, row_low: Floats, row_high: Floats, low: Floats, high: Floats,
             integral: npt.NDArray[np.bool_], seconds: float) -> tuple[Floats, bool] | None:
    """Minimise ``cost @ x`` under ``row_low <= rows @ x <= row_high`` and bounds. Returns (x, proved optimal) or None when
    no solution exists or none was found in ``seconds``."""
    found = milp(cost, integrality=integral.astype(np.int64), bounds=Bounds(low, high),
                 constraints=LinearConstraint(csr_array(rows), row_low, row_high),
                 options={"time_limit": float(seconds), "mip_rel_gap": 0.0})
    if found.x is None:
        return None
    return np.asarray(found.x, np.float64), bool(found.status == OPTIMAL)
