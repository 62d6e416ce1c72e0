"""The options of the command, from its line or the environment, each checked before it is used.

Knows options, devices, and the places of this computer to listen at and to keep data. Does not know
what is served.
"""

from __future__ import annotations

import argparse
import errno
import math
import os
import socket
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from pointprompt import backbones

_LOCALHOST = "127.0.0.1"
# As `socket.getaddrinfo` gives it.
_Place = tuple[socket.AddressFamily, socket.SocketKind, int, str, Any]


class _Limit(NamedTuple):
    """An option that is a number within a range."""

    flag: str
    default: str
    most: int
    help: str
    is_whole: bool = False

    @property
    def variable(self) -> str:
        """The environment variable that holds its default."""
        return "POINTPROMPT_" + self.flag.strip("-").replace("-", "_").upper()

    @property
    def least(self) -> float:
        return 1 if self.is_whole else 0.01

    def read(self, text: str) -> float:
        """The number.

        Raises:
            ValueError: It is none, or not within the range.
        """
        try:
            value = int(text) if self.is_whole else float(text)
        except ValueError:
            value = math.nan
        if not self.least <= value <= self.most:
            kind = "a whole number" if self.is_whole else "a number"
            raise ValueError(
                f"{self.flag} (or {self.variable}) must be {kind} from {self.least:g} to "
                f"{self.most}, not {text[:40]!r}."
            )
        return value


_MAX_IMAGES = _Limit("--max-images", "100", 10_000, "in one set", is_whole=True)
_MAX_MEGAPIXELS = _Limit("--max-megapixels", "120", 10_000, "of one image")
_MAX_FILE_MB = _Limit("--max-file-mb", "200", 1_000_000, "megabytes of one uploaded file")
_MAX_UPLOAD_MB = _Limit("--max-upload-mb", "2000", 1_000_000, "megabytes of one upload's files")
_MAX_SESSION_GIB = _Limit("--max-session-gib", "4", 1_000_000, "memory for all analyses together")
_STORE_GB = _Limit("--store-gb", "20", 1_000_000, "gigabytes of disk for analyses that are kept")
_LIMITS = (
    _MAX_IMAGES,
    _MAX_MEGAPIXELS,
    _MAX_FILE_MB,
    _MAX_UPLOAD_MB,
    _MAX_SESSION_GIB,
    _STORE_GB,
)
_ON, _OFF = ("1", "true", "yes", "on"), ("", "0", "false", "no", "off")
# A Space's lasting storage, where its owner pays for some.
_SPACE_DATA = Path("/data")


class Options(NamedTuple):
    """What was asked for, checked."""

    host: str
    port: int | None
    max_images: int
    max_megapixels: float
    max_file_mb: float
    max_upload_mb: float
    max_session_gib: float
    store: Path | None = None
    store_gb: float = 20
    mcp: bool = False


def option_parser() -> argparse.ArgumentParser:
    """Of everything as text; `checked` reads it, wherever it comes from."""

    def default(variable: str, otherwise: str = "") -> str:
        return os.environ.get(variable, "").strip() or otherwise

    options = _Parser(
        prog="pointprompt",
        description="Serve the page on which a click in one photo masks the thing in all of them.",
        epilog="The environment variables GRADIO_SERVER_NAME, GRADIO_SERVER_PORT, "
        "POINTPROMPT_DEVICE, POINTPROMPT_STORE, POINTPROMPT_NO_STORE, POINTPROMPT_MCP, "
        + ", ".join(limit.variable for limit in _LIMITS[:-1])
        + f" and {_LIMITS[-1].variable} are the defaults of these options.",
    )
    options.add_argument(
        "--host",
        default=default("GRADIO_SERVER_NAME", _LOCALHOST),
        help="address to listen on (default: this machine only)",
    )
    options.add_argument(
        "--port",
        default=default("GRADIO_SERVER_PORT"),
        help="default: the first free one from 7860 on",
    )
    options.add_argument(
        "--device",
        default=default("POINTPROMPT_DEVICE"),
        help="cuda, mps or cpu (default: the best there is)",
    )
    options.add_argument(
        "--store",
        metavar="FOLDER",
        default=default("POINTPROMPT_STORE"),
        help="where analyses and their images are kept, so that the same images are ready at once "
        "(default: a folder of the user's data; on a Space in /data, if that is there)",
    )
    options.add_argument(
        "--no-store",
        action="store_const",
        const=_ON[0],
        default=default("POINTPROMPT_NO_STORE"),
        help="keep nothing beyond its session",
    )
    options.add_argument(
        "--mcp",
        action="store_const",
        const=_ON[0],
        default=default("POINTPROMPT_MCP"),
        help="offer the endpoints of the API to assistants as well, as tools (needs the package "
        "mcp)",
    )
    for limit in _LIMITS:
        options.add_argument(
            limit.flag,
            default=default(limit.variable, limit.default),
            help=f"{limit.help} (default: %(default)s)",
        )
    return options


