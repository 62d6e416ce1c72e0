"""Files of a data set -> a data set on the Hugging Face Hub, by one commit, with its owner's token.

Knows how the Hub is written to; `sources.hub` reads it, without any token. No token is taken but
the one that is handed in: this computer's own is nobody's to use. Does not know what is in the
files, nor who asks.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pointprompt.formats.prompt_json import PROMPT_FILE
from pointprompt.sources.hub.repository import is_name
from pointprompt.types import Progress, ProgressFn

if TYPE_CHECKING:
    from huggingface_hub import HfApi

# The stage in which the commit is made, which cannot be undone.
COMMIT_STAGE = "commit"
MAX_TOKEN_CHARS = 500
_TOKEN = re.compile(rf"[!-~]{{1,{MAX_TOKEN_CHARS}}}")
_SHARD = re.compile(r"data/train-\d{5}-of-\d{5}\.parquet")
# What a data set may hold that nobody has put data into.
_BEGINNINGS = frozenset([".gitattributes", "README.md"])
_MESSAGE = "Masks made with pointprompt"
_TIMEOUT = 10.0
_MEGABYTE = 1_000_000


class PushError(ValueError):
    """The files are not on the Hub; the message says why and what to do."""


class HubDataset:
    """A data set on the Hub that somebody wants to write, or to have."""

    def __init__(self, name: str, token: str, *, private: bool) -> None:
        """Ask nobody yet.

        Args:
            name: `owner/name`, or a name alone for the token's owner.
            token: One that may write there.
            private: Whether only its owner is to see it.

        Raises:
            PushError: There can be no such name or token.
        """
        # Here, since a server that starts need not wait for it.
        from huggingface_hub import HfApi, constants

        self.name = name.strip().removeprefix(f"{constants.ENDPOINT}/").removeprefix("datasets/")
        if not is_name(self.name):
            raise PushError(_NO_NAME)
        # Without one, the Hub's client would look for that of this computer.
        if not _TOKEN.fullmatch(token.strip()):
            raise PushError("Give an access token of yours that may write, as the Hub shows it.")
        self._private = private
        self._api: HfApi = HfApi(token=token.strip())

    @property
    def address(self) -> str:
        """Of its page."""
        return f"{self._api.endpoint}/datasets/{self.name}"

    def check(self) -> None:
        """Ask whether it can be written, as far as that can be told before it is.

        Raises:
            PushError: It cannot, or the Hub cannot be reached.
        """
        with self._in_words():
            found = self._api.whoami()
            if "/" not in self.name:
                self.name = f"{found['name']}/{self.name}"
            role = ((found.get("auth") or {}).get("accessToken") or {}).get("role")
            if role == "read":
                raise PushError("This token may only read. Make one that may write.")
            self._found()

    def upload(self, folder: Path, progress: ProgressFn) -> None:
        """Write all files of a folder into it, by one commit; those of an earlier push go.

        Args:
            folder: With `prompt.json`, which tells the next push that the data set is ours.
            progress: Told of every part that is sent, in the stage "upload" as MB, and then of
                COMMIT_STAGE; it may raise to cancel before that.

        Raises:
            PushError: It was not written; of a new data set there is then no more than its name.
            OSError: A file cannot be read.
        """
        from huggingface_hub import CommitOperationAdd, CommitOperationDelete

        paths = sorted(path for path in folder.rglob("*") if path.is_file())
        total = sum(path.stat().st_size for path in paths)
        telling = _Telling(progress, total)
        with self._in_words(telling), ExitStack() as stack:
            telling.read(0)
            self._api.create_repo(
                self.name, repo_type="dataset", private=self._private, exist_ok=True
            )
            commit, files = self._found() or ("", ())
            additions = []
            for path in paths:
                file = stack.enter_context(_Read(path))
                name = path.relative_to(folder).as_posix()
                additions.append(CommitOperationAdd(name, file))
                # What is read from here on is on its way, and no more only measured.
                file.tell_of = telling.read
            for addition in additions:
                self._api.preupload_lfs_files(self.name, [addition], repo_type="dataset")
            names = {addition.path_in_repo for addition in additions}
            old = [name for name in files if _SHARD.fullmatch(name) and name not in names]
            telling.commit()
            self._api.create_commit(
                self.name,
                [*map(CommitOperationDelete, old), *additions],
                commit_message=_MESSAGE,
                repo_type="dataset",
                # Whatever came in between was not looked at.
                parent_commit=commit or None,
            )

    def _found(self) -> tuple[str, Sequence[str]] | None:
        """Its newest commit and its files, as the Hub has it now; None where it has none.

        Raises:
            PushError: It is not one that may be written.
        """
        from huggingface_hub.errors import RepositoryNotFoundError

        try:
            info = self._api.dataset_info(self.name, timeout=_TIMEOUT)
        except RepositoryNotFoundError:
            return None
        files = [file.rfilename for file in info.siblings or ()]
        if self._private and not info.private:
            raise PushError(
                f"There is a data set {self.name} already, and everybody can see it. Choose "
                "another name, or push without keeping it private."
            )
        if PROMPT_FILE not in files and not _BEGINNINGS.issuperset(files):
            raise PushError(
                f"There is a data set {self.name} already that was not made here. Choose another "
                "name: what is in it would be replaced."
            )
        return info.sha or "", files

    @contextmanager
    def _in_words(self, telling: _Telling | None = None) -> Iterator[None]:
        """Have what goes wrong with the Hub said in a sentence, in which there is no token."""
        try:
            yield
        except PushError:
            raise
        except Exception as error:
            if telling is not None and telling.raised is not None:
                raise telling.raised from None
            # Of a file that did not get there, the Hub's client says no more than that.
            cause = error.__cause__ if isinstance(error, RuntimeError) else error
            if isinstance(cause, OSError) and cause.errno is not None:
                raise cause from None
            raise PushError(_sentence(cause).format(name=self.name)) from None


_NO_NAME = (
    "A data set's name has the form owner/name, or name alone for one of your own: letters, "
    "digits, and . _ - between them."
)
_NO_ANSWER = "The Hugging Face Hub could not answer. Try again later."
_NOT_REACHED = (
    "The Hugging Face Hub cannot be reached from this server. Try again later, or download the "
    "data set and upload it yourself."
)
_NO_RIGHT = (
    "With this token nothing may be written to {name}. It must have the right to write, and you "
    "must be the owner or a member who may."
)
_MEANWHILE = "{name} was changed by somebody else at the same time. Push again."
# What an answer of the Hub that is none means, by its status.
_REFUSALS = {
    400: "The Hugging Face Hub does not take {name}: try another name.",
    401: "The Hugging Face Hub does not know this token. Copy it whole, or make another one there.",
    402: _NO_RIGHT,
    403: _NO_RIGHT,
    404: _NO_RIGHT,
    409: _MEANWHILE,
    412: _MEANWHILE,
    413: "The data set is too large for the Hugging Face Hub.",
    429: "The Hugging Face Hub asks for a pause. Push again in some minutes.",
}


def _sentence(error: BaseException | None) -> str:
    """What to say of an error of the Hub's client."""
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, OfflineModeIsEnabled

    if isinstance(error, OfflineModeIsEnabled):
        return "This server is set to work offline (HF_HUB_OFFLINE)."
    if isinstance(error, HfHubHTTPError):
        return _REFUSALS.get(error.response.status_code, _NO_ANSWER)
    if isinstance(error, HFValidationError):
        return _NO_NAME
    if isinstance(error, (ValueError, LookupError, TypeError, AttributeError)):
        return _NO_ANSWER
    # Connections fail with the classes of whichever HTTP library the client uses.
    return _NOT_REACHED


