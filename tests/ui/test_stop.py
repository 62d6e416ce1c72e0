"""How a process ends that was asked to, on processes that do nothing but wait."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

# Waits as a server does: its main thread asleep for moments, as gradio has it, since a signal that
# comes just before a sleep begins does not shorten it; another one in a computation without end.
SCRIPT = """
import sys, threading, time
from pathlib import Path
from pointprompt.ui import stop

out = Path(sys.argv[1])


def note(text):
    with out.open("a") as file:
        file.write(text + " ")


def fail():
    raise RuntimeError("cannot clean up")


def compute():
    while True:
        sum(range(1000))


stop.on_stop(lambda: note("first"))
stop.on_stop(fail)
stop.on_stop(lambda: note("last"))
stop.install()
threading.Thread(target=compute).start()
{body}
print("ready", flush=True)
while True:
    time.sleep(0.1)
"""

STUCK = """
lock = threading.Lock()
lock.acquire()
stop.on_stop(lock.acquire)
"""


def run(tmp_path: Path, body: str = "") -> tuple[subprocess.Popen[bytes], Path]:
    """A process with the script, when it is ready; and what it notes down when it ends."""
    out = tmp_path / "out.txt"
    out.touch()
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT.replace("{body}", body), str(out)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stdout.readline().strip() == b"ready"
    return process, out


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGTERM, 0), (signal.SIGINT, 130), (signal.SIGHUP, 129)]
)
def test_a_signal_ends_the_process_after_everything_was_cleaned_up(tmp_path, number, status):
    process, out = run(tmp_path)
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == status
    assert out.read_text().split() == ["last", "first"]
    assert b"cannot clean up" in errors


def test_two_signals_at_once_clean_up_once(tmp_path):
    process, out = run(tmp_path, "stop.on_stop(lambda: time.sleep(0.5))")
    process.send_signal(signal.SIGTERM)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert out.read_text().split() == ["last", "first"]


def test_a_clean_up_that_never_ends_does_not_keep_the_process(tmp_path):
    process, out = run(tmp_path, STUCK)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode == 0
    assert out.read_text() == ""


def test_a_process_that_ends_of_itself_cleans_up_too(tmp_path):
    out = tmp_path / "out.txt"
    script = "import sys\nfrom pathlib import Path\nfrom pointprompt.ui import stop\n"
    script += "stop.install()\nstop.on_stop(lambda: Path(sys.argv[1]).write_text('done'))\n"
    ended = subprocess.run([sys.executable, "-c", script + "sys.exit(3)", str(out)], check=False)
    assert ended.returncode == 3
    assert out.read_text() == "done"


def test_a_forked_process_cleans_up_nothing_and_ends_by_the_signal(tmp_path):
    body = (
        "import os, signal\n"
        "here, there = os.pipe()\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        # Python forgets signals that come before the fork is complete.
        "    os.write(there, b'x')\n"
        "    time.sleep(600)\n"
        "os.read(here, 1)\n"
        "os.kill(child, signal.SIGTERM)\n"
        "note(str(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])))\n"
    )
    process, out = run(tmp_path, body)
    assert out.read_text().split() == [str(-signal.SIGTERM)]
    process.kill()
    process.communicate()


def test_a_hangup_that_is_ignored_stays_so(tmp_path):
    """As nohup has it."""
    previous = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        process, out = run(tmp_path)
    finally:
        signal.signal(signal.SIGHUP, previous)
    process.send_signal(signal.SIGHUP)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode == 0
    assert out.read_text().split() == ["last", "first"]


def test_importing_it_changes_nothing():
    script = "import signal\nbefore = signal.getsignal(signal.SIGTERM)\n"
    script += "import pointprompt.ui.command\nassert signal.getsignal(signal.SIGTERM) is before"
    subprocess.run([sys.executable, "-c", script], check=True, env={**os.environ})
