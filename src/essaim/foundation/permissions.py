"""Who may do what: the rights of each role, and the predicates every act and page asks."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from .models import Account, Mandate, Role, Submission
from .scopes import Scope, active_mandates, departements_of, scope_of_mandate


@dataclass(frozen=True, slots=True)
class Rights:
    """What a role entitles to besides reading its scope. ``submits``: prefixes of the contracts it may hand in, accept
    and correct; ``withdraws``: may take back an accepted submission; ``manages``: opens accounts, grants mandates."""

    submits: tuple[str, ...] = ()
    withdraws: bool = False
    manages: bool = False

    def may_submit(self, contract: str) -> bool:
        return contract.startswith(self.submits) if self.submits else False


EVERYTHING = ("",)
LEVERS = ("equipment.", "resources.", "training.", "families.")
RIGHTS: dict[str, Rights] = {
    Role.NATIONAL: Rights(EVERYTHING, withdraws=True),
    Role.TERRITORY: Rights((*LEVERS, "diagnosis.", "agreements.", "governance."), withdraws=True),
    Role.AUTHORITY: Rights(("equipment.", "resources.", "diagnosis.", "agreements."), withdraws=True),
    Role.DIRECTOR: Rights(("equipment.acknowledgements", "equipment.inventory", "resources.", "diagnosis.")),
    Role.TEACHER: Rights(),
    Role.TRAINER: Rights(("training.",)),
    Role.FAMILIES: Rights(("families.",)),
    Role.EVALUATOR: Rights(("evaluation.",)),
    Role.AUDITOR: Rights(),
    Role.ADMINISTRATOR: Rights(EVERYTHING, withdraws=True, manages=True),
}


def rights_of(mandate: Mandate) -> Rights:
    """The rights of a mandate's role."""
    return RIGHTS[mandate.role]


def _first(account: Account, test: Callable[[Mandate], bool]) -> Mandate | None:
    return next((item for item in active_mandates(account) if test(item)), None)


def may_send(mandate: Mandate, contract: str, sender: str) -> bool:
    """Whether the mandate may hand in files of ``contract`` in the name of ``sender``.

    A territory speaks for senders of its départements, or unknown to the register; the others for themselves only."""
    if not rights_of(mandate).may_submit(contract):
        return False
    scope = scope_of_mandate(mandate)
    if scope.covers(organisation=sender, uai=sender):
        return True
    return mandate.role == Role.TERRITORY and departements_of(sender) <= scope.departements


def mandate_to_send(account: Account, contract: str, sender: str) -> Mandate | None:
    """The mandate under which ``account`` may hand in ``contract`` for ``sender``, or None."""
    return _first(account, lambda item: may_send(item, contract, sender))


def mandate_to_withdraw(account: Account, submission: Submission) -> Mandate | None:
    """The mandate under which ``account`` may take ``submission`` back, or None."""
    places = submitted_places(submission)

    def test(item: Mandate) -> bool:
        return (
            rights_of(item).withdraws
            and may_send(item, submission.contract, submission.sender)
            and outside(item, submission.sender, places, ()) == frozenset()
        )

    return _first(account, test)


def mandate_to_manage(account: Account) -> Mandate | None:
    """The mandate under which ``account`` may open accounts and grant mandates, or None."""
    return _first(account, lambda item: rights_of(item).manages)


def outside(
    mandate: Mandate, sender: str, departements: Iterable[str], uais: Iterable[str]
) -> frozenset[str]:
    """Départements or schools that ``mandate`` may not write about. An organisation is bound to its départements when
    the register knows them; a school mandate to its schools; a territory to its départements."""
    scope = scope_of_mandate(mandate)
    if scope.is_national:
        return frozenset()
    if scope.uais and not scope.departements and mandate.role == Role.DIRECTOR:
        return frozenset(uais) - scope.uais
    allowed = scope.departements or departements_of(sender)
    return frozenset(departements) - allowed if allowed else frozenset()


def submitted_places(submission: Submission) -> frozenset[str]:
    """Départements of the rows retained by the check."""
    return frozenset(submission.places.values_list("departement", flat=True))


def default_sender(account: Account) -> str:
    """In whose name ``account`` sends when it does not say: the organisation or school of its mandates, its own SIREN,
    or its user name."""
    for mandate in active_mandates(account):
        scope: Scope = scope_of_mandate(mandate)
        if mandate.organisation:
            return mandate.organisation
        if own := sorted(scope.organisations) or sorted(scope.uais):
            return own[0]
    return account.siren or account.username
