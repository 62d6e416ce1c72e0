"""Which images of which dataset a person asks for, and whether that makes sense.

Knows what names the Hub allows and the addresses of its pages. Asks nobody.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from urllib.parse import unquote

from pointprompt.sources.hub.remote import DatasetError
from pointprompt.sources.hub.repository import NAME, is_name
from pointprompt.sources.photos import Limits

# A dataset's name within the address of one of its pages, and the part of it that a page shows.
_PAGE = re.compile(
    rf"(?:(?:https?://)?(?:www\.)?(?:huggingface\.co|hf\.co)/)?datasets/({NAME})"
    r"(?:/viewer(?:/([^/?#]+)(?:/([^/?#]+))?)?|/(?:tree|blob|resolve|raw|commits?|discussions)"
    r"(?:/[^?#]*)?)?/?(?:[?#].*)?",
    re.ASCII,
)
# What a configuration, a split or a column may be called.
MAX_TEXT_LENGTH = 200


@dataclass(frozen=True)
class DatasetRequest:
    """Which images a person asks for; an empty text means "find it yourself".

    Attributes:
        name: `owner/name` on the Hub, or the address of the dataset's page there.
        config: The configuration (also called subset).
        split: Such as train or test.
        column: The column that holds the images; a field within one as `column.field`.
        limit: How many images, from the first on.
    """

    name: str
    config: str = ""
    split: str = ""
    column: str = ""
    limit: int = 20


# What the tutorial loads, from the copy of it that is stored as parquet.
SUGGESTED_DATASET = DatasetRequest("lmms-lab/Egothink", "Activity", "test", limit=100)


def checked(request: DatasetRequest, limits: Limits) -> DatasetRequest:
    """Return the request with the dataset's plain name, once all of it is known to make sense.

    Raises:
        DatasetError: It does not.
    """
    for what in ("name", "config", "split", "column"):
        text = getattr(request, what)
        if not isinstance(text, str):
            raise DatasetError(f"The {what} must be text.")
        if what != "name" and (len(text) > MAX_TEXT_LENGTH or not text.isprintable()):
            raise DatasetError(f"The {what} is not a name that a dataset can have.")
    if isinstance(request.limit, bool) or not isinstance(request.limit, int):
        raise DatasetError("The number of images must be a whole number.")
    if not 1 <= request.limit <= limits.max_images:
        raise DatasetError(f"The number of images must be from 1 to {limits.max_images}.")
    page = _PAGE.fullmatch(request.name) if len(request.name) < 10 * MAX_TEXT_LENGTH else None
    if page is not None:
        name, *shown = (unquote(text or "") for text in page.groups())
        if request.config or request.split or not all(text.isprintable() for text in shown):
            shown = [request.config, request.split]
        request = replace(request, name=name, config=shown[0], split=shown[1])
    if not is_name(request.name):
        raise DatasetError(
            "A dataset's name has the form owner/name, as on its page on the Hugging Face Hub, "
            f"such as {SUGGESTED_DATASET.name}."
        )
    return request
