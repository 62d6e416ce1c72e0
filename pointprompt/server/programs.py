"""What programs ask for, done by the service that pages ask: analyze, predict, export, apply.

Knows the service, the files that programs hand in and fetch, and what answers hold. Knows nothing
of gradio: `ui.api` turns what happens here into endpoints.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from pointprompt.backbones import choose_default
from pointprompt.server import parsing, session_files
from pointprompt.server.applying_files import Runs
from pointprompt.server.handed_in import HandedInError, as_list, files_in
from pointprompt.server.handed_out import HandedOut, HandedOutFiles
from pointprompt.server.service import Service
from pointprompt.types import BackboneRequest, ProgressFn

ONE_RECIPE = "There must be one recipe."


class FoundMask(NamedTuple):
    """One thing in one image.

    Attributes:
        said: What a program is told of it, for JSON.
        mask: The PNG file of its mask.
    """

    said: dict[str, Any]
    mask: HandedOut


class Programs:
    """What is done for programs.

    Attributes:
        files: What they may fetch.
    """

    def __init__(self, service: Service, uploads: Path) -> None:
        """Do it by a service; uploads of programs lie in the folder."""
        self.files = HandedOutFiles()
        self._service = service
        self._uploads = uploads
        self._runs = Runs()

    def analyze(
        self, files: object, backbone: object, every: object, visitor: str, progress: ProgressFn
    ) -> dict[str, Any]:
        """A new session with images, which stays for half an hour after its last use.

        Args:
            files: Images and videos, as `handed_in` has them.
            backbone: Its name; "" takes the best there is here.
            every: Of so many frames of a video one is taken.
            visitor: Whose the session will be.
            progress: Told of every step; it may raise to cancel.

        Raises:
            ValueError: As for `Service.analyze`, or a file is none.
        """
        values = as_list(files)
        name = backbone or choose_default()[0]
        # Of any kind, which it finds out itself.
        request = BackboneRequest(name)  # type: ignore[arg-type]
        remarks: list[str] = []
        with self._new_folder() as folder:
            paths = files_in(values, self._uploads, folder)
            fetch = self._service.fetch_files(paths, every, remarks.append)
            session, rejected, _ = self._service.analyze(fetch, request, "", progress, visitor)
        photos = session.analysis.photos
        return {
            "session": session.token,
            "backbone": session.analysis.backbone.name,
            "images": [
                {"name": p.name, "width": p.width, "height": p.height, "remark": p.remark}
                for p in photos
            ],
            "rejected": [{"name": one.name, "reason": one.reason} for one in rejected],
            "remarks": remarks,
        }

    def predict(
        self, session: object, things: object, images: object, visitor: str, progress: ProgressFn
    ) -> list[FoundMask]:
        """The mask of each thing in each image.

        Args:
            session: The token of a session.
            things: As for `parsing.parse_things`.
            images: Indices of the images that masks are wanted of; None for all.
            visitor: Whose the session is.
            progress: Told after every image; it may raise to cancel.

        Raises:
            SessionGone: The visitor has no such session.
            ValueError: As for `Service.masks`.
        """
        request = parsing.parse_things(session, things)
        found = self._service.masks(request, images, progress, visitor)
        handed = self.files.add(one.path for one in found)
        return [
            FoundMask(
                {
                    "image": one.image,
                    "index": one.number,
                    "thing": one.thing,
                    "presence": round(one.presence, 3),
                    "pixels": one.pixels,
                },
                mask,
            )
            for one, mask in zip(found, handed, strict=True)
        ]

    def export(
        self, session: object, things: object, formats: object, visitor: str, progress: ProgressFn
    ) -> HandedOut:
        """A ZIP file with the masks of all things, in some formats.

        Raises:
            SessionGone: The visitor has no such session.
            ValueError: As for `Service.write_export`, or the prompt is malformed.
        """
        request = parsing.parse_things(session, things, formats)
        return self.files.add([self._service.write_export(request, progress, visitor)])[0]

    def apply(
        self, recipe: object, files: object, formats: object, progress: ProgressFn
    ) -> tuple[HandedOut, dict[str, Any]]:
        """A ZIP file with the masks that a recipe finds in images, and how it went.

        Raises:
            ValueError: As for `ApplyingFiles.write`, or a file is none.
        """
        recipes, values = as_list(recipe), as_list(files)
        if len(recipes) != 1:
            raise HandedInError(ONE_RECIPE)
        chosen = parsing.parse_formats(formats)
        out = self._service.store.new_folder()
        with session_files.gone_if_it_fails(out), self._new_folder() as folder:
            (recipe_file,) = files_in(
                recipes, self._uploads, session_files.subfolder(folder, "recipe")
            )
            images = files_in(values, self._uploads, session_files.subfolder(folder, "images"))
            path, report = self._service.applying.write(recipe_file, images, chosen, out, progress)
        self._runs.keep(out)
        return self.files.add([path])[0], report.as_dict()

    @contextmanager
    def _new_folder(self) -> Iterator[Path]:
        """A folder for what is handed in, gone again when the block ends."""
        folder = self._service.store.new_folder()
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
