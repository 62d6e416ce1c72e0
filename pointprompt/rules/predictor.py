"""Either rule, by one door: clicks and settings -> what they select in all images.

Knows the rules, and the photos by what they say of a click's reach. Does not know masks of pixels,
sessions or files.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np

from pointprompt.analysis.codes import with_centred
from pointprompt.edits import Lock
from pointprompt.grid import check_image, token_of
from pointprompt.masks.levels import LEAST, stable_level
from pointprompt.masks.photo_edges import MAX_BYTES, PhotoEdges
from pointprompt.rules.concept import USUAL, Concept, Level, fit
from pointprompt.rules.joint import margins
from pointprompt.rules.one_only import only_one
from pointprompt.settings import JointRule, Rule, Settings, TutorialRule
from pointprompt.types import Click, Codes, FloatArray, TokenPrediction

if TYPE_CHECKING:
    from pointprompt.analysis.analysis import Analysis
    from pointprompt.rules.tutorial import Scorer

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")

# Bytes of a token in a prediction: its heatmap, its margin and its mask.
_PREDICTED_BYTES = 9
# The likeness to the click of "more", and of "part": the least, the most, and how much more it is
# than that of the thing.
MORE = 0.15
PART, MOST_OF_PART, CLOSER = 0.55, 0.95, 0.15
# How much of what the photo says of a click's reach holds in other images too.
ELSEWHERE = 0.5


NOT_OPEN = (
    "These masks go on from a recipe that is not open here. Open its file again, with the same "
    "images: all clicks are kept."
)

# Answers about whole sets that are remembered, and about locked images.
_ANSWERS, _LOCKED = 4, 500

# 1 or -1 by the image, row and column of a token.
Labels = dict[tuple[int, int, int], int]
# What was asked: clicks, and settings as far as they matter.
_Asked = tuple[tuple[Click, ...], Settings]


@dataclass(frozen=True)
class Known:
    """Concepts that were fitted elsewhere, in the terms of an analysis.

    Attributes:
        concepts: By their names, which `JointRule.concept` says.
        numbers: For each image of the analysis, the one that they know it by: one of their own for
            an image that they were fitted on, others for all others, the same for those that are.
    """

    concepts: Mapping[str, Concept] = field(default_factory=dict)
    numbers: tuple[int, ...] = ()


class Predictor:
    """Encode once, prompt many: predicts from one analysis again and again.

    A rule is prepared when it is first used. The last answers are remembered: what is drawn of one
    piece by piece asks for it at every piece, and several things are asked for in turn. `predict`
    may be called from several threads at once.

    Args:
        analysis: From `analyze`.
        known: Concepts in its terms that clicks can go on from; `open_recipe` brings them.
    """

    def __init__(self, analysis: Analysis, known: Known | None = None) -> None:
        self._analysis = analysis
        self._known = known or Known()
        self._answers: _Recent[_Asked, TokenPrediction] = _Recent(_ANSWERS)
        self._locked: _Recent[Lock, TokenPrediction] = _Recent(_LOCKED)
        self._levels: dict[Click, float] = {}

    @property
    def analysis(self) -> Analysis:
        """What it predicts from."""
        return self._analysis

    @property
    def max_bytes(self) -> int:
        """The most memory it comes to hold, besides the analysis, and what is drawn with it."""
        from pointprompt.rules.tutorial import most_bytes

        n, h, w, _ = self._analysis.codes.shape
        of_rules = self._analysis.codes.nbytes + most_bytes(self._analysis.eigvecs.shape)
        of_answers = (_ANSWERS * n + _LOCKED) * h * w * _PREDICTED_BYTES
        return of_rules + of_answers + n * MAX_BYTES

    def prepare(self, rule: Rule) -> None:
        """Prepare a rule now, and not while a person waits for the first click."""
        _ = self._tutorial if isinstance(rule, TutorialRule) else (self._codes, self.same)

    def predict(
        self, clicks: Sequence[Click], settings: Settings, locks: Sequence[Lock] = ()
    ) -> TokenPrediction:
        """What the clicks select in all images, by the rule of the settings.

        Args:
            clicks: The clicks.
            settings: Their rule.
            locks: Images in which other clicks and settings say it.

        Raises:
            ValueError: A click or a lock is on an image that is not in the analysis.
        """
        found = _copied(self._answer(clicks, settings))
        for lock in locks:
            images = list(lock.images)
            for image in images:
                check_image(image, len(found.masks))
            for whole, part in zip(_arrays(found), _arrays(self._in_locked(lock)), strict=True):
                whole[images] = part
        return found

    def _answer(self, clicks: Sequence[Click], settings: Settings) -> TokenPrediction:
        asked = tuple(clicks), settings.as_found
        return self._answers.get(asked, lambda: self._predict(*asked))

    def _in_locked(self, lock: Lock) -> TokenPrediction:
        """The prediction of its images alone: of many locks those are few."""

        def predict() -> TokenPrediction:
            images = list(lock.images)
            whole = self._answer(lock.clicks, lock.settings)
            return TokenPrediction(*(array[images] for array in _arrays(whole)))

        return self._locked.get(lock, predict)

    def _predict(self, clicks: Sequence[Click], settings: Settings) -> TokenPrediction:
        for click in clicks:
            check_image(click.image, len(self._analysis.codes))
        if isinstance(settings.rule, TutorialRule):
            prediction = self._tutorial.predict(clicks, settings.rule)
        else:
            prediction = predict_jointly(
                self._codes, clicks, settings.rule, **self._start(clicks, settings.rule)
            )
        return only_what_was_meant(prediction, clicks) if settings.one_only else prediction

    def concept(self, clicks: Sequence[Click], rule: JointRule) -> Concept | None:
        """The concept that `predict` finds the margins of all images with; None without "this".

        Args:
            clicks: As for `predict`.
            rule: Ours; the tutorial's has no concept, since it looks at the whole set every time.

        Raises:
            ValueError: A click is on an image that is not in the analysis.
        """
        for click in clicks:
            check_image(click.image, len(self._analysis.codes))
        labels = labels_of(clicks, *self._analysis.grid)
        return fit_jointly(self._codes, labels, **self._start(clicks, rule))

    @property
    def known(self) -> Known:
        """The concepts that clicks can go on from."""
        return self._known

    def _start(self, clicks: Sequence[Click], rule: JointRule) -> dict[str, Any]:
        """What clicks go on from: how far the first one reaches, or a concept that is known."""
        if not rule.concept:
            return {"level": self._level(clicks, rule), "same": self.numbers}
        if rule.concept not in self._known.concepts:
            raise ValueError(NOT_OPEN)
        return {"start": self._known.concepts[rule.concept], "same": self.numbers}

    def _level(self, clicks: Sequence[Click], rule: JointRule) -> Level:
        """How like the first positive click a token must be to be "this"."""
        this = [click for click in clicks if click.positive]
        if not this:
            return USUAL
        if rule.size == "more":
            return Level(MORE, MORE)
        first = this[0]
        levels = self._levels
        if first not in levels:
            levels = self._levels = {first: self._stable_level(first)}
        own = levels[first]
        if rule.size == "part":
            part = min(max(PART, own + CLOSER), MOST_OF_PART)
            return Level(part, part)
        # What is "this" as well is of the thing, however unlike the first click it is.
        own = max(LEAST, min(own, self._likeness(first, this).min()))
        return Level(own, LEAST + ELSEWHERE * (own - LEAST))

    def _likeness(self, first: Click, clicks: Sequence[Click]) -> FloatArray:
        """How like the first click others are: (m,) float32."""
        h, w = self._codes.centred.shape[1:3]
        tokens = [(click.image, *token_of(click, h, w)) for click in (first, *clicks)]
        codes = self._codes.centred[tuple(np.array(tokens).T)]
        likeness: FloatArray = codes[1:] @ codes[0]
        return likeness

    def _stable_level(self, click: Click) -> float:
        codes = self._codes.centred[click.image]
        likeness = codes @ codes[token_of(click, *codes.shape[:2])]
        pixels = PhotoEdges.of(self._analysis.photos[click.image]).pixels
        return stable_level(likeness, pixels, (click.x, click.y))

    @cached_property
    def _codes(self) -> Codes:
        return with_centred(self._analysis.codes)

    @cached_property
    def same(self) -> list[int]:
        """For every image, the first one that is the same: what holds in one holds in the other."""
        return first_alike(self._analysis.codes)

    @property
    def numbers(self) -> Sequence[int]:
        """For every image, the number that concepts know it by."""
        return self._known.numbers or self.same

    @cached_property
    def _tutorial(self) -> Scorer:
        # Here, since it imports torch.
        from pointprompt.rules.tutorial import Scorer

        return Scorer(self._analysis.eigvecs)


def predict_jointly(
    codes: Codes,
    clicks: Sequence[Click],
    rule: JointRule,
    level: Level = USUAL,
    *,
    same: Sequence[int] | None = None,
    start: Concept | None = None,
) -> TokenPrediction:
    """What the clicks select in all images, by our own rule.

    Without a positive click or a start all margins are -1, and heatmaps and presence are 0.

    Args:
        codes: (n, h, w, d), of all images.
        clicks: In the order they were made, on images that are there. On one token, the last one
            counts.
        rule: The threshold and gamma.
        level: How like the first positive click a token must be.
        same: For every image, the number that the concept knows it by: that of the first one that
            is the same. None where all differ.
        start: A concept that the clicks go on from.
    """
    n, h, w, _ = codes.plain.shape
    labels = labels_of(clicks, h, w)
    concept = fit_jointly(codes, labels, level, same, start)
    found = np.full((n, h, w), -1, np.float32)
    heatmaps = np.zeros((n, h, w), np.float32)
    presence = np.zeros(n, np.float32)
    if concept is not None:
        for image in range(n):
            number = image if same is None else same[image]
            clicked = clicked_in(image, labels)
            found[image], heatmaps[image], presence[image] = margins(
                concept, codes.at(image), number, rule=rule, clicked=clicked
            )
    return TokenPrediction(heatmaps, found > 0, found, presence)


def fit_jointly(
    codes: Codes,
    labels: Labels,
    level: Level = USUAL,
    same: Sequence[int] | None = None,
    start: Concept | None = None,
) -> Concept | None:
    """The concept of labelled tokens; None where none of them is "this", and there is no start.

    Args:
        codes: (n, h, w, d), of all images.
        labels: Of `labels_of`.
        level: As for `predict_jointly`.
        same: As for `predict_jointly`. The concept knows images by these numbers.
        start: As for `predict_jointly`. Clicks that it was made of say nothing new.
    """
    number = np.arange(len(codes.plain)) if same is None else np.array(same)
    if start is not None:
        labels = {
            token: sign
            for token, sign in labels.items()
            if not start.knows(codes.centred[token], number[token[0]], sign)
        }
    if start is None and 1 not in labels.values():
        return None
    tokens = np.array(list(labels), np.intp).reshape(-1, 3)
    signs = np.array(list(labels.values()), np.intp)
    seen = {int(number[image]): codes.at(image).flat() for image in tokens[signs == 1, 0]}
    return fit(codes.at(tuple(tokens.T)), number[tokens[:, 0]], signs, seen, level, start=start)


def first_alike(codes: FloatArray) -> list[int]:
    """For every image of codes (n, h, w, d), the first one that has the same."""
    first: dict[bytes, int] = {}
    return [
        first.setdefault(hashlib.sha256(its.tobytes()).digest(), image)
        for image, its in enumerate(codes)
    ]


def only_what_was_meant(prediction: TokenPrediction, clicks: Sequence[Click]) -> TokenPrediction:
    """The prediction with, of several alike things in an image, only one: `one_only.only_one`.

    Args:
        prediction: Of n images.
        clicks: On them.
    """
    h, w = prediction.margins.shape[1:]
    positives = [(click.image, *token_of(click, h, w)) for click in clicks if click.positive]
    masks = only_one(prediction.margins, positives)
    one = np.where(masks, prediction.margins, -np.abs(prediction.margins))
    return replace(prediction, masks=masks, margins=one)


def clicked_in(image: int, labels: Labels) -> dict[tuple[int, int], int]:
    """Row and column of the tokens that were clicked in an image, with their labels."""
    return {(row, column): label for (i, row, column), label in labels.items() if i == image}


def labels_of(clicks: Sequence[Click], h: int, w: int) -> Labels:
    """1 or -1 for the image, row and column of every clicked token, in the order of the clicks.

    On one token the last click counts.
    """
    labels: Labels = {}
    for click in clicks:
        token = (click.image, *token_of(click, h, w))
        labels.pop(token, None)  # so that the order is that of the clicks that count
        labels[token] = 1 if click.positive else -1
    return labels


def _copied(prediction: TokenPrediction) -> TokenPrediction:
    """The same in memory of its own."""
    return TokenPrediction(*(array.copy() for array in _arrays(prediction)))


def _arrays(prediction: TokenPrediction) -> Iterator[Any]:
    """Each array of a prediction, with images along its first axis."""
    return (getattr(prediction, one.name) for one in fields(prediction))


class _Recent(Generic[_Key, _Value]):
    """What was computed last, by what it was computed of; from several threads too."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._values: OrderedDict[_Key, _Value] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: _Key, compute: Callable[[], _Value]) -> _Value:
        """The value, computed where it is not remembered."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key]
        value = compute()
        with self._lock:
            self._values[key] = value
            if len(self._values) > self._most:
                self._values.popitem(last=False)
        return value
