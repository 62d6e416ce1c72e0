from __future__ import annotations

import contextvars
import gc
import threading
import weakref
from collections.abc import Callable

import pytest

from pointprompt.server.turns import Lane, Turns
from pointprompt.types import Progress

# Far more than anything here takes; reached only by a test that fails.
PATIENCE = 30


class GivenUpError(Exception):
    pass


def silent(progress: Progress) -> None:
    pass


class Visitor:
    """Waits for a turn, and has it until it is told to leave."""

    def __init__(self, turns: Turns, name: str, order: list[str], amount: int = 1) -> None:
        self.told: list[Progress] = []
        self.heard = threading.Condition()
        self.inside, self.leaves, self.gives_up = (threading.Event() for _ in range(3))
        self.outcome = ""
        self._work = (turns, name, order, amount)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        turns, name, order, amount = self._work
        try:
            with turns.place() as place, turns.turn(place, self._hear, amount):
                order.append(name)
                self.inside.set()
                assert self.leaves.wait(PATIENCE)
            self.outcome = "left"
        except GivenUpError:
            self.outcome = "gave up"

    def _hear(self, progress: Progress) -> None:
        with self.heard:
            self.told.append(progress)
            self.heard.notify_all()
        if self.gives_up.is_set():
            raise GivenUpError

    def is_told(self, progress: Progress) -> bool:
        with self.heard:
            return self.heard.wait_for(lambda: self.told[-1:] == [progress], PATIENCE)

    def leave(self) -> None:
        self.leaves.set()
        self._thread.join(PATIENCE)

    def give_up(self) -> None:
        self.gives_up.set()
        self._thread.join(PATIENCE)


def in_line(turns: Turns, names: str, order: list[str]) -> list[Visitor]:
    """Visitors who came in this order: each is in the line before the next comes."""
    visitors = []
    for place, name in enumerate(names):
        visitor = Visitor(turns, name, order)
        visitors.append(visitor)
        if place == 0:
            assert visitor.inside.wait(PATIENCE)
        else:
            assert visitor.is_told(Progress("wait", 0, place))
    return visitors


def test_turns_are_had_in_the_order_people_came_and_who_waits_is_told_their_place():
    order: list[str] = []
    visitors = in_line(Turns(), "abcdef", order)
    for place, visitor in enumerate(visitors):
        assert visitor.inside.wait(PATIENCE)
        for behind, other in enumerate(visitors[place + 1 :]):
            assert other.is_told(Progress("wait", 0, behind + 1))
            assert not other.inside.is_set()
        visitor.leave()
    assert order == list("abcdef")
    assert [visitor.outcome for visitor in visitors] == ["left"] * 6
    # Nobody's place ever got worse.
    for visitor in visitors:
        places = [progress.total for progress in visitor.told]
        assert places == sorted(places, reverse=True)


def test_who_gives_up_while_waiting_lets_those_behind_move_up():
    order: list[str] = []
    a, b, c = in_line(Turns(), "abc", order)
    b.give_up()
    assert b.outcome == "gave up"
    assert c.is_told(Progress("wait", 0, 1))
    a.leave()
    assert c.inside.wait(PATIENCE)
    c.leave()
    assert order == ["a", "c"]


def test_who_need_not_wait_is_told_nothing():
    turns = Turns(2)
    told: list[Progress] = []
    with (
        turns.place() as one,
        turns.place() as other,
        turns.turn(one, told.append),
        turns.turn(other, told.append),
    ):
        pass
    assert told == []


def test_who_is_not_ready_holds_up_nobody_and_keeps_their_place():
    turns, order = Turns(), list[str]()
    ready = threading.Event()
    first = threading.Event()

    def come_first() -> None:
        with turns.place() as place:
            first.set()
            assert ready.wait(PATIENCE)
            with turns.turn(place, silent):
                order.append("first")

    slow = threading.Thread(target=come_first, daemon=True)
    slow.start()
    assert first.wait(PATIENCE)
    second = Visitor(turns, "second", order)
    assert second.inside.wait(PATIENCE)
    third = Visitor(turns, "third", order)
    # The first one may still come before.
    assert third.is_told(Progress("wait", 0, 2))
    ready.set()
    while not any(place.is_ready and not place.has_turn for place in turns._line[:1]):
        threading.Event().wait(0.01)
    second.leave()
    slow.join(PATIENCE)
    assert third.inside.wait(PATIENCE)
    third.leave()
    assert order == ["second", "first", "third"]


