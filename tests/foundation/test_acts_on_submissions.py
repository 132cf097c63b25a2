"""From bytes received to rows in the ledger: each act, each refusal."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.utils import timezone

from essaim.foundation import acts, reads
from essaim.foundation.models import Act, Posting, Role, State, Submission
from essaim.foundation.tasks import tend_ledger
from plain_intake import COUNTS, PLANS

pytestmark = pytest.mark.django_db


def standing(contract=COUNTS) -> dict:
    rows = reads.ledger().state(reads.table_spec(contract)).to_pylist()
    return {(row["uai"], row["category"]): row["quantity"] for row in rows}


def test_a_file_goes_from_bytes_to_ledger(handed_in, admin, digest):
    """Received, checked, accepted: bytes kept as sent, counts told, rows in the ledger under the number."""
    submission = handed_in("0020011D;tablette;12", "0020012E;tablette;x")
    assert (submission.state, submission.rows_accepted, submission.rows_refused) == (State.CHECKED, 1, 1)
    assert digest(reads.content(submission)) == submission.sha256
    assert reads.preview_counts(submission) == {"new": 1, "changed": 0, "unchanged": 0, "withdrawn": 0}
    accepted = acts.accept(submission=submission, by=admin)
    assert (accepted.state, accepted.number, accepted.rows_new) == (State.ACCEPTED, 1, 1)
    assert accepted.accepted_by == admin
    assert standing() == {("0020011D", "tablette"): 12}
    assert reads.number_known_at(timezone.now()) == 1
    assert [act.name for act in reads.acts_on(accepted).order_by("pk")] == ["receive", "check", "accept", "accepted"]


def test_accepting_twice_changes_nothing(handed_in, admin):
    """A double click leaves one number, one posting, the same entries."""
    submission = acts.accept(submission=handed_in("0020011D;tablette;12"), by=admin)
    stale = Submission.objects.get(pk=submission.pk)
    assert acts.accept(submission=stale, by=admin).number == 1
    assert Posting.objects.count() == 1
    assert reads.ledger().entries(reads.table_spec(COUNTS)).num_rows == 1


def test_the_same_bytes_are_one_submission(handed_in, admin):
    """Handed in again, the file gives back the submission that holds it, and says so."""
    first = handed_in("0020011D;tablette;12")
    again = handed_in("0020011D;tablette;12")
    assert (again.pk, again.is_known, first.is_known) == (first.pk, True, False)
    assert handed_in("0020011D;tablette;12", sender="130015506").pk != first.pk
    assert handed_in("0020011D;tablette;12", contract=PLANS).pk != first.pk


def test_a_file_can_be_handed_in_again_to_come_back_to_it(handed_in, admin):
    """After a later acceptance or a refusal, the same bytes mean something again."""
    first = acts.accept(submission=handed_in("0020011D;tablette;12"), by=admin)
    acts.accept(submission=handed_in("0020011D;tablette;15"), by=admin)
    back = handed_in("0020011D;tablette;12")
    assert back.pk != first.pk
    acts.accept(submission=back, by=admin)
    assert standing() == {("0020011D", "tablette"): 12}
    refused = handed_in("0020011D;tablette;99")
    acts.refuse(submission=refused, reason="Mauvaise année", by=admin)
    assert handed_in("0020011D;tablette;99").pk != refused.pk


def test_withdrawing_restores_what_stood_before(handed_in, admin):
    """A withdrawal takes a number of its own and gives back the earlier value."""
    acts.accept(submission=handed_in("0020011D;tablette;12"), by=admin)
    second = acts.accept(submission=handed_in("0020011D;tablette;15"), by=admin)
    gone = acts.withdraw(submission=second, reason="Envoyé par erreur", by=admin)
    assert (gone.state, gone.reason, gone.number) == (State.WITHDRAWN, "Envoyé par erreur", 2)
    assert standing() == {("0020011D", "tablette"): 12}
    assert acts.withdraw(submission=gone, reason="encore", by=admin).reason == "Envoyé par erreur"
    assert reads.posted_numbers(COUNTS) == (1, 2, 3)
    assert reads.ledger().verify(reads.table_spec(COUNTS), journal=reads.posted_numbers(COUNTS)).ok


def test_the_worker_merges_what_acceptances_scattered(handed_in, admin):
    """Few acceptances are left alone; many make small files that are merged, without any row, number or date moving."""
    book, spec = reads.ledger(), reads.table_spec(COUNTS)
    for quantity in range(6):
        acts.accept(submission=handed_in(f"0020011D;tablette;{quantity}"), by=admin)
    scattered, entries = book.scattered(spec), book.entries(spec).to_pylist()
    assert tend_ledger.call(least=scattered + 1) == [] and book.scattered(spec) == scattered > 0
    assert tend_ledger.call(least=scattered) == [COUNTS.code] and book.scattered(spec) == 0
    assert book.entries(spec).to_pylist() == entries
    assert book.verify(spec, journal=reads.posted_numbers(COUNTS)).ok


def test_known_at_a_date_counts_what_was_posted_that_day(handed_in, admin):
    """The clock is the end of the day in Paris; before the first posting it is 0."""
    acts.accept(submission=handed_in("0020011D;tablette;12"), by=admin)
    acts.accept(submission=handed_in("0020011D;tablette;15"), by=admin)
    # 23:30 in Paris on 31 March is 21:30 UTC; 00:30 on 1 April is 22:30 UTC of 31 March.
    paris = timezone.get_default_timezone()
    moments = [timezone.datetime(2022, 3, 31, 23, 30, tzinfo=paris), timezone.datetime(2022, 4, 1, 0, 30, tzinfo=paris)]
    for number, at in enumerate(moments, 1):
        Posting.objects.filter(number=number).update(at=at)
    assert reads.number_known_at(date(2022, 3, 30)) == 0
    assert reads.number_known_at(date(2022, 3, 31)) == 1
    assert reads.number_known_at(date(2022, 4, 1)) == 2
    assert reads.number_known_at(moments[0] - timedelta(seconds=1)) == 0


def test_a_figure_leads_to_the_senders_cell(handed_in, admin):
    """An entry's origin, sheet, row and field give the file and the cell letter."""
    acts.accept(submission=handed_in("0020011D;tablette;12", "0020012E;tablette;7"), by=admin)
    entry = reads.ledger().trace(reads.table_spec(COUNTS), key={"uai": "0020012E"}).to_pylist()[0]
    found = reads.cell(entry["origin"], entry["source_sheet"], entry["source_row"], "quantity")
    assert (found.file, found.cell, found.written) == ("livraisons.csv", "C3", "7")
    assert reads.cell(1, "livraisons", 3, "uai").cell == "A3"


