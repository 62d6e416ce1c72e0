from __future__ import annotations

import threading
import weakref
from collections.abc import Iterator

import pytest

from pointprompt.types import Progress, ProgressFn
from pointprompt.ui.jobs import Cancelled, Eta, Job, Jobs

# Far more than anything here takes; reached only by a test that fails.
PATIENCE = 30


class Work:
    """Work that waits at its first step until it is let go on."""

    def __init__(self) -> None:
        self.started = threading.Event()
        self.goes_on = threading.Event()
        self.reached_its_end = False

    def __call__(self, progress: ProgressFn) -> str:
        progress(Progress("features", 1, 3))
        self.started.set()
        assert self.goes_on.wait(PATIENCE)
        progress(Progress("features", 2, 3))
        self.reached_its_end = True
        return "done"


@pytest.fixture
def work() -> Iterator[Work]:
    """It goes on when the test ends, whatever came of it: others wait for their turn."""
    work = Work()
    yield work
    work.goes_on.set()


def test_the_result_is_what_the_work_returned():
    assert Job(lambda progress: 42).result() == 42


def test_progress_is_the_newest_step_until_the_work_ends(work):
    steps = Job(work).progress()
    assert work.started.wait(PATIENCE)
    assert next(steps) == Progress("features", 1, 3)
    assert next(steps) == Progress("features", 1, 3)
    work.goes_on.set()
    assert set(steps) <= {Progress("features", 1, 3), Progress("features", 2, 3)}


def test_the_progress_of_a_job_that_has_ended_is_over():
    job = Job(lambda progress: progress(Progress("read", 1, 1)))
    job.result()
    assert list(job.progress()) == []


@pytest.mark.parametrize("error", [ValueError("No images."), MemoryError(), KeyError("x")])
def test_what_the_work_raises_comes_out_of_the_result(error):
    def fail(progress: ProgressFn) -> None:
        raise error

    job = Job(fail)
    with pytest.raises(type(error)) as raised:
        job.result()
    assert raised.value is error


def test_after_a_job_that_failed_the_next_has_its_turn():
    def fail(progress: ProgressFn) -> None:
        raise ValueError("No images.")

    with pytest.raises(ValueError, match="No images"):
        Job(fail).result()
    assert Job(lambda progress: "next").result() == "next"


def test_a_running_job_that_is_cancelled_stops_at_its_next_step(work):
    job = Job(work)
    assert work.started.wait(PATIENCE)
    job.cancel()
    work.goes_on.set()
    with pytest.raises(Cancelled):
        job.result()
    assert not work.reached_its_end
    assert Job(lambda progress: "next").result() == "next"


def test_jobs_take_turns_and_a_waiting_one_says_so(work):
    first = Job(work)
    assert work.started.wait(PATIENCE)
    order = []
    second = Job(lambda progress: order.append("second"))
    assert next(second.progress()) == Progress("wait", 0, 1)
    assert order == []
    work.goes_on.set()
    assert first.result() == "done"
    second.result()
    assert order == ["second"]


def test_a_job_that_is_cancelled_while_it_waits_ends_without_a_turn(work):
    Job(work)
    assert work.started.wait(PATIENCE)
    waiting = Work()
    second = Job(waiting)
    second.cancel()
    with pytest.raises(Cancelled):
        second.result()
    assert not waiting.started.is_set()


def test_a_job_that_was_cancelled_never_begins_its_work_even_if_its_turn_comes(work):
    Job(work)
    assert work.started.wait(PATIENCE)
    begun = []
    waiting = [Job(lambda progress: begun.append("begun")) for _ in range(20)]
    for job in waiting:
        job.cancel()
    work.goes_on.set()
    for job in waiting:
        with pytest.raises(Cancelled):
            job.result()
    assert begun == []


def test_a_new_job_of_a_page_cancels_the_one_before(work):
    jobs = Jobs()
    before = jobs.start("page", work)
    assert work.started.wait(PATIENCE)
    after = jobs.start("page", lambda progress: "after")
    work.goes_on.set()
    with pytest.raises(Cancelled):
        before.result()
    assert after.result() == "after"


def test_the_job_of_another_page_is_left_alone(work):
    jobs = Jobs()
    mine = jobs.start("mine", work)
    assert work.started.wait(PATIENCE)
    theirs = jobs.start("theirs", lambda progress: "theirs")
    jobs.cancel("theirs")
    jobs.cancel("nobody")
    work.goes_on.set()
    assert mine.result() == "done"
    with pytest.raises(Cancelled):
        theirs.result()


def test_cancelling_a_page_cancels_its_job(work):
    jobs = Jobs()
    job = jobs.start("page", work)
    assert work.started.wait(PATIENCE)
    jobs.cancel("page")
    work.goes_on.set()
    with pytest.raises(Cancelled):
        job.result()


def test_what_a_job_returned_is_not_kept_for_its_page():
    class Result:
        pass

    before = set(threading.enumerate())
    jobs = Jobs()
    job = jobs.start("page", lambda progress: Result())
    result = weakref.ref(job.result())
    for thread in set(threading.enumerate()) - before:
        thread.join(PATIENCE)
    del job
    assert result() is None


class Clock:
    def __init__(self) -> None:
        self.now = 50.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_nothing_is_said_of_the_time_left_before_the_first_image(clock):
    eta = Eta(clock)
    for progress in (
        Progress("wait", 0, 1),
        Progress("start", 0, 1),
        Progress("fetch", 3, 10),
        Progress("read", 3, 10),
        Progress("features", 0, 10),
    ):
        assert eta.seconds_left(progress) is None
        clock.now += 5


def test_the_time_left_follows_the_pace_of_the_images(clock):
    eta = Eta(clock)
    eta.seconds_left(Progress("features", 0, 10))
    clock.now += 8
    # 4 s an image for 8 more images, 4 s and 0.1 s an image for the cut, 2 s for the colours.
    assert eta.seconds_left(Progress("features", 2, 10)) == pytest.approx(39)
    clock.now += 8
    assert eta.seconds_left(Progress("features", 4, 10)) == pytest.approx(31)
    clock.now += 24
    assert eta.seconds_left(Progress("features", 10, 10)) == pytest.approx(7)


def test_the_time_for_reading_is_no_part_of_the_pace(clock):
    eta = Eta(clock)
    eta.seconds_left(Progress("read", 0, 4))
    clock.now += 1000
    eta.seconds_left(Progress("features", 0, 4))
    clock.now += 2
    assert eta.seconds_left(Progress("features", 1, 4)) == pytest.approx(12.4)


def test_the_last_stages_count_down_and_never_below_nothing(clock):
    eta = Eta(clock)
    eta.seconds_left(Progress("features", 0, 100))
    assert eta.seconds_left(Progress("cut", 0, 1)) == pytest.approx(16)
    clock.now += 4
    assert eta.seconds_left(Progress("cut", 0, 1)) == pytest.approx(12)
    clock.now += 400
    assert eta.seconds_left(Progress("cut", 0, 1)) == pytest.approx(2)
    assert eta.seconds_left(Progress("colors", 0, 1)) == pytest.approx(2)
    clock.now += 400
    assert eta.seconds_left(Progress("colors", 0, 1)) == 0
