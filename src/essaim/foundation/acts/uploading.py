"""A file received part after part: begun, continued after a cut, finished into a submission, given up.

Only the reception of the whole file is journalled: parts on their way say nothing about the world. Nobody but the owner of an
upload may touch it; to others it does not exist.
"""

from __future__ import annotations

import hashlib
import uuid

from django.conf import settings
from django.db import transaction

from .. import clock, storage
from ..models import Account, Submission, Upload
from ..permissions import default_sender
from ..reads.uploads import expired_before
from .receiving import declared_contract, receive, safe_name, sending
from .refusals import ActForbidden, ActRefused

# Files one person may have on the way at once: hands that hold more have lost some.
MOST_AT_ONCE = 50


class PartRefused(ActRefused):
    """The part does not continue what was received; ``offset`` (bytes) says from where to go on."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.offset = offset


def begin_upload(*, filename: str, size: int, contract: str, by: Account, sender: str | None = None, mark: str = "") -> Upload:
    """Open the way for a file of ``size`` bytes, or give back the one that ``by`` left unfinished for the same file (same name,
    size and ``mark``), so that it goes on from its offset.

    Refuses at once what the whole file would be refused for: empty, oversized, unknown contract, a sender outside the mandates
    of ``by``; and more than MOST_AT_ONCE files on the way."""
    name = sender or default_sender(by)
    code = declared_contract(contract).code
    sending(by, code, name)
    if size <= 0:
        raise ActRefused("Le fichier est vide : vérifiez qu'il a bien été enregistré avant l'envoi.")
    if size > settings.ESSAIM_UPLOAD_MAX_MB * 2**20:
        raise ActRefused(f"Le fichier dépasse {settings.ESSAIM_UPLOAD_MAX_MB} Mo : envoyez-le en plusieurs fois ou compressé.")
    same = {"owner": by, "contract": code, "sender": name, "filename": safe_name(filename), "size": size, "mark": mark}
    now = clock.now()
    with transaction.atomic():
        mine = Upload.objects.filter(owner=by, submission=None)
        found = mine.filter(**same, seen_at__gte=expired_before(now)).first()
        if found is not None:
            return found
        if mine.count() >= MOST_AT_ONCE:
            raise ActRefused("Trop d'envois inachevés : reprenez-les ou abandonnez-les d'abord.")
        return Upload.objects.create(key=uuid.uuid4().hex, begun_at=now, seen_at=now, **same)


def _owned(upload: Upload, by: Account) -> None:
    if upload.owner_id != by.pk:
        raise ActForbidden("Cet envoi est celui de quelqu'un d'autre.")


def append_part(*, upload: Upload, offset: int, content: bytes, by: Account, sha256: str = "") -> Upload:
    """Keep ``content`` as the bytes from ``offset`` on. What it returns is durable.

    PartRefused, with the offset to go on from, when the part does not begin where the last one ended (another tab was faster,
    perhaps to the end; an answer was lost) or is not what ``sha256`` (hexadecimal, optional) says. Refuses what passes the size announced."""
    _owned(upload, by)
    with storage.upload_held(upload.key) as opened:
        current = Upload.objects.filter(pk=upload.pk).values_list("offset", "submission").first()
        if current is None:
            raise ActRefused("Cet envoi est abandonné : choisissez de nouveau le fichier.")
        received, submission = current
        if submission is not None:
            storage.upload_path(upload.key).unlink(missing_ok=True)
            raise PartRefused("Le fichier est déjà arrivé en entier.", upload.size)
        if offset != received:
            raise PartRefused("La partie reçue n'est pas celle qui suit.", received)
        if offset + len(content) > upload.size:
            raise ActRefused("Le fichier est plus long qu'annoncé : a-t-il été modifié pendant l'envoi ? Recommencez.")
        if sha256 and hashlib.sha256(content).hexdigest() != sha256.lower():
            raise PartRefused("La partie reçue a été abîmée en chemin.", received)
        storage.write_part(opened, offset, content)
        upload.offset, upload.seen_at = offset + len(content), clock.now()
        upload.save(update_fields=["offset", "seen_at"])
    return upload


def finish_upload(*, upload: Upload, by: Account) -> Submission:
    """The whole file becomes a submission, as ``receive`` would make it. Finished already: the same submission
    again. PartRefused while bytes are missing; refusals of ``receive`` leave the upload as it is."""
    _owned(upload, by)
    with storage.upload_held(upload.key) as opened:
        current = Upload.objects.select_related("submission").filter(pk=upload.pk).first()
        if current is None:
            raise ActRefused("Cet envoi est terminé ou abandonné.")
        if current.submission is not None:
            current.submission.is_known = False
            storage.upload_path(upload.key).unlink(missing_ok=True)
            return current.submission
        if not current.is_whole:
            raise PartRefused("Le fichier n'est pas arrivé en entier.", current.offset)
        opened.seek(0)
        submission = receive(file=opened, filename=current.filename, contract=current.contract, sender=current.sender, by=by)
        current.submission = submission
        current.save(update_fields=["submission"])
        storage.upload_path(upload.key).unlink(missing_ok=True)
    return submission


def abandon_upload(*, upload: Upload, by: Account) -> None:
    """Forget a file on its way and what was received of it. Nothing when it is finished or forgotten already."""
    _owned(upload, by)
    with storage.upload_held(upload.key):
        Upload.objects.filter(pk=upload.pk, submission=None).delete()
        storage.upload_path(upload.key).unlink(missing_ok=True)


def forget_uploads(*, of: Account | None = None) -> int:
    """Forget the uploads that received nothing for ESSAIM_UPLOAD_HOURS (all those of ``of`` when given), and bytes that no
    upload names any more. How many uploads."""
    found = Upload.objects.all() if of is None else Upload.objects.filter(owner=of)
    if of is None:
        found = found.filter(seen_at__lt=expired_before(clock.now()))
    keys = list(found.values_list("key", flat=True))
    Upload.objects.filter(key__in=keys).delete()
    for key in keys:
        storage.upload_path(key).unlink(missing_ok=True)
    if of is None:
        _forget_orphans()
    return len(keys)


def _forget_orphans() -> None:
    """Bytes whose upload is gone: a part that arrived while the file was being abandoned."""
    limit = expired_before(clock.now()).timestamp()
    old = [path for path in storage.upload_path("").iterdir() if path.stat().st_mtime < limit]
    named = set(Upload.objects.filter(key__in=[path.name for path in old]).values_list("key", flat=True))
    for path in old:
        if path.name not in named:
            path.unlink(missing_ok=True)