def test_an_unreadable_file_is_refused_with_its_reason(admin):
    """A file without usable columns ends refused; nothing can be accepted from it."""
    submission = acts.receive(content=b"a;b\n1;2\n", filename="x.csv", contract=COUNTS, sender="s", by=admin)
    acts.check(submission=submission, by=admin)
    assert submission.state == State.REFUSED and submission.reason
    with pytest.raises(acts.ActRefused, match="refusé"):
        acts.accept(submission=submission, by=admin)


def test_an_answer_is_used_and_remembered(admin):
    """A question asked once is not asked again for the same sender and layout."""
    text = b"uai?;category;quantity\n0020011D;tablette;%d\n"
    first = acts.receive(content=text % 1, filename="a.csv", contract=COUNTS, sender="s", by=admin)
    acts.check(submission=first, by=admin)
    assert [item["id"] for item in first.report["questions"]] == ["uai?"]
    with pytest.raises(acts.ActRefused, match="choix"):
        acts.answer(submission=first, answers={"uai?": "commune"}, by=admin)
    acts.check(submission=first, by=admin, answers={"uai?": "uai"})
    assert (first.state, first.rows_accepted) == (State.CHECKED, 1)
    second = acts.receive(content=text % 2, filename="b.csv", contract=COUNTS, sender="s", by=admin)
    assert acts.check(submission=second, by=admin).rows_accepted == 1
    other = acts.receive(content=text % 2, filename="b.csv", contract=COUNTS, sender="autre", by=admin)
    assert acts.check(submission=other, by=admin).rows_accepted == 0


@pytest.mark.parametrize("contract", [COUNTS, PLANS])
def test_corrected_rows_add_to_the_submission_they_correct(handed_in, admin, contract):
    """Repairing a refused row on screen adds it, even where a file replaces its whole perimeter."""
    origin = handed_in("0020011D;tablette;12", "0020012E;tablette;x", contract=contract)
    row = {"source_sheet": "livraisons", "source_row": 3, "uai": "0020012E", "category": "tablette", "quantity": "7"}
    small = acts.correct_rows(submission=origin, rows=[row], by=admin)
    acts.check(submission=small, by=admin)
    with pytest.raises(acts.ActRefused, match="d'abord"):
        acts.accept(submission=small, by=admin)
    acts.accept(submission=origin, by=admin)
    acts.accept(submission=small, by=admin)
    assert standing(contract) == {("0020011D", "tablette"): 12, ("0020012E", "tablette"): 7}
    with pytest.raises(acts.ActRefused, match="pas une ligne refusée"):
        acts.correct_rows(submission=origin, rows=[{**row, "source_row": 2}], by=admin)
    with pytest.raises(acts.ActRefused, match="Champs inconnus"):
        acts.correct_rows(submission=origin, rows=[{**row, "prix": "3"}], by=admin)
    with pytest.raises(acts.ActRefused, match="Aucune"):
        acts.correct_rows(submission=origin, rows=[], by=admin)


