"""What the Hugging Face Hub says that a dataset consists of: its files, by commit, and its card.

Knows how the Hub answers. Does not know which of the files are wanted, nor what is in them.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from pointprompt.sources.hub.remote import Answer, Connection, DatasetError

# A repository's name as the Hub allows it: one part for the oldest datasets, else owner/name.
_NAME_PART = r"[A-Za-z0-9](?:[\w.-]{0,94}\w)?"
NAME = rf"(?:{_NAME_PART}/)?{_NAME_PART}"
_NAME = re.compile(NAME, re.ASCII)
# The Hub's own copy of a dataset as parquet files: <configuration>/<split>/0000.parquet.
PARQUET_COPY = "refs/convert/parquet"
_MAX_INFO_BYTES = 64 * 2**20


def is_name(text: str) -> bool:
    """Return whether a dataset on the Hub can have this name."""
    forbidden = ".." in text or "--" in text or text.endswith(".git")
    return _NAME.fullmatch(text) is not None and not forbidden


@dataclass(frozen=True)
class Repository:
    """What the Hub says about one commit of a dataset.

    Attributes:
        name: Its present name, also where it was asked for by an older one.
        commit: The hash of the commit.
        files: Their paths, sorted.
        card: What its author declares.
    """

    name: str
    commit: str
    files: tuple[str, ...]
    card: dict[str, Any]

    def url_of(self, file: str) -> str:
        """Return the address of one of its files."""
        from huggingface_hub import hf_hub_url

        return hf_hub_url(self.name, file, repo_type="dataset", revision=self.commit)


def repository(connection: Connection, name: str, timeout: float) -> Repository:
    """Return what the Hub knows of the newest commit, by one request that is not repeated.

    Raises:
        DatasetError: There is no such public dataset, or the Hub cannot be reached.
    """
    found = _info(connection, name, None, timeout)
    if found is None:
        raise DatasetError(_unknown(name))
    return found


def parquet_copy(connection: Connection, name: str, timeout: float) -> Repository | None:
    """Return the copy as parquet files that the Hub keeps of most datasets, None if it has none.

    Raises:
        DatasetError: As for `repository`.
    """
    return _info(connection, name, PARQUET_COPY, timeout)


def _info(
    connection: Connection, name: str, revision: str | None, timeout: float
) -> Repository | None:
    """Return what the Hub knows of a revision, None if there is no such revision."""
    from huggingface_hub import constants
    from huggingface_hub.errors import OfflineModeIsEnabled

    url = f"{constants.ENDPOINT}/api/datasets/{name}"
    if revision is not None:
        url += f"/revision/{quote(revision, safe='')}"
    try:
        answer = connection.get(url, most=_MAX_INFO_BYTES, timeout=timeout)
    except DatasetError:
        raise
    except OfflineModeIsEnabled as error:
        raise DatasetError(
            "Datasets cannot be loaded: this server is set to work offline (HF_HUB_OFFLINE)."
        ) from error
    # Connections fail with the classes of whichever HTTP library the Hub's client uses.
    except Exception as error:
        raise DatasetError(
            "The Hugging Face Hub cannot be reached from this server. Check its connection, or "
            "upload the images instead."
        ) from error
    if answer.headers.get("X-Error-Code") == "RevisionNotFound":
        return None
    _check_status(answer, name)
    try:
        return _read_info(json.loads(answer.body), name)
    # Whatever is not as the Hub writes it.
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        if isinstance(error, DatasetError):
            raise
        raise DatasetError(_no_answer(name)) from error


def _check_status(answer: Answer, name: str) -> None:
    code = answer.headers.get("X-Error-Code")
    if code == "GatedRepo":
        raise DatasetError(_gated(name))
    if answer.headers.get("X-Error-Message") == "Access to this resource is disabled.":
        raise DatasetError(f"The Hugging Face Hub has disabled {name}.")
    # A visitor without an account is told 401 of what does not exist.
    if answer.status in (401, 404):
        raise DatasetError(_unknown(name))
    if answer.status != 200:
        raise DatasetError(_no_answer(name))


def _read_info(info: dict[str, Any], name: str) -> Repository:
    if info.get("gated"):
        raise DatasetError(_gated(name))
    # The Hub answers with the present name of a dataset that was renamed.
    present, commit = info["id"], info["sha"]
    if not is_name(present) or not re.fullmatch(r"\w{7,64}", commit, re.ASCII):
        raise DatasetError(_no_answer(name))
    card = info.get("cardData")
    files = [file["rfilename"] for file in info.get("siblings") or ()]
    kept = sorted(file for file in files if isinstance(file, str) and ".." not in file)
    return Repository(present, commit, tuple(kept), card if isinstance(card, dict) else {})


def _unknown(name: str) -> str:
    return (
        f"The Hugging Face Hub has no public dataset named {name}. Check the spelling; "
        "private datasets cannot be loaded here."
    )


def _gated(name: str) -> str:
    return (
        f"{name} is gated: its owner lets only registered people read it, and this page reads "
        "without an account. Download it yourself and upload the images."
    )


def _no_answer(name: str) -> str:
    return f"The Hugging Face Hub could not answer for {name}. Try again later."
