"""What may be asked of the foundation: scopes, submissions, the journal, the ledger and the way back to a cell."""

from ..permissions import default_sender, may_send
from ..scopes import Scope, ScopeRefused, active_mandates, parse_scope, register_scope_resolver, scope_of
from .facts import (
    CellOrigin,
    cell,
    last_posted_at,
    ledger,
    lines_added,
    number_known_at,
    posted_numbers,
    posting,
    table_spec,
)
from .journal import acts_on, chain_breaks, visible_acts
from .kept import kept
from .memory import memory_of
from .people import managed_accounts, mandates_of, open_account, titled_accounts
from .replacing import Replaced, replaced
from .submissions import (
    Page,
    annotated,
    content,
    issues,
    preview,
    preview_counts,
    refused_rows,
    report,
    rows,
    submission_numbered,
    visible_to,
)
from .uploads import unfinished_uploads, uploads_of

__all__ = [
    "CellOrigin",
    "Page",
    "Replaced",
    "Scope",
    "ScopeRefused",
    "active_mandates",
    "acts_on",
    "annotated",
    "cell",
    "chain_breaks",
    "content",
    "default_sender",
    "issues",
    "kept",
    "last_posted_at",
    "ledger",
    "lines_added",
    "managed_accounts",
    "mandates_of",
    "may_send",
    "memory_of",
    "number_known_at",
    "open_account",
    "parse_scope",
    "posted_numbers",
    "posting",
    "preview",
    "preview_counts",
    "refused_rows",
    "register_scope_resolver",
    "replaced",
    "report",
    "rows",
    "scope_of",
    "submission_numbered",
    "table_spec",
    "titled_accounts",
    "unfinished_uploads",
    "uploads_of",
    "visible_acts",
    "visible_to",
]
