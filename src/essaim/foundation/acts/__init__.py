"""What may be done: every act names who does it (``by``), asks for the right, is whole or nothing, and is journalled."""

from .accepting import accept, recover, withdraw
from .checking import answer, check
from .people import end_mandate, grant_mandate, local_administrator, open_account
from .receiving import correct_rows, receive, refuse
from .refusals import ActForbidden, ActRefused

__all__ = [
    "ActForbidden",
    "ActRefused",
    "accept",
    "answer",
    "check",
    "correct_rows",
    "end_mandate",
    "grant_mandate",
    "local_administrator",
    "open_account",
    "receive",
    "recover",
    "refuse",
    "withdraw",
]
