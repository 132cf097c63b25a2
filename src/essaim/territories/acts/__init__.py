"""What may be done with the register: load it, fetch it, project it."""

from .loading import FileOutcome, RegisterOutcome, load_register
from .projecting import Counts, Projected, project_register
from .refusals import RegisterRefused

__all__ = ["Counts", "FileOutcome", "Projected", "RegisterOutcome", "RegisterRefused", "load_register", "project_register"]
