"""One analysed image set, and who may use it.

It is on one page or on several: a tab that was duplicated shows what the first one shows. To use it
a browser shows its unguessable token, and that it is the browser of the visitor who made it, where
that one could be told from others. Knows nothing of other sessions, or of time.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from pointprompt.analysis.analysis import Analysis

if TYPE_CHECKING:
    from pointprompt.recipes.opened import Opened
    from pointprompt.recipes.recipe import Recipe
    from pointprompt.rules.predictor import Predictor


# Of a session whose analysis is not its own: what the server keeps for it besides.
_SHARING_BYTES = 1 << 18


class SessionGone(LookupError):
    """The session was freed, or there never was one with this token."""


@dataclass
class Session:
    """One analysed image set.

    Attributes:
        token: Unguessable; its visitor, showing it, may use the session.
        folder: Its files: the images, the tiles. Deleted with it.
        analysis: The analysis of its images.
        predictor: Answers clicks on that analysis.
        joins: The token of the session that its images were in before; "" where they were in none.
        kept: The indices that its first images had there.
        visitor: Who made it, and alone may use it; "" where nobody knows, and the token is enough.
        example: What to try with it, where its images are an example; "" where they are not.
        shares: Whether its analysis and predictor are those of others too, and stay without it.
        stored: The key of its analysis in the store; "" where that is not stored.
        opened: The recipe that is open on it, whose concepts its predictor knows; None for none.
        pages: The pages that show it, each with whether it is open. None once all of them have
            gone on to another session.
        replaced_by: The token of the session that its last page went on to; "" while there is none.
        users: Who needs it to stay as it is, just now.
    """

    token: str
    folder: Path
    analysis: Analysis
    predictor: Predictor
    joins: str = ""
    visitor: str = ""
    example: str = ""
    shares: bool = False
    stored: str = ""
    kept: tuple[int, ...] = ()
    opened: Opened | None = None
    pages: dict[str, bool] = field(default_factory=dict)
    replaced_by: str = ""
    users: int = 0
    used_at: float = field(default=0.0, repr=False)
    closed_at: float | None = field(default=None, repr=False)

    @property
    def recipe(self) -> Recipe | None:
        """The recipe that is open on it."""
        return self.opened.recipe if self.opened else None

    @cached_property
    def ticket(self) -> str:
        """Opens the session for its visitor only; the token does not follow from it."""
        return _derived("ticket", self.token)

    @cached_property
    def picture_key(self) -> str:
        """Shows its pictures and downloads to its visitor only; it gives nothing else away."""
        return _derived("pictures", self.token)

    def is_of(self, visitor: str) -> bool:
        """Whether this visitor may use it."""
        return not self.visitor or _same(self.visitor, visitor)

    def opens_with(self, ticket: str, visitor: str) -> bool:
        """Whether this visitor may use it by this ticket; nobody may where it is nobody's."""
        return bool(self.visitor) and self.is_of(visitor) and _same(self.ticket, ticket)

    def shows_with(self, key: str, visitor: str) -> bool:
        """Whether this visitor may see its pictures by this key."""
        return self.is_of(visitor) and _same(self.picture_key, key)

    @cached_property
    def nbytes(self) -> int:
        """Bytes of memory that go with it; asked for at every click, and always the same."""
        if self.shares:
            return _SHARING_BYTES
        of_recipe = self.recipe.nbytes if self.recipe else 0
        return self.analysis.nbytes + self.predictor.max_bytes + of_recipe


def _derived(purpose: str, token: str) -> str:
    """What a token's holder can compute and nobody can find the token from; one a purpose."""
    digest = hashlib.sha256(f"pointprompt {purpose} {token}".encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


def _same(one: str, other: str) -> bool:
    """Whether two texts are equal, in a time that does not tell where they differ."""
    return hmac.compare_digest(one.encode("utf-8", "replace"), other.encode("utf-8", "replace"))
