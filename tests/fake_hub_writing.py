"""What the local Hub answers to those who write, as `huggingface_hub` asks it by plain HTTP."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.fake_hub import FakeHub

_INFO = re.compile(r"/api/datasets/(?P<name>[^/]+/[^/]+)")
_PREUPLOAD = re.compile(r"/api/datasets/(?P<name>[^/]+/[^/]+)/preupload/main")
_BATCH = re.compile(r"/datasets/(?P<name>[^/]+/[^/]+)\.git/info/lfs/objects/batch")
_COMMIT = re.compile(r"/api/datasets/(?P<name>[^/]+/[^/]+)/commit/main")


@dataclass
class Writing:
    """Data sets that are created and committed to, with tokens.

    Attributes:
        users: What the Hub says of who shows a token.
        refuses: Paths that are answered with a status, whoever asks.
        commits: Each as it was sent, its first line apart.
    """

    users: dict[str, dict[str, Any]] = field(default_factory=dict)
    refuses: dict[str, int] = field(default_factory=dict)
    commits: list[tuple[dict[str, Any], list[dict[str, Any]]]] = field(default_factory=list)
    _large: dict[str, bytes] = field(default_factory=dict)

    def add_user(self, token: str, name: str, role: str = "write") -> None:
        self.users[token] = {"name": name, "auth": {"accessToken": {"role": role}}}

    def answer(self, hub: FakeHub, request: BaseHTTPRequestHandler, path: str) -> bool:
        """Answer what is asked by who writes; False for what readers ask."""
        if request.command == "PUT":
            return self._keep(hub, request, path)
        user = self._user(request)
        private = _INFO.fullmatch(path)
        if private and request.command == "GET":
            told = hub.datasets.get(private["name"], {"private": True})
            owner = user.get("name") if private["name"] in hub.datasets else None
            if not told["private"] or private["name"].split("/")[0] == owner:
                return False
            # Who is known is told otherwise than who shows no token: 404, not 401.
            if user:
                hub.send_json(request, {"error": "no"}, 404, "RepoNotFound")
            return bool(user)
        if path == "/api/whoami-v2":
            self._send(hub, request, path, user, {} if user else None)
        elif request.command != "POST" or "/paths-info/" in path:
            return False
        else:
            body = request.rfile.read(int(request.headers["Content-Length"]))
            self._post(hub, request, path, body, user)
        return True

    def _post(
        self,
        hub: FakeHub,
        request: BaseHTTPRequestHandler,
        path: str,
        body: bytes,
        user: dict[str, Any],
    ) -> None:
        if path == "/api/validate-yaml":
            self._send(hub, request, path, {"errors": [], "warnings": []}, user)
        elif path == "/api/repos/create":
            self._create(hub, request, json.loads(body), user)
        elif path == "/lfs/verify":
            told = json.loads(body)
            assert len(self._large[told["oid"]]) == told["size"]
            self._send(hub, request, path, {}, user)
        elif found := _PREUPLOAD.fullmatch(path):
            modes = [
                {
                    "path": file["path"],
                    "uploadMode": "lfs" if file["path"].endswith(".parquet") else "regular",
                    "shouldIgnore": False,
                    "oid": None,
                }
                for file in json.loads(body)["files"]
            ]
            self._send(hub, request, path, {"files": modes}, self._may(user, found["name"]))
        elif found := _BATCH.fullmatch(path):
            objects = [self._instructions(hub, one) for one in json.loads(body)["objects"]]
            answer = {"transfer": "basic", "objects": objects}
            self._send(hub, request, path, answer, self._may(user, found["name"]))
        elif found := _COMMIT.fullmatch(path):
            self._commit(hub, request, path, body, self._may(user, found["name"]))
        else:
            hub.send_json(request, {"error": f"Nobody writes to {path}."}, 404)

    def _create(
        self,
        hub: FakeHub,
        request: BaseHTTPRequestHandler,
        asked: dict[str, Any],
        user: dict[str, Any],
    ) -> None:
        assert asked["type"] == "dataset"
        name = f"{asked['organization'] or user.get('name')}/{asked['name']}"
        is_private = asked.get("private", asked.get("visibility") == "private")
        address = {"url": f"{hub.endpoint}/datasets/{name}"}
        if name in hub.datasets and self._may(user, name) is not None:
            hub.send_json(request, {"error": "You have it already.", **address}, 409)
            return
        if self._may(user, name) and "/api/repos/create" not in self.refuses:
            hub.add(name, {".gitattributes": b"*.parquet filter=lfs"}, private=is_private)
        self._send(hub, request, "/api/repos/create", address, self._may(user, name))

    def _commit(
        self,
        hub: FakeHub,
        request: BaseHTTPRequestHandler,
        path: str,
        body: bytes,
        user: dict[str, Any] | None,
    ) -> None:
        head, *lines = map(json.loads, body.splitlines())
        name = path.removeprefix("/api/datasets/").removesuffix("/commit/main")
        told = hub.datasets[name]
        if head["value"].get("parentCommit", told["sha"]) != told["sha"]:
            hub.send_json(request, {"error": "The branch has moved on."}, 412)
            return
        if path in self.refuses or not user:
            self._send(hub, request, path, {}, user)
            return
        files = held(hub, name)
        for line in lines:
            value = line["value"]
            if line["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                files[value["path"]] = self._large[value["oid"]]
            else:
                assert line["key"] == "deletedFile"
                del files[value["path"]]
        self.commits.append((head["value"], lines))
        commit = hashlib.sha1(body + told["sha"].encode()).hexdigest()
        told |= {"sha": commit, "siblings": [{"rfilename": file} for file in files]}
        hub.datasets[f"{name}/revision/{commit}"] = told
        hub.files |= {(f"{name}@{commit}", file): data for file, data in files.items()}
        address = f"{hub.endpoint}/datasets/{name}/commit/{commit}"
        self._send(hub, request, path, {"commitOid": commit, "commitUrl": address}, user)

    def _keep(self, hub: FakeHub, request: BaseHTTPRequestHandler, path: str) -> bool:
        # It goes to a store of files, which a token is none of the business of.
        assert "Authorization" not in request.headers
        data = request.rfile.read(int(request.headers["Content-Length"]))
        if len(data) < int(request.headers["Content-Length"]):
            return True  # Whoever sent it has stopped.
        if path not in self.refuses:
            assert hashlib.sha256(data).hexdigest() == path.removeprefix("/lfs/")
            self._large[path.removeprefix("/lfs/")] = data
        self._send(hub, request, path, {}, {"name": "anybody"})
        return True

    def _instructions(self, hub: FakeHub, asked: dict[str, Any]) -> dict[str, Any]:
        actions = {
            "upload": {"href": f"{hub.endpoint}/lfs/{asked['oid']}"},
            "verify": {"href": f"{hub.endpoint}/lfs/verify"},
        }
        return {**asked, "authenticated": True, "actions": actions}

    def _send(
        self,
        hub: FakeHub,
        request: BaseHTTPRequestHandler,
        path: str,
        answer: dict[str, Any],
        allowed: dict[str, Any] | None,
    ) -> None:
        """The answer, where one is not refused: None is who may not, and no one is unknown."""
        status = self.refuses.get(path, 200)
        if status == 200 and allowed is None:
            status = 401 if not self._user(request) else 403
        hub.send_json(request, answer if status == 200 else {"error": "no"}, status)

    def _user(self, request: BaseHTTPRequestHandler) -> dict[str, Any]:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        return self.users.get(token, {})

    def _may(self, user: dict[str, Any], name: str) -> dict[str, Any] | None:
        """The user, where they may write to it."""
        is_own = user.get("name") == name.split("/", maxsplit=1)[0]
        return user if is_own and user["auth"]["accessToken"]["role"] != "read" else None


def held(hub: FakeHub, name: str) -> dict[str, bytes]:
    """The files of the newest commit of a data set."""
    at = f"{name}@{hub.datasets[name]['sha']}"
    return {file: data for (commit, file), data in hub.files.items() if commit == at}
