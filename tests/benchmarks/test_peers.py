"""The peers of `make quality` find what is plain to see."""

import numpy as np
import pytest

from benchmarks.labelled import iou
from benchmarks.peers import cosine, forest, ncut_clicks
from pointprompt.types import Click

HEIGHT, WIDTH = 60, 90
LEFT = np.zeros((HEIGHT, WIDTH), bool)
LEFT[:, : WIDTH // 3] = True
ON, OFF = Click(0, 0.15, 0.5), Click(0, 0.8, 0.5, positive=False)


@pytest.fixture
def features():
    """Two images of 6 by 9 tokens, of one kind in their left third and of another beside it."""
    tokens = np.random.default_rng(0).normal(0, 0.05, (2, 6, 9, 16)).astype(np.float32)
    tokens[:, :, :3, 0] += 1
    tokens[:, :, 3:, 1] += 1
    return tokens / np.linalg.norm(tokens, axis=-1, keepdims=True)


@pytest.fixture
def photos():
    """Two of them, red in their left third and blue beside it, with noise."""
    photo = np.where(LEFT[..., None], (200, 40, 40), (40, 60, 200))
    noise = np.random.default_rng(1).normal(0, 10, (2, HEIGHT, WIDTH, 3))
    return list(np.clip(photo + noise, 0, 255).astype(np.uint8))


@pytest.mark.parametrize("peer", [cosine, ncut_clicks])
@pytest.mark.parametrize("clicks", [[ON], [ON, OFF]])
def test_a_peer_finds_tokens_of_one_kind_in_all_images(peer, clicks, features):
    masks, _ = peer(features, [LEFT.shape] * 2)(clicks)
    assert min(iou(mask, LEFT) for mask in masks) > 0.9


def test_the_same_clicks_are_answered_alike(features):
    rule = ncut_clicks(features, [LEFT.shape] * 2)
    first, second = rule([ON])[0], rule([ON])[0]
    assert np.array_equal(first, second)


def test_the_forest_separates_two_colours_by_what_was_clicked(photos):
    # Features that say nothing: what it finds it finds in the photos.
    features = np.random.default_rng(2).normal(0, 1, (2, 6, 9, 16)).astype(np.float32)
    masks, _ = forest(photos, features, [LEFT.shape] * 2)([ON, OFF])
    assert min(iou(mask, LEFT) for mask in masks) > 0.9


def test_the_forest_separates_features_where_photos_say_nothing(features):
    grey = [np.full((HEIGHT, WIDTH, 3), 128, np.uint8)] * 2
    # Single tokens differ in everything: only several of each kind show what kinds have in common.
    rows = [0.1, 0.3, 0.5, 0.7, 0.9]
    clicks = [Click(0, x, y, positive=x < 1 / 3) for y in rows for x in (0.06, 0.2, 0.6, 0.9)]
    masks, _ = forest(grey, features, [LEFT.shape] * 2)(clicks)
    assert min(iou(mask, LEFT) for mask in masks) > 0.8


def test_the_forest_takes_everything_before_it_is_told_what_not(photos, features):
    masks, _ = forest(photos, features, [LEFT.shape] * 2)([ON])
    assert all(mask.all() for mask in masks)


def test_the_forest_answers_at_the_size_that_is_asked_for(photos, features):
    masks, _ = forest(photos, features, [(120, 180), (30, 45)])([ON, OFF])
    assert [mask.shape for mask in masks] == [(120, 180), (30, 45)]