def checked(options: argparse.Namespace) -> Options:
    """The options, each in its range; the device is left to the environment.

    Raises:
        ValueError: One is not, or the place to listen at cannot be had.
    """
    port = _port(options.port)
    checked = Options(
        host=options.host,
        port=port,
        max_images=int(_MAX_IMAGES.read(options.max_images)),
        max_megapixels=_MAX_MEGAPIXELS.read(options.max_megapixels),
        max_file_mb=_MAX_FILE_MB.read(options.max_file_mb),
        max_upload_mb=_MAX_UPLOAD_MB.read(options.max_upload_mb),
        max_session_gib=_MAX_SESSION_GIB.read(options.max_session_gib),
        store=None if _is_on(options.no_store, "POINTPROMPT_NO_STORE") else _store(options.store),
        store_gb=_STORE_GB.read(options.store_gb),
        mcp=_mcp(options.mcp),
    )
    device = options.device.strip().lower()
    if device not in ("", "cpu"):  # torch, which knows, takes seconds to import.
        backbones.pick_device(device)
    os.environ["POINTPROMPT_DEVICE"] = device
    _check_listening(options.host, port)
    return checked


def _is_on(text: str, variable: str) -> bool:
    """Whether a switch is on, which a variable of the environment may say.

    Raises:
        ValueError: That is not said.
    """
    if text.lower() not in (*_ON, *_OFF):
        raise ValueError(f"{variable} must be 1 or 0, not {text[:40]!r}.")
    return text.lower() in _ON


def _mcp(text: str) -> bool:
    """Whether assistants are served.

    Raises:
        ValueError: That is not said, or the package for it is not here.
    """
    is_on = _is_on(text, "POINTPROMPT_MCP")
    if is_on and find_spec("mcp") is None:
        raise ValueError(
            "--mcp needs a package that is not installed: pip install 'pointprompt[mcp]', or "
            "pip install mcp."
        )
    return is_on


def _store(text: str) -> Path | None:
    """The folder for analyses, by where it is from the root; None where nothing lasts."""
    if text:
        return Path(text).expanduser().absolute()
    if os.environ.get("SPACE_ID"):
        return _SPACE_DATA / "pointprompt" / "store" if _SPACE_DATA.is_dir() else None
    if sys.platform == "darwin":
        data = Path("~/Library/Application Support")
    else:
        data = Path(os.environ.get("XDG_DATA_HOME") or "~/.local/share")
    try:
        return data.expanduser().absolute() / "pointprompt" / "store"
    except RuntimeError:  # This user has no home.
        return None


def _port(text: str) -> int | None:
    if not text:
        return None
    port = int(text) if text.isascii() and text.isdigit() and len(text) <= 5 else 0
    if not 1 <= port <= 65535:
        raise ValueError(
            f"--port (or GRADIO_SERVER_PORT) must be a whole number from 1 to 65535, "
            f"not {text[:40]!r}."
        )
    return port


def _check_listening(host: str, port: int | None) -> None:
    """Try to listen there, and have gradio try in the same place.

    Raises:
        ValueError: That cannot be done.
    """
    try:
        places = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise ValueError(
            f"--host (or GRADIO_SERVER_NAME) must be an address of this computer, "
            f"not {host[:80]!r}: {error}"
        ) from error
    problems = [problem for problem in map(_problem_at, places) if problem]
    # A name may stand for addresses of which one is not in use here, such as that of IPv6.
    is_taken = any(problem.errno == errno.EADDRINUSE for problem in problems)
    if is_taken or len(problems) == len(places):
        where = f"port {port} of {host}" if port else host
        raise ValueError(
            f"Cannot listen on {where}: {problems[0].strerror or problems[0]}. "
            "--host and --port say where else."
        )
    # gradio looks whether a port is free at this address, which must be one of IPv4.
    is_ipv4 = any(place[0] == socket.AF_INET for place in places)
    os.environ["GRADIO_SERVER_NAME"] = host if is_ipv4 else _LOCALHOST
    os.environ.pop("GRADIO_SERVER_PORT", None)


def _problem_at(place: _Place) -> OSError | None:
    """What prevents listening there, as the server will; None where nothing does."""
    family, kind, protocol, _, address = place
    try:
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            probe.bind(address)
    except OSError as error:
        return error
    return None


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in a sentence, without the list of all options before it."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}\n")