class _Read(io.BufferedReader):
    """A file that says how far it was read.

    As such a file, and not by its path, it is sent by plain HTTP, which can be stopped midway.
    """

    tell_of: Callable[[int], None] | None = None

    def __init__(self, path: Path) -> None:
        super().__init__(io.FileIO(path))

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        if self.tell_of is not None:
            self.tell_of(len(data))
        return data


class _Telling:
    """Tells how much is sent, and remembers what its listener raises for that to come out as it is.

    Attributes:
        raised: What the listener raised.
    """

    def __init__(self, progress: ProgressFn, total: int) -> None:
        self.raised: BaseException | None = None
        self._progress = progress
        self._total = total
        self._sent = 0
        self._is_last = False

    def read(self, nbytes: int) -> None:
        """So much more is on its way."""
        if self._is_last:
            return
        # What has to be sent twice is not twice as much.
        self._sent = min(self._sent + nbytes, self._total)
        self._tell(Progress("upload", *(-(-n // _MEGABYTE) for n in (self._sent, self._total))))

    def commit(self) -> None:
        """From here on there is no way back."""
        self._is_last = True
        self._tell(Progress(COMMIT_STAGE, 0, 1))

    def _tell(self, progress: Progress) -> None:
        try:
            self._progress(progress)
        except BaseException as error:
            self.raised = error
            raise
