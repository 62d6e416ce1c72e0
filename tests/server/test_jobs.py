from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Iterator

import pytest

from pointprompt.formats.hub_push import COMMIT_STAGE
from pointprompt.server.jobs import LAST_STAGE, Cancelled, Eta, Job, Jobs
from pointprompt.types import Progress, ProgressFn

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
    """It goes on when the test ends, whatever came of it."""
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


def test_jobs_run_side_by_side(work):
    first = Job(work)
    assert work.started.wait(PATIENCE)
    assert Job(lambda progress: "second").result() == "second"
    work.goes_on.set()
    assert first.result() == "done"


def test_a_cancelled_job_has_ended_at_once_though_its_work_is_in_the_middle_of_a_step(work):
    job = Job(work)
    assert work.started.wait(PATIENCE)
    job.cancel()
    # The work cannot have gone on yet.
    with pytest.raises(Cancelled):
        job.result()
    assert list(job.progress()) == []
    assert not work.goes_on.is_set()


def test_the_work_of_a_cancelled_job_stops_at_its_next_step():
    started, goes_on, stopped = threading.Event(), threading.Event(), threading.Event()
    reached: list[str] = []

    def work(progress: ProgressFn) -> None:
        try:
            started.set()
            assert goes_on.wait(PATIENCE)
            progress(Progress("read", 1, 2))
            reached.append("the end")
        finally:
            stopped.set()

    job = Job(work)
    assert started.wait(PATIENCE)
    job.cancel()
    goes_on.set()
    assert stopped.wait(PATIENCE)
    assert reached == []


def test_what_the_work_of_a_cancelled_job_still_returns_or_raises_is_not_its_result():
    for ending in (lambda: "late", lambda: 1 / 0):
        started, goes_on = threading.Event(), threading.Event()

        def work(progress: ProgressFn, started=started, goes_on=goes_on, ending=ending) -> object:
            started.set()
            assert goes_on.wait(PATIENCE)
            return ending()

        before = set(threading.enumerate())
        job = Job(work)
        (thread,) = set(threading.enumerate()) - before
        assert started.wait(PATIENCE)
        job.cancel()
        goes_on.set()
        thread.join(PATIENCE)
        with pytest.raises(Cancelled):
            job.result()


@pytest.mark.parametrize("stage", [LAST_STAGE, COMMIT_STAGE])
def test_a_job_in_its_last_stage_is_not_cancelled_and_has_ended_when_cancel_returns(stage):
    started, goes_on = threading.Event(), threading.Event()
    done: list[str] = []

    def work(progress: ProgressFn) -> str:
        progress(Progress(stage, 0, 1))
        started.set()
        assert goes_on.wait(PATIENCE)
        done.append("what cannot be undone")
        return "opened"

    job = Job(work)
    assert started.wait(PATIENCE)
    cancelling = threading.Thread(target=job.cancel)
    cancelling.start()
    goes_on.set()
    cancelling.join(PATIENCE)
    assert done == ["what cannot be undone"]
    assert job.result() == "opened"


def test_a_job_that_is_cancelled_never_gets_to_its_last_stage():
    """Of many that are cancelled at any moment, none does its last step and is cancelled too."""
    for attempt in range(200):
        opened: list[str] = []

        def work(progress: ProgressFn, opened: list[str] = opened) -> None:
            for step in range(50):
                progress(Progress("read", step, 50))
            progress(Progress(LAST_STAGE, 0, 1))
            opened.append("a session")

        job = Job(work)
        for _ in range(attempt):
            pass
        job.cancel()
        try:
            job.result()
        except Cancelled:
            was_cancelled = True
        else:
            was_cancelled = False
        assert opened == ([] if was_cancelled else ["a session"])


def test_a_new_job_of_a_page_cancels_the_one_before(work):
    jobs = Jobs()
    before = jobs.start("page", work)
    assert work.started.wait(PATIENCE)
    after = jobs.start("page", lambda progress: "after")
    with pytest.raises(Cancelled):
        before.result()
    assert after.result() == "after"
    assert jobs.is_newest("page", after)
    assert not jobs.is_newest("page", before)


def test_a_cancelled_job_is_still_the_newest_of_its_page(work):
    jobs = Jobs()
    job = jobs.start("page", work)
    jobs.cancel("page")
    assert jobs.is_newest("page", job)
    assert not jobs.is_newest("another", job)


def test_the_job_of_another_page_is_left_alone(work):
    jobs = Jobs()
    mine = jobs.start("mine", work)
    assert work.started.wait(PATIENCE)
    waiting = Work()
    theirs = jobs.start("theirs", waiting)
    jobs.cancel("theirs")
    jobs.cancel("nobody")
    work.goes_on.set()
    assert mine.result() == "done"
    with pytest.raises(Cancelled):
        theirs.result()
    waiting.goes_on.set()


def test_work_that_nobody_asked_for_is_started_only_where_there_is_none(work):
    jobs = Jobs()
    asked = jobs.start("page", work)
    assert work.started.wait(PATIENCE)
    assert jobs.start_if_none("page", lambda progress: "never") is None
    assert not asked.has_ended
    assert jobs.start_if_none("other", lambda progress: "there").result() == "there"
    work.goes_on.set()
    assert asked.result() == "done"
    assert asked.has_ended
    after = jobs.start_if_none("page", lambda progress: "after")
    assert after.result() == "after"
    assert jobs.is_newest("page", after)


def test_cancelling_a_page_cancels_its_job(work):
    jobs = Jobs()
    job = jobs.start("page", work)
    assert work.started.wait(PATIENCE)
    jobs.cancel("page")
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


def test_an_error_does_not_hold_what_the_work_held():
    class Result:
        pass

    left: list[weakref.ref[Result]] = []

    def compute() -> None:
        result = Result()
        left.append(weakref.ref(result))
        raise MemoryError

    def work(progress: ProgressFn) -> None:
        try:
            compute()
        except MemoryError as error:
            raise ValueError("Too many images.") from error

    gc.disable()  # It must not take the collector of cycles, which comes when it likes.
    try:
        job = Job(work)
        with pytest.raises(ValueError, match="Too many"):
            job.result()
        assert left[0]() is None
    finally:
        gc.enable()


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
