"""What may be done with the register: load it, fetch it, project it."""

from .fetching import DATASETS, Fetched, fetch_register
from .loading import FileOutcome, RegisterOutcome, load_register
from .naming import may_name, name_organisation
from .projecting import Counts, Projected, project_register
from .refusals import RegisterRefused
from .synthetic import load_synthetic_register

__all__ = [
    "DATASETS", "Counts", "Fetched", "FileOutcome", "Projected", "RegisterOutcome", "RegisterRefused", "fetch_register",
    "load_register", "load_synthetic_register", "may_name", "name_organisation", "project_register",
]  # fmt: skip
