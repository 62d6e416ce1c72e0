from __future__ import annotations

import itertools
import socket
import subprocess
import sys

import numpy as np
import pytest

from pointprompt.sources.examples import ExampleSet, example_set, example_sets
from pointprompt.sources.framing import Framing
from pointprompt.sources.photos import read_set, safe_names

SETS = example_sets()


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("An example must not need the network.")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def test_there_are_several_sets_with_names_of_their_own() -> None:
    assert len(SETS) >= 4
    assert len({s.key for s in SETS}) == len({s.title for s in SETS}) == len(SETS)
    for one in SETS:
        assert example_set(one.key) is one
        assert len(one.images) >= 3
        assert one.description.endswith(".")
        assert one.credits.endswith(".")


def test_an_unknown_key_is_answered_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="There are: still-life, motorcycle"):
        example_set("nothing")


@pytest.mark.parametrize("one", SETS, ids=lambda s: s.key)
def test_every_set_is_made_without_a_network_of_images_that_differ(one: ExampleSet) -> None:
    names = [image.name for image in one.images]
    assert safe_names(names) == tuple(names)
    made = [image.load() for image in one.images]
    for pixels in made:
        assert pixels.dtype == np.uint8
        assert pixels.shape[2] == 3
        assert min(pixels.shape[:2]) >= 190
        assert max(pixels.shape[:2]) <= 1024
        assert pixels.std() > 20
    result = read_set(made, Framing(32), names=names)
    assert [photo.name for photo in result.photos] == names
    frames = result.frames.astype(int)
    for first, second in itertools.combinations(frames, 2):
        assert np.abs(first - second).mean() > 4


def test_an_image_is_the_same_at_every_call() -> None:
    for one in SETS:
        image = one.images[-1]
        np.testing.assert_array_equal(image.load(), image.load())


def test_the_red_ball_lies_on_all_tables_but_the_last() -> None:
    red = []
    for image in example_set("still-life").images:
        r, g, b = np.moveaxis(image.load().astype(int), 2, 0)
        red.append(((r > 120) & (g < 70) & (b < 70)).mean())
    assert min(red[:-1]) > 0.01
    assert red[-1] == 0


def test_the_tables_are_as_the_program_in_assets_draws_them() -> None:
    from assets import draw_examples

    shipped = example_set("still-life").images
    assert len(shipped) == len(draw_examples._SCENES) == 6
    for number in (0, 5):
        drawn = draw_examples._drawn(draw_examples._SCENES[number])
        difference = np.abs(shipped[number].load().astype(int) - drawn)
        # JPEG's own loss; another scene is 20 grey levels off.
        assert difference.mean() < 3


def test_the_motorcycle_views_are_the_stereo_pair() -> None:
    from skimage.data import stereo_motorcycle

    left, right, _ = stereo_motorcycle()
    first, second = example_set("motorcycle").images[:2]
    np.testing.assert_array_equal(first.load(), left)
    np.testing.assert_array_equal(second.load(), right)


def test_naming_the_sets_imports_nothing_heavy() -> None:
    program = (
        "import sys, pointprompt.sources.examples as e; e.example_sets()\n"
        "heavy = {'skimage', 'scipy', 'torch', 'gradio', 'datasets', 'huggingface_hub'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    assert done.stdout.strip() == "[]"
