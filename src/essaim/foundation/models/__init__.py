"""What is: people and their mandates, submissions and the numbers they are posted under, files on their way, the journal of acts."""

from .journal import Act, JournalIsAppendOnly
from .people import Account, Mandate, Role
from .submissions import TRANSITIONS, Layout, Place, Posting, State, Submission
from .tokens import ApiToken
from .uploads import Upload

__all__ = [
    "TRANSITIONS",
    "Account",
    "Act",
    "ApiToken",
    "JournalIsAppendOnly",
    "Layout",
    "Mandate",
    "Place",
    "Posting",
    "Role",
    "State",
    "Submission",
    "Upload",
]
