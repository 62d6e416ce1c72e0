"""How clicks become masks: what a person can choose, checked.

Knows names, ranges and defaults. Does not know what is done with them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar

from pointprompt.types import is_number, is_whole

# In pixels of an image; there are few that have so many.
MAX_AREA = 10**8


def _check_share(name: str, value: object) -> None:
    if not is_number(value) or not 0 <= value <= 1:
        raise ValueError(f"{name} must be a number from 0 to 1, not {value!r}.")


def _check_gamma(value: object) -> None:
    if not is_number(value) or not 0 < value <= 10:
        raise ValueError(f"gamma must be a number above 0 and up to 10, not {value!r}.")


def _check_name(name: str, value: object, names: Sequence[str]) -> None:
    if not isinstance(value, str) or value not in names:
        raise ValueError(f"{name} must be one of {', '.join(names)}, not {value!r}.")


def _check_bool(name: str, value: object) -> None:
    if not isinstance(value, bool):
        raise ValueError(f"{name} must be true or false, not {value!r}.")


def _check_area(name: str, value: object) -> None:
    if not is_whole(value) or not is_number(value) or not 0 <= value <= MAX_AREA:
        raise ValueError(f"{name} must be a whole number from 0 to {MAX_AREA}, not {value!r}.")


# Of a recipe's digest, and the number of a thing in it.
_CONCEPT = re.compile(r"([0-9a-f]{16}-[0-9]{1,2})?")

# What a click may mean: more than the thing that stands out around it, that thing, or a part of it.
SIZES = ("more", "thing", "part")


@dataclass(frozen=True)
class JointRule:
    """How our own rule, which weighs all clicks together, makes masks of margins.

    Attributes:
        threshold: In [0, 1]: a token is inside where its heatmap, (margin + 1) / 2 to the power of
            gamma, is above.
        gamma: In (0, 10]; larger is stricter.
        size: One of `SIZES`: how much the first positive click means.
        concept: Name of one that the clicks go on from, which a recipe brought; "" for none. With
            one, masks need no click, and the size says nothing.

    Raises:
        ValueError: A value is not of its kind or not in its range.
    """

    name: ClassVar[str] = "joint"

    threshold: float = 0.5
    gamma: float = 1.0
    size: str = "thing"
    concept: str = ""

    def __post_init__(self) -> None:
        _check_share("threshold", self.threshold)
        _check_gamma(self.gamma)
        _check_name("size", self.size, SIZES)
        if not isinstance(self.concept, str) or not _CONCEPT.fullmatch(self.concept):
            raise ValueError("concept must be the name of one, of digits and letters from a to f.")


@dataclass(frozen=True)
class TutorialRule:
    """How the tutorial's rule, in which every click votes, makes masks.

    Attributes:
        threshold: In [0, 1]: a token belongs to a positive click's mask where its heatmap is above.
        gamma: In (0, 10]; the power the heatmap is raised to. Larger is stricter.
        denoise: Remove small connected regions from the masks of positive clicks.
        min_area: At least 0; regions of fewer tokens than this are small.
        negative_threshold: In [0, 1]; the same as `threshold` for negative clicks.
        n_eigvecs: Use only the first so many eigenvectors; None uses all.

    Raises:
        ValueError: A value is not of its kind or not in its range.

    Source: Tutorial steps 5 and 6.
    """

    name: ClassVar[str] = "tutorial"

    threshold: float = 0.5
    gamma: float = 1.0
    denoise: bool = True
    min_area: int = 3
    negative_threshold: float = 0.99
    n_eigvecs: int | None = None

    def __post_init__(self) -> None:
        _check_share("threshold", self.threshold)
        _check_gamma(self.gamma)
        _check_bool("denoise", self.denoise)
        if not is_whole(self.min_area) or self.min_area < 0:
            raise ValueError(f"min_area must be a whole number from 0 on, not {self.min_area!r}.")
        _check_share("negative_threshold", self.negative_threshold)
        if self.n_eigvecs is not None and (not is_whole(self.n_eigvecs) or self.n_eigvecs < 1):
            raise ValueError(
                f"n_eigvecs must be a whole number from 1 on, or None, not {self.n_eigvecs!r}."
            )


Rule = JointRule | TutorialRule
# The rules, by their names.
RULES: dict[str, type[Rule]] = {rule.name: rule for rule in (JointRule, TutorialRule)}

# Whole tokens; along the edges of the photo; drawn by SAM's own mask decoder, which only analyses
# with `image_embeddings` can have.
OUTLINES = ("tokens", "photo", "sam")


@dataclass(frozen=True)
class Settings:
    """How clicks become masks.

    Attributes:
        rule: What makes margins of clicks.
        one_only: Keep, of several alike things in an image, the one that was clicked; in an image
            without clicks, the best one.
        outline: One of `OUTLINES`: what the masks of images follow.
        fill_holes: Holes of fewer pixels of the image than this are filled; 0 fills none.
        remove_specks: Regions of fewer pixels of the image than this are removed; 0 removes none.

    Raises:
        ValueError: A value is not of its kind or not in its range.
    """

    rule: Rule = JointRule()
    one_only: bool = False
    outline: str = "photo"
    fill_holes: int = 0
    remove_specks: int = 0

    def __post_init__(self) -> None:
        if not isinstance(self.rule, JointRule | TutorialRule):
            raise ValueError(f"rule must be a JointRule or a TutorialRule, not {self.rule!r}.")
        _check_bool("one_only", self.one_only)
        _check_name("outline", self.outline, OUTLINES)
        _check_area("fill_holes", self.fill_holes)
        _check_area("remove_specks", self.remove_specks)

    @property
    def cleans(self) -> bool:
        """Whether small holes or regions are not left as they are."""
        return self.fill_holes > 0 or self.remove_specks > 0

    @property
    def as_found(self) -> Settings:
        """The same but for how masks are drawn, which changes nothing about tokens."""
        return Settings(self.rule, self.one_only)

    @property
    def concept(self) -> str:
        """Name of the concept that the clicks go on from; "" for none."""
        return self.rule.concept if isinstance(self.rule, JointRule) else ""

    def as_dict(self) -> dict[str, Any]:
        """The same as JSON has it; `from_dict` reads it again."""
        return {**asdict(self), "rule": {"name": self.rule.name, **asdict(self.rule)}}

    @classmethod
    def from_dict(cls, entry: Mapping[str, Any]) -> Settings:
        """The settings that `as_dict` gave. What is not there takes its default.

        Raises:
            ValueError: A name is not known, or a value is not of its kind or not in its range.
        """
        values = dict(_known(entry, cls))
        if "rule" in values:
            if not isinstance(values["rule"], Mapping):
                raise ValueError("The rule of settings must be an object with a name.")
            rule = dict(values["rule"])
            name = rule.pop("name", cls.rule.name)
            if not isinstance(name, str) or name not in RULES:
                raise ValueError(f"rule must be one of {', '.join(RULES)}, not {name!r}.")
            values["rule"] = RULES[name](**_known(rule, RULES[name]))
        return cls(**values)


def _known(entry: Mapping[str, Any], kind: type[Settings] | type[Rule]) -> Mapping[str, Any]:
    unknown = set(entry) - {field.name for field in fields(kind)}
    if unknown:
        raise ValueError(f"There is no setting {min(map(str, unknown))[:40]!r}.")
    return entry
