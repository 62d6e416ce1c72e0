from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from pointprompt.budget import Budget


class GivenUpError(Exception):
    pass


def nothing() -> None:
    pass


def give_up() -> None:
    raise GivenUpError


def in_thread(work: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def test_what_is_left_is_taken_at_once() -> None:
    budget = Budget(10)
    with budget.take(6, give_up), budget.take(4, give_up):
        pass
    with budget.take(10, give_up):
        pass


def test_more_than_is_left_waits_until_it_is_given_back() -> None:
    budget = Budget(10)
    taken = threading.Event()
    with budget.take(6, nothing):

        def second() -> None:
            with budget.take(5, nothing):
                taken.set()

        thread = in_thread(second)
        assert not taken.wait(0.3)
    assert taken.wait(10)
    thread.join(10)


def test_who_asks_for_more_than_there_is_gets_all_of_it() -> None:
    budget = Budget(10)
    with budget.take(11, give_up), pytest.raises(GivenUpError), budget.take(1, give_up):
        pass


def test_who_came_first_is_served_first_though_less_would_be_there_for_others() -> None:
    budget = Budget(10)
    order: list[str] = []
    queued = threading.Event()

    def take(name: str, amount: int, asked: Callable[[], None]) -> None:
        with budget.take(amount, asked):
            order.append(name)

    with budget.take(8, nothing):
        big = in_thread(lambda: take("big", 9, queued.set))
        assert queued.wait(10)
        queued.clear()
        small = in_thread(lambda: take("small", 1, queued.set))
        assert queued.wait(10)
        assert order == []
    big.join(10)
    small.join(10)
    assert order == ["big", "small"]


def test_who_gives_up_holds_nobody_up() -> None:
    budget = Budget(10)
    with budget.take(9, nothing):
        with pytest.raises(GivenUpError), budget.take(5, give_up):
            pass
        with budget.take(1, give_up):
            pass


def test_an_error_in_the_block_gives_back_what_was_taken() -> None:
    budget = Budget(1)
    with pytest.raises(GivenUpError), budget.take(1, nothing):
        raise GivenUpError
    with budget.take(1, give_up):
        pass
