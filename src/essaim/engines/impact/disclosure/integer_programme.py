"""Mixed-integer programmes through HiGHS, one thread, so that the same tables always give the same pattern."""

from __future__ import annotations

import highspy
import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

Floats = npt.NDArray[np.float64]
SEED = 1


def _model(cost: Floats, rows: csr_array, row_low: Floats, row_high: Floats, low: Floats, high: Floats,
           integral: npt.NDArray[np.bool_]) -> highspy.HighsLp:
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = cost.size, rows.shape[0]
    lp.col_cost_, lp.col_lower_, lp.col_upper_ = cost, low, high
    lp.row_lower_, lp.row_upper_ = row_low, row_high
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.start_ = rows.indptr.astype(np.int32)
    lp.a_matrix_.index_ = rows.indices.astype(np.int32)
    lp.a_matrix_.value_ = rows.data
    kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
    lp.integrality_ = [kinds[int(i)] for i in integral]
    return lp


def minimise(cost: Floats, rows: csr_array, row_low: Floats, row_high: Floats, low: Floats, high: Floats,
             integral: npt.NDArray[np.bool_], seconds: float) -> tuple[Floats, bool] | None:
    """Minimise ``cost @ x`` under ``row_low <= rows @ x <= row_high`` and bounds. Returns (x, proved optimal) or None when
    no solution exists or none was found in ``seconds``."""
    solver = highspy.Highs()
    solver.silent()
    solver.setOptionValue("threads", 1)
    solver.setOptionValue("random_seed", SEED)
    solver.setOptionValue("time_limit", float(seconds))
    solver.setOptionValue("mip_rel_gap", 0.0)
    solver.passModel(_model(cost, csr_array(rows), row_low, row_high, low, high, integral))
    solver.run()
    if solver.getInfo().primal_solution_status != highspy.SolutionStatus.kSolutionStatusFeasible:
        return None
    optimal = solver.getModelStatus() == highspy.HighsModelStatus.kOptimal
    return np.asarray(solver.getSolution().col_value), bool(optimal)
