"""The endpoints that programs and assistants call, beside the page's own private events.

Knows gradio's events. What an endpoint does is `server.programs`'. Their docstrings are what an
assistant reads and what the page "Use via API" shows: gradio takes one line for each argument.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import gradio as gr
from gradio.components.api_component import Api as Value
from gradio.route_utils import get_root_url
from gradio.utils import get_upload_folder

from pointprompt.formats.registry import DEFAULT_FORMATS, FORMATS
from pointprompt.server.failures import sentence_of
from pointprompt.server.handed_out import HandedOut
from pointprompt.server.jobs import Cancelled, Job
from pointprompt.server.programs import Programs
from pointprompt.server.service import Service
from pointprompt.server.status import stage_words
from pointprompt.types import ProgressFn
from pointprompt.ui import visitors
from pointprompt.ui.allowed import FILE

T = TypeVar("T")

# How often a job is looked after, in no thread: however many wait, the page's events go on.
_TICK_SECONDS = 0.05
_STOPPED = "This was stopped, since the client that asked for it has gone."

_TEXT = {"type": "string"}
_WHOLE = {"type": "integer"}
_A_FILE = {**_TEXT, "additional_description": "a file, in clients by handle_file"}
_FILES = {
    "type": "array",
    "items": _TEXT,
    "additional_description": "files, in clients by handle_file",
}
_FORMATS = {"type": "array", "items": {**_TEXT, "enum": [*FORMATS]}}
_CLICKS = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {
            "image": {"type": "integer", "description": "index of the image, from 0"},
            "x": {"type": "number", "description": "from the left, from 0 to below 1"},
            "y": {"type": "number", "description": "from the top, from 0 to below 1"},
            "positive": {"type": "boolean", "description": "false for 'not this'"},
        },
        "required": ["image", "x", "y"],
    },
}
_THINGS = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {"name": _TEXT, "clicks": _CLICKS, "settings": {"type": "object"}},
        "required": ["clicks"],
    },
}
_NUMBERS = {"type": "array", "items": _WHOLE}
_OBJECT = {"type": "object"}
_LIST = {"type": "array", "items": _OBJECT}


class Parameter(NamedTuple):
    """What an endpoint takes or gives.

    Attributes:
        label: What it is called where its name is not shown.
        schema: JSON schema of its values.
        default: None where there is none, or where None is it.
    """

    label: str
    schema: dict[str, Any]
    default: Any = None


_TAKES = {
    "analyze": (
        Parameter("Images and videos", _FILES),
        Parameter("Backbone", _TEXT, ""),
        Parameter("Every how many frames", _WHOLE, 1),
    ),
    "predict": (
        Parameter("Session", _TEXT),
        Parameter("Things", _THINGS),
        Parameter("Images", _NUMBERS),
    ),
    "export": (
        Parameter("Session", _TEXT),
        Parameter("Things", _THINGS),
        Parameter("Formats", _FORMATS, [*DEFAULT_FORMATS]),
    ),
    "apply": (
        Parameter("Recipe", _A_FILE),
        Parameter("Images", _FILES),
        Parameter("Formats", _FORMATS, [*DEFAULT_FORMATS]),
    ),
}
_GIVES = {
    "analyze": (Parameter("Session and images", _OBJECT),),
    "predict": (Parameter("Masks", _LIST),),
    "export": (Parameter("ZIP file", _OBJECT),),
    "apply": (Parameter("ZIP file", _OBJECT), Parameter("Report", _OBJECT)),
}
NAMES = tuple(_TAKES)


class Api:
    """The endpoints, as methods of their names.

    Attributes:
        programs: What does their work.
    """

    def __init__(self, service: Service) -> None:
        """Put them where gradio's context is."""
        self.programs = Programs(service, Path(get_upload_folder()))
        self._jobs: dict[str, set[Job[Any]]] = {}
        for name in NAMES:
            gr.on(
                [],
                getattr(self, name),
                [_value(one) for one in _TAKES[name]],
                [_value(one) for one in _GIVES[name]],
                api_name=name,
                preprocess=False,
                postprocess=False,
                concurrency_limit=None,
                show_progress="hidden",
            )

    async def analyze(  # noqa: D417 - gradio gives the rest
        self,
        files: Any,
        backbone: Any = "",
        every: Any = 1,
        request: gr.Request = None,  # type: ignore[assignment]  # gradio gives it.
        progress: gr.Progress = gr.Progress(),  # noqa: B008 - by this gradio knows it.
    ) -> Any:
        """Analyse a set of images, so that clicks in one of them give masks in all of them.

        This is the first step, and takes some seconds. Its session goes half an hour after its last
        use.

        Args:
            files: Images and videos: each an upload (its path), or a data: URL with base64.
            backbone: What describes the images; leave it out for the best there is on the server.
            every: Of so many frames of a video one is taken.

        Returns:
            session (for the other tools)
            images (in order, each with its name and size)
            rejected (files that could not be used, and why)
            backbone
            remarks
        """
        visitor = visitors.of(request)
        return await self._done(
            request,
            progress,
            lambda tell: self.programs.analyze(files, backbone, every, visitor, tell),
        )

    async def predict(  # noqa: D417 - gradio gives the rest
        self,
        session: Any,
        things: Any,
        images: Any = None,
        request: gr.Request = None,  # type: ignore[assignment]
        progress: gr.Progress = gr.Progress(),  # noqa: B008
    ) -> Any:
        """Mask what was clicked, in all images of a session.

        One click on the thing in one image is often enough. Where a mask takes too much, add a
        click with positive false there; where it misses something, a positive one.

        Args:
            session: From analyze.
            things: What is wanted, each a name and its clicks; x and y go from 0 to 1.
            images: Indices of the images whose masks are wanted; all where it is left out.

        Returns:
            for each thing in each image: image (its name)
            index
            thing
            presence (0 to 1, how sure it is that the thing is there)
            pixels (of the mask)
            mask (url of a PNG file, white where the thing is)
        """
        visitor, root = visitors.of(request), _root_of(request)
        found = await self._done(
            request,
            progress,
            lambda tell: self.programs.predict(session, things, images, visitor, tell),
        )
        return [{**one.said, "mask": _file(one.mask, root)} for one in found]

    async def export(  # noqa: D417 - gradio gives the rest
        self,
        session: Any,
        things: Any,
        formats: Any = DEFAULT_FORMATS,
        request: gr.Request = None,  # type: ignore[assignment]
        progress: gr.Progress = gr.Progress(),  # noqa: B008
    ) -> Any:
        """Write the masks of all images of a session into one ZIP file.

        Among the formats are coco, yolo, labelme and csv for other programs, png and overlays to
        look at, and recipe, which apply runs on any other images.

        Args:
            session: From analyze.
            things: As for predict, or the content of a prompt.json.
            formats: Names of formats.

        Returns:
            the file
        """
        visitor, root = visitors.of(request), _root_of(request)
        found = await self._done(
            request,
            progress,
            lambda tell: self.programs.export(session, things, formats, visitor, tell),
        )
        return _file(found, root)

    async def apply(  # noqa: D417 - gradio gives the rest
        self,
        recipe: Any,
        files: Any,
        formats: Any = DEFAULT_FORMATS,
        request: gr.Request = None,  # type: ignore[assignment]
        progress: gr.Progress = gr.Progress(),  # noqa: B008
    ) -> Any:
        """Find the things of a recipe in other images, without a session and without clicks.

        Args:
            recipe: recipe.safetensors, of an export with the format recipe: its upload.
            files: Images: each an upload (its path), or a data: URL with base64.
            formats: Names of formats, all but sheet.

        Returns:
            a ZIP file with the masks
            a report: images (how many)
            found (in how many each thing is)
            failed (which could not be read, and why)
            unlike (which look unlike those that the recipe was made on)
        """
        root = _root_of(request)
        found, report = await self._done(
            request, progress, lambda tell: self.programs.apply(recipe, files, formats, tell)
        )
        return _file(found, root), report

    def leave(self, client: str) -> None:
        """End what is done for a client that has gone."""
        for job in list(self._jobs.pop(client, ())):
            job.cancel()

    async def _done(
        self, request: gr.Request, progress: gr.Progress, work: Callable[[ProgressFn], T]
    ) -> T:
        """What the work returns; how far it is, is told meanwhile.

        Raises:
            gr.Error: It came to nothing; with the sentence that the page would show.
        """
        job, told = Job(work), None
        with self._job_of(str(request.session_hash), job):
            while not job.has_ended:
                newest = job.newest
                if newest != told:
                    told = newest
                    progress((newest.done, newest.total), desc=stage_words(newest))
                await asyncio.sleep(_TICK_SECONDS)
        try:
            return job.result()
        except Cancelled:
            raise gr.Error(_STOPPED, print_exception=False) from None
        except Exception as error:
            raise gr.Error(sentence_of(error), print_exception=False) from error

    @contextmanager
    def _job_of(self, client: str, job: Job[Any]) -> Iterator[None]:
        """Have a client's going away end the job within the block; so does whatever ends that."""
        jobs = self._jobs.setdefault(client, set())
        jobs.add(job)
        try:
            yield
        finally:
            job.cancel()
            jobs.discard(job)
            if not jobs:
                self._jobs.pop(client, None)


def _value(parameter: Parameter) -> Value:
    return Value(parameter.default, parameter.schema, parameter.label)


def _root_of(request: gr.Request) -> str:
    """Where the page is, as whoever asks finds it."""
    # Of the kind that gradio makes of what it got from a client, whatever a Request may lack.
    asked: Any = request.request
    return get_root_url(asked, asked.url.path, asked.scope.get("root_path", ""))


def _file(file: HandedOut, root: str) -> dict[str, Any]:
    """A file as clients fetch it: Python's and JavaScript's by its path, others by its address."""
    path = f"{file.key}/{file.name}"
    return {
        "path": path,
        "url": f"{root}{FILE}{path}",
        "orig_name": file.name,
        "size": file.size,
    }
