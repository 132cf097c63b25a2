"""A file sent part after part: resumed where it was cut, whole at the end, nobody else's business, never outside its folder."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from essaim.foundation import acts, storage
from essaim.foundation.models import Account, Role, State, Submission, Upload
from portal_world import (  # noqa: F401
    AISNE_SCHOOLS,
    AISNE_SENDER,
    PARIS_SENDER,
    built,
    deliveries,
    world,
)

CONTENT = deliveries(AISNE_SCHOOLS, "morceaux") * 20
HALF = len(CONTENT) // 2


def begin(browser: Client, content: bytes = CONTENT, name: str = "livraisons.csv", **more: Any) -> Any:
    said = {"filename": name, "size": len(content), "contract": "equipment.deliveries", "sender": AISNE_SENDER, "mark": "1-abc"}
    return browser.post("/depots/envois/", said | more)


def part(browser: Client, address: str, offset: int, content: bytes, **more: str) -> Any:
    return browser.patch(address, content, content_type="application/octet-stream", headers={"upload-offset": str(offset), **more})


def test_an_upload_cut_in_the_middle_goes_on_from_where_it_was(world):  # noqa: F811
    """Half is received, the line is cut, the page is loaded again: asked for the same file, the way goes on from the half;
    the submission holds exactly the bytes sent, and its check is queued."""
    browser = world.client(Role.AUTHORITY)
    told = begin(browser).json()
    assert told["offset"] == 0
    assert part(browser, told["address"], 0, CONTENT[:HALF]).json()["offset"] == HALF
    again = begin(world.client(Role.AUTHORITY))
    assert again.status_code == 201 and again.json() == told | {"offset": HALF}
    page = browser.get("/depots/nouveau/").content.decode()
    assert "Envois interrompus" in page and "livraisons.csv" in page
    assert part(browser, told["address"], HALF, CONTENT[HALF:]).json()["offset"] == len(CONTENT)
    done = browser.post(told["address"] + "fin/").json()
    made = Submission.objects.latest("pk")
    assert done == {"address": f"/depots/{made.pk}/", "is_known": False}
    assert made.sha256 == hashlib.sha256(CONTENT).hexdigest() and made.size == len(CONTENT) and made.state == State.RECEIVED
    assert storage.bytes_path(made.sha256).read_bytes() == CONTENT
    assert not any((storage.upload_path("")).iterdir())
    assert "Envois interrompus" not in browser.get("/depots/nouveau/").content.decode()


def test_the_end_asked_twice_gives_one_submission(world):  # noqa: F811
    """A double click, an answer lost on the way: the same submission, one reception in the journal."""
    browser = world.client(Role.AUTHORITY)
    address = begin(browser).json()["address"]
    part(browser, address, 0, CONTENT)
    first, second = browser.post(address + "fin/").json(), browser.post(address + "fin/").json()
    assert first == second and Submission.objects.filter(sha256=hashlib.sha256(CONTENT).hexdigest()).count() == 1


def test_two_tabs_send_the_same_file_together(world):  # noqa: F811
    """Both get the same way; the one that is behind is told from where to go on, and nothing is written twice."""
    one, two = world.client(Role.AUTHORITY), world.client(Role.AUTHORITY)
    address = begin(one).json()["address"]
    assert begin(two).json()["address"] == address
    part(one, address, 0, CONTENT[:HALF])
    behind = part(two, address, 0, CONTENT[:100])
    assert behind.status_code == 409 and behind.json()["offset"] == HALF
    part(two, address, HALF, CONTENT[HALF:])
    assert one.get(address).json()["offset"] == len(CONTENT)
    done = one.post(address + "fin/").json()
    assert Submission.objects.get(pk=int(done["address"].split("/")[2])).sha256 == hashlib.sha256(CONTENT).hexdigest()


def test_a_tab_left_behind_ends_on_the_same_submission(world):  # noqa: F811
    """The other tab sent the whole file: the part of this one is told that everything arrived, its end gives the same deposit."""
    browser = world.client(Role.AUTHORITY)
    address = begin(browser).json()["address"]
    part(browser, address, 0, CONTENT)
    done = browser.post(address + "fin/").json()
    late = part(browser, address, HALF, CONTENT[HALF:])
    assert late.status_code == 409 and late.json()["offset"] == len(CONTENT)
    assert browser.post(address + "fin/").json()["address"] == done["address"]
    assert Submission.objects.filter(filename="livraisons.csv").count() == 1 and not any(storage.upload_path("").iterdir())


def test_a_part_damaged_on_the_way_is_not_kept(world):  # noqa: F811
    """Its checksum says so; the sender goes on from the same byte."""
    browser = world.client(Role.AUTHORITY)
    address = begin(browser).json()["address"]
    answer = part(browser, address, 0, CONTENT[:HALF], **{"upload-part-sha256": hashlib.sha256(b"autre").hexdigest()})
    assert answer.status_code == 409 and answer.json()["offset"] == 0
    right = hashlib.sha256(CONTENT[:HALF]).hexdigest()
    assert part(browser, address, 0, CONTENT[:HALF], **{"upload-part-sha256": right}).json()["offset"] == HALF


def test_an_unfinished_file_is_not_taken_for_whole(world):  # noqa: F811
    """The end asked too early says how far the file came and makes nothing."""
    browser = world.client(Role.AUTHORITY)
    before = Submission.objects.count()
    address = begin(browser).json()["address"]
    part(browser, address, 0, CONTENT[:HALF])
    answer = browser.post(address + "fin/")
    assert answer.status_code == 409 and answer.json()["offset"] == HALF and Submission.objects.count() == before


def test_a_file_longer_than_announced_is_refused(world):  # noqa: F811
    """It was modified while it was sent, or lies: no byte past the size announced is kept."""
    browser = world.client(Role.AUTHORITY)
    address = begin(browser).json()["address"]
    answer = part(browser, address, 0, CONTENT + b"x")
    assert answer.status_code == 400 and "plus long" in answer.json()["message"]
    assert browser.get(address).json()["offset"] == 0


@pytest.mark.parametrize(
    ("wrong", "status", "says"),
    [
        ({"size": 0}, 400, "vide"),
        ({"size": "-5"}, 400, "vide"),
        ({"size": 101 * 2**20}, 400, "100 Mo"),
        ({"size": "9" * 40}, 400, "vide"),
        ({"contract": "inconnu"}, 400, "inconnu"),
        ({"contract": "training.sessions"}, 400, ""),
        ({"sender": PARIS_SENDER}, 403, "mandat"),
    ],
)
def test_what_would_be_refused_at_the_end_is_refused_at_the_start(world, wrong, status, says):  # noqa: F811
    """Empty, oversized, of no contract, in the name of somebody else: said before a byte is sent, in French."""
    answer = begin(world.client(Role.AUTHORITY), **wrong)
    assert answer.status_code == status and says in answer.json()["message"] and not Upload.objects.exists()


@pytest.mark.parametrize("role", [Role.TEACHER, Role.AUDITOR, "nobody"])
def test_who_may_not_send_may_not_begin(world, role):  # noqa: F811
    """Roles that only read are refused at the start."""
    assert begin(world.client(role)).status_code == 403 and not Upload.objects.exists()


@pytest.mark.parametrize("role", [Role.TERRITORY, Role.ADMINISTRATOR, Role.NATIONAL, "paris"])
def test_somebody_elses_upload_does_not_exist(world, role):  # noqa: F811
    """Its address, known or guessed, is a 404 for everybody but its owner, administrators included; nothing changes."""
    address = begin(world.client(Role.AUTHORITY)).json()["address"]
    other = world.client(role)
    answers = [other.get(address), part(other, address, 0, CONTENT), other.post(address + "fin/"), other.post(address + "abandon/")]
    assert [answer.status_code for answer in answers] == [404] * 4
    assert Upload.objects.get().offset == 0
    with pytest.raises(acts.ActForbidden):
        acts.append_part(upload=Upload.objects.get(), offset=0, content=b"x", by=world.accounts[role])


def test_a_session_that_ended_is_told_so(world):  # noqa: F811
    """A script gets a 401 that says what to do, not a sign-in page; what was received waits for the same person."""
    browser = world.client(Role.AUTHORITY)
    address = begin(browser).json()["address"]
    part(browser, address, 0, CONTENT[:HALF])
    browser.logout()
    answer = part(browser, address, HALF, CONTENT[HALF:])
    assert answer.status_code == 401 and "reconnectez-vous" in answer.json()["message"]
    assert begin(world.client(Role.AUTHORITY)).json()["offset"] == HALF


def test_another_site_sends_nothing_in_the_name_of_a_reader(world):  # noqa: F811
    """Every request that changes something carries the token of the form."""
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(world.accounts[Role.AUTHORITY], backend="django.contrib.auth.backends.ModelBackend")
    assert begin(browser).status_code == 403 and not Upload.objects.exists()
    address = begin(world.client(Role.AUTHORITY)).json()["address"]
    assert part(browser, address, 0, CONTENT).status_code == 403 and browser.post(address + "fin/").status_code == 403


@pytest.mark.parametrize("name", ["../../../etc/passwd", "..\\..\\x.csv", "/etc/shadow", "a\x00b.csv", "\u202egpj.csv", "", "."])
def test_names_lead_nowhere(world, settings, name):  # noqa: F811
    """The name only labels the file: bytes stay under a drawn key inside the folder of files."""
    browser = world.client(Role.AUTHORITY)
    address = begin(browser, name=name).json()["address"]
    part(browser, address, 0, CONTENT)
    kept = Upload.objects.get()
    assert storage.upload_path(kept.key).resolve().is_relative_to(settings.ESSAIM_FILES_DIR.resolve())
    assert "/" not in kept.filename and "\\" not in kept.filename and kept.filename.isprintable()
    done = browser.post(address + "fin/").json()
    assert browser.get(done["address"]).status_code == 200


@pytest.mark.parametrize("key", ["..", "../secret_key", "%2e%2e%2fsecret_key", "x" * 200])
def test_an_invented_key_is_not_found(world, key):  # noqa: F811
    """Whatever is written in the address."""
    assert world.client(Role.AUTHORITY).patch(f"/depots/envois/{key}/", b"x", headers={"upload-offset": "0"}).status_code in (404, 405)


def test_parts_too_large_are_refused_unread(world):  # noqa: F811
    """A part larger than asked for is a 413, whatever the file."""
    browser = world.client(Role.AUTHORITY)
    address = begin(browser, size=50 * 2**20).json()["address"]
    assert part(browser, address, 0, b"x" * (2**21 + 1)).status_code == 413
    assert browser.get(address).json()["offset"] == 0


@pytest.mark.parametrize("offset", ["", "-1", "x", "1e3", "9" * 30, "٣"])
def test_an_offset_that_makes_no_sense_is_told_the_right_one(world, offset):  # noqa: F811
    """Nothing is written, and the answer says from where to go on."""
    browser = world.client(Role.AUTHORITY)
    address = begin(browser).json()["address"]
    answer = browser.patch(address, CONTENT, content_type="application/octet-stream", HTTP_UPLOAD_OFFSET=offset)
    assert answer.status_code == 409 and answer.json()["offset"] == 0


def test_an_upload_given_up_leaves_nothing(world):  # noqa: F811
    """The button works without a script; a part that arrives afterwards is refused, and what it left is swept away."""
    browser = world.client(Role.AUTHORITY)
    address = begin(browser).json()["address"]
    part(browser, address, 0, CONTENT[:HALF])
    kept = Upload.objects.get()
    answer = browser.post(address + "abandon/", follow=True)
    assert "abandonné" in answer.content.decode() and not Upload.objects.exists() and not storage.upload_path(kept.key).exists()
    with pytest.raises(acts.ActRefused):
        acts.append_part(upload=kept, offset=HALF, content=b"x", by=world.accounts[Role.AUTHORITY])
    import os

    os.utime(storage.upload_path(kept.key), (0, 0))
    acts.forget_uploads()
    assert not storage.upload_path(kept.key).exists()


def test_what_is_not_resumed_in_time_is_forgotten(world, settings):  # noqa: F811
    """Past ESSAIM_UPLOAD_HOURS the same file starts again, and the purge drops the bytes."""
    browser = world.client(Role.AUTHORITY)
    told = begin(browser).json()
    part(browser, told["address"], 0, CONTENT[:HALF])
    old = Upload.objects.get()
    Upload.objects.update(seen_at=timezone.now() - timedelta(hours=settings.ESSAIM_UPLOAD_HOURS + 1))
    assert "Envois interrompus" not in browser.get("/depots/nouveau/").content.decode()
    assert begin(browser).json()["offset"] == 0
    acts.purge(by=world.admin)
    assert not Upload.objects.filter(key=old.key).exists() and not storage.upload_path(old.key).exists() and Upload.objects.count() == 1


def test_a_person_erased_leaves_no_file_on_the_way(world):  # noqa: F811
    """Names of files say who sends them: they go with the account, and are part of what is handed to the person."""
    browser = world.client(Role.AUTHORITY)
    part(browser, begin(browser).json()["address"], 0, CONTENT[:HALF])
    kept = Upload.objects.get()
    told = acts.export_person(account=world.accounts[Role.AUTHORITY], by=world.accounts[Role.AUTHORITY])
    assert told["envois"][0]["filename"] == "livraisons.csv"
    acts.erase_person(account=Account.objects.get(pk=world.accounts[Role.AUTHORITY].pk), by=world.admin)
    assert not Upload.objects.exists() and not storage.upload_path(kept.key).exists()


def test_too_many_files_on_the_way_are_refused(world, monkeypatch):  # noqa: F811
    """One account does not fill the disk with beginnings."""
    from essaim.foundation.acts import uploading

    monkeypatch.setattr(uploading, "MOST_AT_ONCE", 2)
    browser = world.client(Role.AUTHORITY)
    assert [begin(browser, name=f"{n}.csv").status_code for n in range(3)] == [201, 201, 400]


def test_a_known_file_sent_again_is_said_to_be_known(world):  # noqa: F811
    """The same content a second time: the submission that holds it, and the page says that nothing counts twice."""
    browser = world.client(Role.AUTHORITY)
    for is_known in (False, True):
        address = begin(browser, mark=str(is_known)).json()["address"]
        part(browser, address, 0, CONTENT)
        assert browser.post(address + "fin/").json()["is_known"] is is_known
