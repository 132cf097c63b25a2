"""What may be done: every act names who does it (``by``), asks for the right, is whole or nothing, and is journalled."""

from .accepting import accept, recover, withdraw
from .arrivals import account_arriving, link_identity
from .checking import answer, check
from .doors import change_password, close_account, reopen_account
from .people import end_mandate, grant_mandate, local_administrator, open_account
from .privacy import erase_person, export_person, purge
from .receiving import correct_rows, receive, refuse
from .refusals import ActForbidden, ActRefused
from .tokens import create_token, revoke_token
from .uploading import (
    PartRefused,
    abandon_upload,
    append_part,
    begin_upload,
    finish_upload,
    forget_uploads,
)

__all__ = [
    "ActForbidden",
    "ActRefused",
    "PartRefused",
    "abandon_upload",
    "accept",
    "account_arriving",
    "answer",
    "append_part",
    "begin_upload",
    "change_password",
    "check",
    "close_account",
    "correct_rows",
    "create_token",
    "end_mandate",
    "erase_person",
    "export_person",
    "finish_upload",
    "forget_uploads",
    "grant_mandate",
    "link_identity",
    "local_administrator",
    "open_account",
    "purge",
    "receive",
    "recover",
    "refuse",
    "reopen_account",
    "revoke_token",
    "withdraw",
]