def test_a_check_cut_short_can_be_done_again(handed_in, admin, monkeypatch):
    """When the engine fails, the submission is as received and no half check remains."""
    submission = handed_in("0020011D;tablette;12", checked=False)
    with monkeypatch.context() as broken:
        broken.setattr(acts.checking.intake, "check", lambda *a, **k: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            acts.check(submission=submission, by=admin)
    submission.refresh_from_db()
    assert submission.state == State.RECEIVED
    assert acts.check(submission=submission, by=admin).state == State.CHECKED


def test_what_the_ledger_refuses_leaves_the_submission_checked(handed_in, admin):
    """Duplicate keys are refused whole; the number is void and never used again."""
    twice = handed_in("0020011D;tablette;12", "0020011D;tablette;13")
    with pytest.raises(acts.ActRefused, match="plusieurs fois"):
        acts.accept(submission=twice, by=admin)
    twice.refresh_from_db()
    assert (twice.state, twice.number) == (State.CHECKED, None)
    assert acts.accept(submission=handed_in("0020011D;tablette;14"), by=admin).number == 2
    assert reads.posted_numbers(COUNTS) == (2,)


def test_receive_refuses_what_cannot_be_a_file(admin, settings):
    """Empty, too large, of an unknown contract: told in plain words, nothing kept in the database."""
    terms = {"filename": "x.csv", "by": admin, "sender": "s"}
    with pytest.raises(acts.ActRefused, match="vide"):
        acts.receive(content=b"", contract=COUNTS, **terms)
    with pytest.raises(acts.ActRefused, match="n'existe pas"):
        acts.receive(content=b"a", contract="equipment.nothing", **terms)
    settings.ESSAIM_UPLOAD_MAX_MB = 0
    with pytest.raises(acts.ActRefused, match="dépasse"):
        acts.receive(content=b"a", contract=COUNTS, **terms)
    assert not Submission.objects.exists()


@pytest.mark.parametrize(
    ("given", "kept"),
    [("../../etc/passwd", "passwd"), ("C:\\dossier\\liste.xlsx", "liste.xlsx"), ("a\x00\nb.csv", "ab.csv"), ("", "fichier")],
)
def test_file_names_are_only_names(admin, given, kept):
    """A name never carries a path nor control characters."""
    found = acts.receive(content=b"x", filename=given, contract=COUNTS, sender="s", by=admin)
    assert found.filename == kept
    assert reads.acts_on(found).get().details["filename"] == kept


def test_two_people_on_one_submission(handed_in, admin):
    """The second of two conflicting acts is told; nothing is overwritten."""
    submission = handed_in("0020011D;tablette;12")
    stale = Submission.objects.get(pk=submission.pk)
    acts.refuse(submission=submission, reason="Doublon", by=admin)
    with pytest.raises(acts.ActRefused, match="quelqu'un d'autre"):
        acts.refuse(submission=stale, reason="Autre motif", by=admin)
    submission.refresh_from_db()
    assert submission.reason == "Doublon"


def test_rows_outside_the_mandate_are_not_accepted(handed_in, person):
    """A territory accepts rows of its départements, a school its own rows, and no others."""
    lead = person("aline", Role.TERRITORY, "administrative/departement/02", organisation="T02")
    mixed = handed_in("0020011D;tablette;1", "0950012E;tablette;7", by=lead, sender="T02")
    with pytest.raises(acts.ActForbidden, match="95"):
        acts.accept(submission=mixed, by=lead)
    mixed.refresh_from_db()
    assert mixed.state == State.CHECKED and not Posting.objects.exists()
    acts.accept(submission=handed_in("0020011D;tablette;1", by=lead, sender="T02"), by=lead)


@pytest.mark.parametrize("act", ["receive", "check", "accept", "refuse", "answer", "withdraw"])
def test_no_act_without_a_mandate(act, handed_in, admin, person):
    """An auditor, a stranger and the contributor of another authority can do nothing to a submission."""
    submission = handed_in("0020011D;tablette;12")
    if act == "withdraw":
        acts.accept(submission=submission, by=admin)
    for by in (
        person("audrey", Role.AUDITOR),
        person("sans"),
        person("autre", Role.AUTHORITY, "owner/organisation/130015506"),
        person("ancien", Role.AUTHORITY, "owner/organisation/217500016", ends_on=date(2021, 8, 31)),
        person("futur", Role.AUTHORITY, "owner/organisation/217500016", starts_on=date(2999, 1, 1)),
    ):
        before = Act.objects.count()
        named = {"receive": {"content": b"z", "filename": "z", "contract": COUNTS, "sender": "217500016"},
                 "refuse": {"submission": submission, "reason": "non"}, "withdraw": {"submission": submission, "reason": "non"},
                 "answer": {"submission": submission, "answers": {}}}  # fmt: skip
        with pytest.raises(acts.ActForbidden):
            getattr(acts, act)(by=by, **named.get(act, {"submission": submission}))
        assert Act.objects.count() == before
