"""A visitor without a browser: speaks to the page's server as the page does, over HTTP.

Knows the protocol of gradio's pages and the messages of `server.wire`. Knows nothing of what is
asked for, nor how often.
"""

from __future__ import annotations

import base64
import json
import re
import secrets
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from gradio_client.utils import apply_diff

from pointprompt.types import BoolArray

_SECONDS = 120.0


class Refused(Exception):
    """The server answered, but not with what was asked for."""


@dataclass(frozen=True)
class Told:
    """What the page is told at one time.

    Attributes:
        status: The words of the status line.
        failed: Whether they are those of a failure.
        session: The session to show; empty before the first.
    """

    status: str
    failed: bool
    session: str


class Visitor:
    """One tab.

    Attributes:
        http: What its browser sends and keeps.
        manifest: Of the set that is shown; None before the first analysis.
        statuses: What the status line showed, as HTML, the newest last.
    """

    def __init__(self, url: str, name: str = "", *, keeps_cookies: bool = True) -> None:
        """Open the page.

        Args:
            url: Of the page.
            name: By which the page is known; the Hub's name for whose quota it is, on ZeroGPU.
            keeps_cookies: Else a session's token alone opens it, for anyone.

        Raises:
            httpx.HTTPError: The server does not answer.
        """
        self._hash = name or secrets.token_hex(6)
        jar = None if keeps_cookies else CookieJar(DefaultCookiePolicy(allowed_domains=[]))
        self.http = httpx.Client(
            base_url=url, timeout=_SECONDS, cookies=jar, headers={"X-IP-Token": self._hash}
        )
        self.http.get("/").raise_for_status()
        config = self.http.get("/config").raise_for_status().json()
        self._components = {c["props"].get("elem_id"): c["id"] for c in config["components"]}
        self._dependencies = config["dependencies"]
        self._props = {c["id"]: c["props"] for c in config["components"]}
        self.manifest: dict[str, Any] | None = None
        self.statuses: list[str] = []
        self._seq = 0

    def close(self) -> None:
        """Close the tab."""
        self.http.close()

    def upload(self, files: Sequence[Path]) -> list[dict[str, Any]]:
        """The files, as the page's upload field then knows them."""
        parts = [("files", (file.name, file.read_bytes())) for file in files]
        answer = self.http.post("/gradio_api/upload", files=parts)
        paths = _checked(answer)
        return [
            {"path": path, "orig_name": file.name, "meta": {"_type": "gradio.FileData"}}
            for path, file in zip(paths, files, strict=True)
        ]

    def analyze(self, files: Sequence[Path], **choice: Any) -> list[Told]:
        """Upload and analyse; all that the page was told. As `analyzing`."""
        return list(self.analyzing(files, **choice))

    def analyzing(
        self,
        files: Sequence[Path],
        *,
        backbone: str = "",
        input_size: int | None = None,
        every: int = 1,
    ) -> Iterator[Told]:
        """Upload and analyse; what the page is told, when it is told.

        Args:
            files: The photos.
            backbone: "" takes what the page offers.
            input_size: In pixels; None takes the backbone's own.
            every: Of so many frames of a video one is taken.

        Raises:
            httpx.HTTPError: The server went away.
            Refused: It answered with an error of its own.
        """
        uploaded = self.upload(files)
        inputs = self._dependency("pp-analyze", "click")["inputs"]
        name, size, *details = (self._props[i].get("value") for i in inputs[:-2])
        size = size if input_size is None else input_size
        data = [backbone or name, size, *details, uploaded, every]
        yield from self.following("pp-analyze", "click", data)

    def adding(self, files: Sequence[Path]) -> Iterator[Told]:
        """As `analyzing`, of photos that join the set that was analysed."""
        yield from self.following("pp-add", "click", [self.upload(files), 1])

    def cancel(self) -> None:
        """Press the button that cancels."""
        body = self._event("pp-cancel", "click", [], None)
        self.http.post("/gradio_api/run/predict", json=body).raise_for_status()

    def following(
        self, element: str, event: str, data: list[Any], event_data: Any = None
    ) -> Iterator[Told]:
        """Fire an event of an element and follow it to its end.

        Raises:
            httpx.HTTPError: The server went away.
            Refused: It answered with an error of its own.
        """
        body = self._event(element, event, data, event_data)
        _checked(self.http.post("/gradio_api/queue/join", json=body))
        shown = self._dependency(element, event)["outputs"]
        outputs: list[Any] = []
        with self.http.stream(
            "GET", "/gradio_api/queue/data", params={"session_hash": self._hash}
        ) as stream:
            for line in stream.iter_lines():
                if not line.startswith("data:"):
                    continue
                message = json.loads(line[5:])
                if message["msg"] == "process_generating":
                    outputs = _changed(outputs, message["output"].get("data", []))
                    yield self._show(dict(zip(shown, outputs, strict=False)))
                elif message["msg"] == "process_completed":
                    if not message.get("success", True):
                        raise Refused(str(message.get("output")))
                    if not outputs:  # It came to its end in one step.
                        yield self._show(dict(zip(shown, message["output"]["data"], strict=False)))
                    return
                elif message["msg"] == "unexpected_error":
                    raise Refused(str(message.get("message")))

    def predict(
        self, clicks: Sequence[dict[str, Any]], *, session: str = "", seconds: float = _SECONDS
    ) -> Any:
        """The server's answer to a prompt.

        Args:
            clicks: As the page sends them.
            session: "" takes the one that is shown.
            seconds: It may take.

        Raises:
            httpx.HTTPError: It was lost.
            Refused: It is no answer.
        """
        self._seq += 1
        message = {
            "session": session or self._session(),
            "seq": self._seq,
            "clicks": list(clicks),
            "settings": {},
        }
        answer = self.send("predict", message, seconds=seconds)
        if not isinstance(answer, dict) or answer.get("seq") != self._seq:
            raise Refused("The answer is not to this request.")
        return answer

    def send(self, function: str, message: Any, *, seconds: float = _SECONDS) -> Any:
        """What one of the canvas's functions on the server answers to any message."""
        body = {
            "session_hash": self._hash,
            "component_id": self._components["pp-canvas"],
            "fn_name": function,
            "data": message,
        }
        # Not by httpx, which writes no NaN: a hostile page may.
        answer = self.http.post(
            "/gradio_api/component_server",
            content=json.dumps(body).encode("utf-8", "surrogatepass"),
            headers={"Content-Type": "application/json"},
            timeout=seconds,
        )
        return _checked(answer)

    def masks(self, answer: dict[str, Any]) -> BoolArray:
        """The masks (n, h, w) bool in an answer of `predict`."""
        assert self.manifest is not None
        n, (h, w) = len(self.manifest["images"]), self.manifest["grid"]
        return bits_of(answer)[: n * h * w].reshape(n, h, w)

    def _event(self, element: str, event: str, data: list[Any], event_data: Any) -> dict[str, Any]:
        return {
            "data": data,
            "event_data": event_data,
            "fn_index": self._dependency(element, event)["id"],
            "session_hash": self._hash,
            "trigger_id": self._components[element],
        }

    def _show(self, outputs: dict[int, Any]) -> Told:
        """Take note of the values of components, and of nothing that only changes how they look."""
        manifest = outputs.get(self._components["pp-canvas"])
        manifest = manifest.get("value", manifest) if isinstance(manifest, dict) else None
        if isinstance(manifest, dict) and "images" in manifest:
            self.manifest = manifest
        status = outputs.get(self._components["pp-status"])
        if isinstance(status, str):
            self.statuses.append(status)
        words = re.search(r'class="(pp-line[^"]*)"[^>]*>([^<]*)<', str(status))
        return Told(
            status=words.group(2) if words else "",
            failed=words is not None and "pp-failed" in words.group(1),
            session=self._session() if self.manifest else "",
        )

    def _session(self) -> str:
        assert self.manifest is not None
        return str(self.manifest["session"])

    def _dependency(self, element: str, event: str) -> dict[str, Any]:
        target = [self._components[element], event]
        return next(d for d in self._dependencies if target in [list(t) for t in d["targets"]])


def bits_of(answer: dict[str, Any]) -> BoolArray:
    """The masks of all images in an answer of `Visitor.predict`, one after another, flat."""
    packed = zlib.decompress(base64.b64decode(answer["masks"]))
    return np.unpackbits(np.frombuffer(packed, np.uint8)).astype(bool)


def _changed(outputs: list[Any], changes: list[Any]) -> list[Any]:
    """Values of components: the first ones come whole, the next as what is different."""
    if not outputs:
        return changes
    return [apply_diff(a, b) for a, b in zip(outputs, changes, strict=True)]


def _checked(answer: httpx.Response) -> Any:
    if answer.status_code != 200:
        raise Refused(f"{answer.status_code}: {answer.text[:200]}")
    return answer.json()
