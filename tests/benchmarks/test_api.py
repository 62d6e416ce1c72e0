from __future__ import annotations

from benchmarks import api


def test_all_ways_take_turns_and_the_first_round_does_not_count():
    asked: list[str] = []
    ways = [lambda: asked.append("here"), lambda: asked.append("client")]
    taken = api._taken(ways, 3)
    assert asked == ["here", "client"] * 4
    assert [len(seconds) for seconds in taken] == [3, 3]
    assert all(second >= 0 for seconds in taken for second in seconds)
