"""A visitor without a browser: speaks to the page's server as the page does, over HTTP.

Knows the protocol of gradio's pages and the messages of `ui.wire`. Knows nothing of what is asked
for, nor how often.
"""

from __future__ import annotations

import base64
import json
import secrets
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from gradio_client.utils import apply_diff

from pointprompt.types import BoolArray

_SECONDS = 120.0


class Refused(Exception):
    """The server answered, but not with what was asked for."""


class Visitor:
    """One tab.

    Attributes:
        manifest: Of the set that is shown; None before the first analysis.
        statuses: What the status line said, the newest last.
    """

    def __init__(self, url: str) -> None:
        """Open the page.

        Raises:
            httpx.HTTPError: The server does not answer.
        """
        self.http = httpx.Client(base_url=url, timeout=_SECONDS)
        self.http.get("/").raise_for_status()
        config = self.http.get("/config").raise_for_status().json()
        self._hash = secrets.token_hex(6)
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

    def analyze(self, files: Sequence[Path]) -> str:
        """Upload and analyse; what the status line says at the end.

        Raises:
            httpx.HTTPError: The server went away.
            Refused: It answered with an error of its own.
        """
        uploaded = self.upload(files)
        inputs = self._inputs("pp-analyze", "click")
        values = [self._props[i].get("value") for i in inputs[:-1]]
        self.trigger("pp-analyze", "click", [*values, uploaded])
        return self.statuses[-1] if self.statuses else ""

    def trigger(self, element: str, event: str, data: list[Any], event_data: Any = None) -> None:
        """Fire an event of an element and follow it to its end.

        Raises:
            httpx.HTTPError: The server went away.
            Refused: It answered with an error of its own.
        """
        dependency = self._dependency(element, event)
        body = {
            "data": data,
            "event_data": event_data,
            "fn_index": dependency["id"],
            "session_hash": self._hash,
            "trigger_id": self._components[element],
        }
        _checked(self.http.post("/gradio_api/queue/join", json=body))
        outputs: list[Any] = []
        with self.http.stream(
            "GET", "/gradio_api/queue/data", params={"session_hash": self._hash}
        ) as stream:
            for line in stream.iter_lines():
                if not line.startswith("data:"):
                    continue
                message = json.loads(line[5:])
                if message["msg"] == "process_generating":
                    data = message["output"].get("data", [])
                    outputs = (
                        [apply_diff(a, b) for a, b in zip(outputs, data, strict=True)]
                        if outputs
                        else data
                    )
                    self._show(dependency, outputs)
                elif message["msg"] == "process_completed":
                    if not message.get("success", True):
                        raise Refused(str(message.get("output")))
                    return
                elif message["msg"] == "unexpected_error":
                    raise Refused(str(message.get("message")))

    def predict(self, clicks: Sequence[dict[str, Any]], *, seconds: float = _SECONDS) -> Any:
        """The server's answer to a prompt.

        Raises:
            httpx.HTTPError: It was lost.
            Refused: It is no answer.
        """
        assert self.manifest is not None
        self._seq += 1
        message = {
            "session": self.manifest["session"],
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
        bits = np.unpackbits(
            np.frombuffer(zlib.decompress(base64.b64decode(answer["masks"])), np.uint8)
        )
        return bits[: n * h * w].reshape(n, h, w).astype(bool)

    def _show(self, dependency: dict[str, Any], outputs: Sequence[Any]) -> None:
        for component, value in zip(dependency["outputs"], outputs, strict=False):
            shown = value.get("value", value) if isinstance(value, dict) else value
            if component == self._components["pp-canvas"] and isinstance(shown, dict):
                if "images" in shown:
                    self.manifest = shown
            elif component == self._components["pp-status"] and isinstance(shown, str):
                self.statuses.append(shown)

    def _dependency(self, element: str, event: str) -> dict[str, Any]:
        target = [self._components[element], event]
        return next(d for d in self._dependencies if target in [list(t) for t in d["targets"]])

    def _inputs(self, element: str, event: str) -> list[int]:
        return list(self._dependency(element, event)["inputs"])


def _checked(answer: httpx.Response) -> Any:
    if answer.status_code != 200:
        raise Refused(f"{answer.status_code}: {answer.text[:200]}")
    return answer.json()
