"""What the status line says of a job that came to nothing.

Knows errors. Does not know what was being done, nor widgets.
"""

from __future__ import annotations

import errno
import logging
from typing import Any

from pointprompt.server import status
from pointprompt.server.jobs import Cancelled, Job
from pointprompt.server.recalls import NotRecalled
from pointprompt.server.service import GONE
from pointprompt.server.session import SessionGone

_log = logging.getLogger(__name__)

# What the system says where there is no room on a disk, or none of it is left for this program.
_DISK_IS_FULL = (errno.ENOSPC, errno.EDQUOT)


def failure_of(job: Job[Any], cancelled: str) -> str:
    """What the status line says of a job that came to nothing; empty for one that did its work."""
    try:
        job.result()
    except Cancelled:
        return status.stopped(cancelled)
    except Exception as error:
        return status.failed(sentence_of(error))
    return ""


def sentence_of(error: Exception) -> str:
    """What to say of an error; those of the core are sentences already."""
    if isinstance(error, SessionGone):
        return str(error) if isinstance(error, NotRecalled) else GONE
    if isinstance(error, MemoryError):
        return "There is not enough memory for this. Try fewer images, or a smaller backbone."
    if isinstance(error, OSError) and error.errno in _DISK_IS_FULL:
        return (
            "The disk of the server is full. Nothing is lost: try fewer or smaller images, or try "
            "again later."
        )
    if isinstance(error, OSError):
        # Without its path, which is the server's affair.
        return f"The server could not read or write a file: {error.strerror or 'it is damaged'}."
    if isinstance(error, ValueError):
        return str(error)
    _log.error("A mistake of this program", exc_info=error)
    return (
        f"This is a mistake of the program ({type(error).__name__}), which the server has noted in "
        "its log. Your images and clicks are still here."
    )
