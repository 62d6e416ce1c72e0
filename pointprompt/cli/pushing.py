"""A data set that was written into a folder -> the Hugging Face Hub, with the person's own token.

Knows where that token is found, and what lies where in the folder. Does not know how it got there.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from pointprompt.formats.hub_push import HubDataset, PushError
from pointprompt.formats.parquet import FOLDER
from pointprompt.formats.prompt_json import PROMPT_FILE
from pointprompt.types import ProgressFn, tell_nobody


def target(name: str, *, public: bool) -> HubDataset:
    """The data set that is to be written, which can be as far as that can be told before it is.

    Args:
        name: As for `HubDataset`.
        public: Whether everybody is to see it.

    Raises:
        PushError: It cannot, or this computer has no token.
    """
    from huggingface_hub import get_token

    token = get_token()
    if not token:
        raise PushError(
            "To write to the Hugging Face Hub, show who you are by HF_TOKEN or `hf auth login`."
        )
    found = HubDataset(name, token, private=not public)
    found.check()
    return found


def push(to: HubDataset, out: Path, progress: ProgressFn | None = None) -> None:
    """Write the data set in a folder of results, and the `prompt.json` beside it, to the Hub.

    Args:
        to: Of `target`.
        out: With what the format `parquet` writes.
        progress: As for `HubDataset.upload`.

    Raises:
        PushError: As for `HubDataset.upload`.
        OSError: A file cannot be read.
    """
    with tempfile.TemporaryDirectory(prefix="pointprompt-push-") as folder:
        files = {file.relative_to(out / FOLDER): file for file in (out / FOLDER).rglob("*")}
        files[Path(PROMPT_FILE)] = out / PROMPT_FILE
        for name, file in files.items():
            if file.is_file():
                (Path(folder) / name).parent.mkdir(exist_ok=True)
                (Path(folder) / name).symlink_to(file.absolute())
        to.upload(Path(folder), progress or tell_nobody)
