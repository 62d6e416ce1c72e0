"""A small analysis whose terms are real, and recipes of it: no backbone is needed."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from PIL import Image

from pointprompt.analysis.analysis import Analysis
from pointprompt.analysis.terms import fit_terms
from pointprompt.recipes.making import recipe_of
from pointprompt.recipes.recipe import Recipe
from pointprompt.rules.predictor import Predictor
from pointprompt.things import Thing
from pointprompt.types import BackboneChoice, Click, Photo

N, H, W, CHANNELS = 4, 12, 16, 10
IDENTITY = f"fake block 0 64 False cpu {'0' * 64}"
THIS, THERE, NOT_THIS = Click(0, 0.3, 0.5), Click(2, 0.8, 0.5), Click(1, 0.8, 0.5, False)
CAT = Thing("cat", (THIS, NOT_THIS))


def features(kinds: np.ndarray, seed: int = 0) -> np.ndarray:
    """(n, h, w, c) float32 of length 1: tokens of one kind are alike, up to a little noise."""
    looks = np.linalg.qr(np.random.default_rng(7).standard_normal((CHANNELS, CHANNELS)))[0]
    tokens = looks[kinds] + 0.1 * np.random.default_rng(seed).standard_normal(
        (*kinds.shape, CHANNELS)
    )
    return (tokens / np.linalg.norm(tokens, axis=-1, keepdims=True)).astype(np.float32)


def kinds() -> np.ndarray:
    """(n, h, w): background, a left thing, and a right one that the last image lacks."""
    found = np.zeros((N, H, W), int)
    found[:, 4:9, 2:7] = 1
    found[:-1, 4:9, 10:15] = 2
    return found


def photo(index: int) -> Photo:
    """A grey photo, unlike all others."""
    pixels = np.full((H * 4, W * 4, 3), 60 + index, np.uint8)
    preview = io.BytesIO()
    Image.fromarray(pixels).save(preview, "JPEG")
    return Photo(f"photo-{index}.png", *pixels.shape[:2], preview.getvalue(), pixels)


def analysis() -> Analysis:
    terms, eigvecs, codes = fit_terms(features(kinds()), n_eigvecs=6)
    return Analysis(
        tuple(photo(index) for index in range(N)),
        eigvecs,
        codes,
        np.zeros((N, H, W, 3), np.uint8),
        terms,
        BackboneChoice("fake", "block", 0, 64),
    )


def recipe(things: Sequence[Thing] = (CAT,), exclusive: bool = False) -> Recipe:
    return recipe_of(Predictor(analysis()), things, IDENTITY, exclusive=exclusive)
