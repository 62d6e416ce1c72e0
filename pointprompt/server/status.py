"""What the status line says, as HTML: busy, done or failed.

Knows the words. Knows nothing of gradio or of who is told.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from pointprompt.types import Photo, Progress, Rejected

_STAGE_WORDS = {
    "start": "Starting",
    "download": "Downloading the backbone (MB)",
    "fetch": "Fetching images",
    "frames": "Taking frames out of the video",
    "read": "Reading images",
    "features": "Computing features",
    "cut": "Cutting all images together",
    "colors": "Drawing the colour view",
    "export": "Writing masks",
    "upload": "Uploading (MB)",
    "commit": "Publishing",
    "open": "Opening",
}
# Stages in which somebody waits for others, whose number is the total: one of them, and several.
_WAITING_FOR = {
    "wait": ("analysis", "analyses"),
    "wait_export": ("download", "downloads"),
}
_DISMISS = '<button type="button" class="pp-dismiss" aria-label="Close"></button>'
# Where in the whole bar each stage begins and how much of it it takes.
_STAGE_SPANS = {
    "start": (0.0, 0.0),
    "download": (0.0, 1.0),
    "fetch": (0.0, 0.05),
    "frames": (0.0, 0.05),
    "read": (0.05, 0.05),
    "features": (0.1, 0.7),
    "cut": (0.8, 0.15),
    "colors": (0.95, 0.05),
    "export": (0.0, 1.0),
    "upload": (0.0, 1.0),
    "commit": (1.0, 0.0),
    "open": (1.0, 0.0),
}


def idle() -> str:
    """Nothing to say."""
    return ""


def busy(progress: Progress, seconds_left: float | None) -> str:
    """The stage, the images done and the time left; or how many come before."""
    if progress.stage in _WAITING_FOR:
        return _bar(0, _place(progress.total, *_WAITING_FOR[progress.stage]))
    begin, span = _STAGE_SPANS[progress.stage]
    share = begin + span * progress.done / max(progress.total, 1)
    text = _STAGE_WORDS[progress.stage]
    if progress.total > 1:
        text += f": {progress.done} of {progress.total}"
    if seconds_left is not None:
        text += f", {_duration(seconds_left)} left"
    return _bar(share, text)


def stage_words(progress: Progress) -> str:
    """What is done now, in words without a number."""
    if progress.stage in _WAITING_FOR:
        return _place(progress.total, *_WAITING_FOR[progress.stage])
    return _STAGE_WORDS[progress.stage]


def done(text: str, rejected: Sequence[Rejected] = (), link: tuple[str, str] | None = None) -> str:
    """It worked; images that could not be used are listed with the reason.

    Args:
        text: What is to be said.
        rejected: Those images.
        link: What the text ends with, and the address that it leads to.
    """
    said = escape(text) + (_link(*link) if link else "")
    return f'<div class="pp-line pp-done" role="status">{said}</div>' + _list(rejected) + _DISMISS


def _link(text: str, address: str) -> str:
    opens = 'target="_blank" rel="noopener noreferrer"'
    return f' <a href="{escape(address)}" {opens}>{escape(text)}</a>'


def remarks(photos: Sequence[Photo]) -> str:
    """What is to be said of photos that were read with a caveat; nothing where there is none."""
    rows = [(photo.name, photo.remark) for photo in photos if photo.remark]
    return _details("pp-remarks", rows, "read with a remark")


def failed(text: str) -> str:
    """It did not work, and what to do."""
    return f'<div class="pp-line pp-failed" role="alert">{escape(text)}</div>' + _DISMISS


def stopped(text: str) -> str:
    """It was cancelled, as asked."""
    return f'<div class="pp-line pp-stopped" role="status">{escape(text)}</div>' + _DISMISS


def _place(before: int, one: str, several: str) -> str:
    if before == 0:
        return "Waiting: you are next"
    return f"Waiting: {before} {one if before == 1 else several} before yours"


def _bar(share: float, text: str) -> str:
    percent = round(100 * share)
    return (
        '<div class="pp-busy">'
        f'<div class="pp-line" role="status">{escape(text)}</div>'
        f'<div class="pp-bar" role="progressbar" aria-label="Progress" aria-valuemin="0" '
        f'aria-valuemax="100" aria-valuenow="{percent}"><i style="width: {percent}%"></i></div>'
        "</div>"
    )


def _list(rejected: Sequence[Rejected]) -> str:
    rows = [(one.name, one.reason) for one in rejected]
    return _details("pp-rejected", rows, "could not be used", " open")


def _details(kind: str, rows: Sequence[tuple[str, str]], what: str, opened: str = "") -> str:
    """Images, each with a sentence, below how many they are."""
    if not rows:
        return ""
    items = "".join(
        f"<li><strong>{escape(name)}</strong>: {escape(said)}</li>" for name, said in rows
    )
    count = "1 image" if len(rows) == 1 else f"{len(rows)} images"
    return (
        f'<details class="pp-listed {kind}"{opened}><summary>{count} {what}</summary>'
        f"<ul>{items}</ul></details>"
    )


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"about {max(1, round(seconds))} s"
    return f"about {round(seconds / 60)} min"
