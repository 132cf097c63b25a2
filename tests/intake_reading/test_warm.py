"""Calls forked from a process kept ready are as contained as calls that start their own."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import pytest

from essaim.engines.intake.contain import close_all, contained, warm
from essaim.engines.intake.grid import letter_of
from essaim.engines.intake.reading import read_file
from essaim.engines.intake.tables import FileRefused, Limits

SMALL = "UAI;Nom\n0350001A;École\n".encode()
BIG = b"uai;nom;commune;nombre\n" + b"0350001A;\xc3\x89cole Jean Moulin;Rennes;12\n" * 1_500_000


@pytest.fixture(autouse=True)
def _none_left():
    """Nothing kept ready before a test, and nothing alive after it."""
    close_all()
    yield
    close_all()
    assert mine() == []


def mine() -> list[int]:
    """Processes kept ready by this one, zombies included."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
                command = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if int(fields[1]) == os.getpid() and (b"contain." in command or fields[0] == "Z"):
                found.append(int(entry.name))
    return found


def descendants(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_the_same_process_serves_several_files_and_reads_none_itself():
    """Calls are forked one after the other from one process, which stays alone and small."""
    contained(read_file, SMALL, "a.csv")
    (hatch,) = warm._idle
    for _ in range(3):
        assert contained(read_file, SMALL, "a.csv").tables[0].frame.height == 1
    assert [kept.pid for kept in warm._idle] == [hatch.pid] == mine()
    assert descendants(hatch.pid) == []


def test_excess_ends_the_call_only():
    """A call too long or too big is killed; the next call is served, and no process of the first is left."""
    contained(letter_of, 3)
    (hatch,) = warm._idle
    for limits, code in ((Limits(seconds=0.15), "too_much_time"), (Limits(memory_bytes=60 * 2**20), "too_much_memory")):
        with pytest.raises(FileRefused) as refusal:
            contained(read_file, BIG, "a.csv", limits=limits)
        assert refusal.value.code == code
        assert descendants(hatch.pid) == []
        assert contained(letter_of, 26) == "AA"


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGSEGV])
def test_a_crash_is_a_refusal(sign):
    """A call that dies refuses the file, and the process it came from goes on."""
    contained(letter_of, 3)
    (hatch,) = warm._idle
    told: list[str] = []

    def call() -> None:
        try:
            contained(read_file, BIG, "a.csv")
        except FileRefused as refusal:
            told.append(refusal.code)

    thread = threading.Thread(target=call)
    thread.start()
    deadline = time.monotonic() + 20
    while not (running := descendants(hatch.pid)) and time.monotonic() < deadline:
        time.sleep(0.005)
    os.kill(running[0], sign)
    thread.join()
    assert told == ["too_much_memory"]
    assert contained(letter_of, 0) == "A" and warm._idle == [hatch]


def test_a_dead_process_is_replaced():
    """When the process kept ready has been killed, the next call starts another one."""
    contained(letter_of, 3)
    (hatch,) = warm._idle
    os.kill(hatch.pid, signal.SIGKILL)
    deadline = time.monotonic() + 20
    while hatch.alive() and time.monotonic() < deadline:
        time.sleep(0.005)
    assert contained(letter_of, 3) == "D"
    assert warm._idle and warm._idle[0].pid != hatch.pid


def test_threads_do_not_share_a_call():
    """Calls of several threads give each its own result, and at most two processes stay ready."""
    given: dict[int, str] = {}

    def call(number: int) -> None:
        given[number] = contained(letter_of, number)

    threads = [threading.Thread(target=call, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert given == {0: "A", 1: "B", 2: "C"}
    assert 1 <= len(warm._idle) <= 2 and len(mine()) == len(warm._idle)


def test_a_forked_server_lets_go():
    """A copy of the server made by fork neither uses nor ends the processes of its parent."""
    contained(letter_of, 3)
    (hatch,) = warm._idle
    pid = os.fork()
    if pid == 0:
        os._exit(0 if warm._idle == [] else 3)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert hatch.alive() and contained(letter_of, 1) == "B" and warm._idle == [hatch]


def test_the_process_ends_with_its_server(tmp_path: Path):
    """A process kept ready by a server that is killed goes away by itself."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            contained(letter_of, 3)
            os.write(write, str(warm._idle[0].pid).encode())
        finally:
            os.kill(os.getpid(), signal.SIGKILL)
    os.close(write)
    orphan = int(os.read(read, 20))
    os.close(read)
    os.waitpid(pid, 0)
    deadline = time.monotonic() + 5
    while Path(f"/proc/{orphan}").exists() and time.monotonic() < deadline:
        if Path(f"/proc/{orphan}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z":
            break
        time.sleep(0.02)
    else:
        assert not Path(f"/proc/{orphan}").exists()


def test_a_call_cannot_speak_for_the_process_kept_ready():
    """The forked call holds neither end of the conversation: its standard streams lead nowhere."""
    contained(letter_of, 3)
    (hatch,) = warm._idle
    thread = threading.Thread(target=lambda: contained(read_file, BIG, "a.csv"))
    thread.start()
    deadline = time.monotonic() + 20
    links: set[str] = set()
    while time.monotonic() < deadline and links != {"/dev/null"}:
        for call in descendants(hatch.pid):
            try:
                links = {os.readlink(f"/proc/{call}/fd/{stream}") for stream in (0, 1, 2)}
                pipes = {os.readlink(entry) for entry in Path(f"/proc/{call}/fd").iterdir()}
            except OSError:
                continue
    thread.join()
    assert links == {"/dev/null"}
    assert not {os.readlink(f"/proc/{os.getpid()}/fd/{hatch._input()}")} & pipes


def test_cold_calls_stay_available():
    """Without ``warm`` a call starts its own process and leaves none ready."""
    assert contained(letter_of, 27, warm=False) == "AB"
    assert warm._idle == []