def test_a_place_may_have_one_turn_after_another():
    turns = Turns()
    with turns.place() as place:
        for _ in range(2):
            with turns.turn(place, silent):
                pass


def test_an_error_in_a_turn_ends_it():
    turns = Turns()
    with pytest.raises(GivenUpError), turns.place() as place, turns.turn(place, silent):
        raise GivenUpError
    order: list[str] = []
    (next_one,) = in_line(turns, "n", order)
    next_one.leave()
    assert order == ["n"]


def test_so_much_is_had_at_a_time_as_there_is_and_who_needs_more_has_it_alone():
    turns, order = Turns(10), list[str]()
    small = Visitor(turns, "small", order, 4)
    assert small.inside.wait(PATIENCE)
    other = Visitor(turns, "other", order, 6)
    assert other.inside.wait(PATIENCE)
    huge = Visitor(turns, "huge", order, 1000)
    assert huge.is_told(Progress("wait", 0, 2))
    small.leave()
    assert huge.is_told(Progress("wait", 0, 1))
    # It would fit, but came later.
    late = Visitor(turns, "late", order, 1)
    assert late.is_told(Progress("wait", 0, 2))
    other.leave()
    assert huge.inside.wait(PATIENCE)
    assert not late.inside.is_set()
    huge.leave()
    assert late.inside.wait(PATIENCE)
    late.leave()


def test_who_waits_for_something_else_is_told_of_that():
    turns = Turns(stage="wait_export")
    with turns.place() as place, turns.turn(place, silent):
        waiting = Visitor(turns, "w", [])
        assert waiting.is_told(Progress("wait_export", 0, 1))
    assert waiting.inside.wait(PATIENCE)
    waiting.leave()


def test_all_work_of_a_lane_is_done_by_one_thread_that_is_not_the_callers():
    lane = Lane("test")
    seen: list[int] = []

    def call() -> None:
        seen.append(lane.do(threading.get_ident))

    callers = [threading.Thread(target=call) for _ in range(8)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(PATIENCE)
    assert len(seen) == 8
    assert len(set(seen)) == 1
    assert threading.get_ident() not in seen


@pytest.mark.parametrize("error", [ValueError("No."), MemoryError(), KeyboardInterrupt()])
def test_what_the_work_of_a_lane_raises_is_raised_where_it_was_asked_for(error):
    lane = Lane("test")

    def fail() -> None:
        raise error

    with pytest.raises(type(error)) as raised:
        lane.do(fail)
    assert raised.value is error
    assert lane.do(lambda: "next") == "next"


def test_the_work_of_a_lane_knows_whose_it_is():
    whose: contextvars.ContextVar[str] = contextvars.ContextVar("whose", default="nobody's")
    lane = Lane("test")
    answers: dict[str, str] = {}

    def call(name: str) -> None:
        whose.set(name)
        answers[name] = lane.do(whose.get)

    for name in ("first", "second"):
        contextvars.copy_context().run(call, name)
    assert answers == {"first": "first", "second": "second"}
    assert lane.do(whose.get) == "nobody's"


class Big:
    pass


def made() -> Big:
    return Big()


def test_what_a_lane_returned_is_not_held_by_it():
    lane = Lane("test")
    gc.disable()  # It must not take the collector of cycles.
    try:
        result = lane.do(made)
        left = weakref.ref(result)
        del result
        wait_for(lambda: left() is None)
    finally:
        gc.enable()


def wait_for(condition: Callable[[], bool]) -> None:
    """Until it holds: a thread may need a moment to let go."""
    done = threading.Event()
    for _ in range(PATIENCE * 100):
        if condition():
            done.set()
            break
        done.wait(0.01)
    assert done.is_set()
