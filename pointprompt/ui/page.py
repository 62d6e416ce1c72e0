"""The page: its layout and the wiring of its events, nothing else: what they do is `service`'s.

Every event here is private. What programs may call is `api`'s, on the same page.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import gradio as gr

from pointprompt import backbones
from pointprompt.server import parsing, status, wire
from pointprompt.server.failures import failure_of
from pointprompt.server.fetching import Fetch, make_files
from pointprompt.server.jobs import Cancelled, Eta, Job, Jobs
from pointprompt.server.programs import Programs
from pointprompt.server.service import GONE, Opened, Service
from pointprompt.server.session import Session, SessionGone
from pointprompt.sources.examples import ExampleSet, example_sets
from pointprompt.types import ProgressFn
from pointprompt.ui import choices, frames, static_files, visitors
from pointprompt.ui.api import Api
from pointprompt.ui.canvas import canvas

_log = logging.getLogger(__name__)

TITLE = "pointprompt"
TAGLINE = "Click a thing in one photo. Get its mask in all of them."
# Of the bar that folds the choice of images away: without a set, with an example, with one's own.
_CHOOSE, _USE_OWN, _OTHERS = "Your images", "Use your own images", "Add or change images"
# How often a page that waits for the example it opens with is looked after.
_TICK_SECONDS = 0.1

_PRIVATE: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}

Updates = dict[Any, Any]


def build(service: Service) -> tuple[gr.Blocks, Programs]:
    """The page, which asks this service for everything; and what does the work of programs."""
    built = _Page(service)
    return built.demo, built.api.programs


class _Page:
    """The page's widgets, and the handlers of their events as methods."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.jobs = Jobs()
        with gr.Blocks(title=TITLE, fill_width=True, analytics_enabled=False) as self.demo:
            with gr.Row(elem_id="pp-choose"):
                head = f"<h1>{TITLE}</h1><p>{TAGLINE}</p>"
                gr.HTML(head, elem_id="pp-head", apply_default_css=False)
                self._build_setup()
                self._build_examples()
            with gr.Row(elem_id="pp-progress"):
                self.status = gr.HTML(status.idle(), elem_id="pp-status", apply_default_css=False)
                self.cancel = gr.Button(
                    "Cancel", visible=False, size="sm", min_width=90, scale=0, elem_id="pp-cancel"
                )
            self.canvas = canvas(
                self._predict, self._edges, self._open_prompt, opening=service.has_opening
            )
            self._wire()
            self.api = Api(service)

    def _build_setup(self) -> None:
        label = _USE_OWN if self.service.has_opening else _CHOOSE
        self.setup = gr.Accordion(label, open=not self.service.has_opening, elem_id="pp-setup")
        with self.setup:
            self.upload = choices.Upload(self.service.limits)
            with gr.Row(elem_id="pp-folds"):
                self.backbone = choices.BackboneChoice()
                self._build_dataset()
                with gr.Accordion("About the example pictures", open=False):
                    gr.Markdown("\n".join(f"- **{e.title}**: {e.credits}" for e in example_sets()))

    def _build_examples(self) -> None:
        self.examples: list[tuple[gr.Button, ExampleSet]] = []
        with gr.Row(elem_id="pp-examples"):
            for example in example_sets():
                button = gr.Button(
                    example.title,
                    icon=static_files.icon(f"examples/{example.key}.jpg"),
                    min_width=0,
                    elem_id=f"pp-example-{example.key}",
                )
                self.examples.append((button, example))

    def _build_dataset(self) -> None:
        with gr.Accordion("From a Hugging Face dataset", open=False, elem_id="pp-dataset"):
            self.dataset = choices.DatasetChoice(self.service.limits.max_images)
            with gr.Row(equal_height=True):
                self.load_dataset = gr.Button(
                    "Load and analyse", variant="primary", elem_id="pp-load-dataset"
                )
                self.add_dataset = gr.Button(
                    "Load and add to the set", visible=False, elem_id="pp-add-dataset"
                )

    def _wire(self) -> None:
        upload = self.upload
        adders = [upload.add, self.add_dataset]
        shown = [self.status, self.canvas, self.setup, self.cancel, *adders]
        heavy = {"outputs": shown, "concurrency_limit": None, **_PRIVATE}
        choice = self.backbone.inputs
        upload.analyze.click(self._analyze_files, [*choice, upload.files, upload.every], **heavy)
        for button, example in self.examples:
            button.click(self._analyze_example(example), choice, **heavy)
        self.load_dataset.click(self._analyze_dataset, [*choice, *self.dataset.inputs], **heavy)
        upload.add.click(self._add_files, [upload.files, upload.every], **heavy)
        self.add_dataset.click(self._add_dataset, self.dataset.inputs, **heavy)
        upload.files.change(
            self._choose_files,
            [upload.files],
            [upload.every, upload.analyze, upload.add],
            queue=False,
            **_PRIVATE,
        )
        upload.every.input(
            self._choose_every,
            [upload.files, upload.every],
            [upload.every, upload.analyze, upload.add],
            queue=False,
            **_PRIVATE,
        )
        self.backbone.name.change(
            choices.describe_backbone,
            [self.backbone.name],
            [self.backbone.note, *self.backbone.details],
            queue=False,
            **_PRIVATE,
        )
        self.backbone.name.change(
            choices.backbone_line,
            [self.backbone.name],
            [self.backbone.fold],
            queue=False,
            **_PRIVATE,
        )
        self.cancel.click(self._cancel, None, None, queue=False, **_PRIVATE)
        self.canvas.restore(self._restore, None, [self.canvas, self.setup, *adders], **_PRIVATE)
        self.canvas.recall(self._recall, None, **heavy)
        self.canvas.remove(self._remove, None, **heavy)
        self.canvas.recipe(self._open_recipe, None, **heavy)
        self.canvas.opening(
            self._open_example,
            None,
            [self.canvas, self.setup],
            concurrency_limit=None,
            **_PRIVATE,
        )
        self.canvas.export(
            self._export,
            None,
            [self.status, self.cancel, self.canvas],
            concurrency_limit=None,
            **_PRIVATE,
        )
        self.canvas.push(
            self._push, None, [self.status, self.cancel], concurrency_limit=None, **_PRIVATE
        )
        self.demo.unload(self._unload)

    def _predict(self, message: Any, visitor: str) -> dict[str, Any]:
        return self.service.predict(message, visitor)

    def _edges(self, message: Any, visitor: str) -> dict[str, Any]:
        return self.service.edges(message, visitor)

    def _open_prompt(self, message: Any, visitor: str) -> dict[str, Any]:
        return self.service.open_prompt(message, visitor)

    def _choose_files(self, files: Sequence[str] | None) -> list[Any]:
        """The slider and the buttons for the files that were chosen."""
        chosen = self._chosen(files)
        return [frames.slider_for(chosen), *choices.file_buttons(chosen, chosen.default)]

    def _choose_every(self, files: Sequence[str] | None, every: float) -> list[Any]:
        """The slider's text, and the buttons, while it is moved."""
        chosen, whole = self._chosen(files), max(1, int(every))
        return [gr.update(info=chosen.text(whole)), *choices.file_buttons(chosen, whole)]

    def _chosen(self, files: Sequence[str] | None) -> frames.Chosen:
        service = self.service
        return frames.Chosen.of(files or [], service.videos.probe, service.limits.max_images)

    def _analyze_files(self, request: gr.Request, *inputs: Any) -> Iterator[Updates]:
        *choice, files, every = inputs
        remarks: list[str] = []
        fetch = self.service.fetch_files(files or [], every, remarks.append)
        yield from self._analyze(request, fetch, choice, remarks)

    def _analyze_example(self, example: ExampleSet) -> Any:
        # Its name is not that of an endpoint, which gradio would give another one then.
        def analyze_example(request: gr.Request, *choice: Any) -> Iterator[Updates]:
            fetch = make_files(example)
            yield from self._analyze(request, fetch, choice, example=example.description)

        return analyze_example

    def _analyze_dataset(self, request: gr.Request, *inputs: Any) -> Iterator[Updates]:
        choice, dataset = inputs[: choices.BACKBONE_INPUTS], inputs[choices.BACKBONE_INPUTS :]
        remarks: list[str] = []
        fetch = choices.fetch_of(self.service.limits, remarks, *dataset)
        yield from self._analyze(request, fetch, choice, remarks)

    def _add_files(
        self, request: gr.Request, files: Sequence[str] | None, every: float
    ) -> Iterator[Updates]:
        remarks: list[str] = []
        page, visitor = _page_of(request), visitors.of(request)
        fetch = self.service.fetch_files(files or [], every, remarks.append, page, visitor)
        yield from self._extend(request, fetch, remarks)

    def _add_dataset(self, request: gr.Request, *dataset: Any) -> Iterator[Updates]:
        remarks: list[str] = []
        yield from self._extend(
            request, choices.fetch_of(self.service.limits, remarks, *dataset), remarks
        )

    def _analyze(
        self,
        request: gr.Request,
        fetch: Fetch,
        choice: Sequence[Any],
        remarks: Sequence[str] = (),
        *,
        example: str = "",
    ) -> Iterator[Updates]:
        page, visitor = _page_of(request), visitors.of(request)
        job = self.jobs.start(
            page,
            lambda progress: self.service.analyze(
                fetch,
                choices.backbone_request(*choice),
                page,
                progress,
                visitor,
                example=example,
            ),
        )

        def text(opened: Opened) -> str:
            analysis = opened.session.analysis
            title = backbones.describe(analysis.backbone.name).title
            return " ".join(
                [f"{choices.counted(len(analysis.photos), 'image')} ready, with {title}.", *remarks]
            )

        yield from self._open(page, job, text)

    def _extend(
        self, request: gr.Request, fetch: Fetch, remarks: Sequence[str] = ()
    ) -> Iterator[Updates]:
        page, visitor = _page_of(request), visitors.of(request)
        job = self.jobs.start(
            page, lambda progress: self.service.extend(fetch, page, progress, visitor)
        )

        def text(opened: Opened) -> str:
            count = len(opened.session.analysis.photos)
            return " ".join(
                [
                    f"{choices.counted(opened.added, 'image')} added: the set has {count} now.",
                    *remarks,
                ]
            )

        yield from self._open(page, job, text)

    def _recall(self, event: gr.EventData, request: gr.Request) -> Iterator[Updates]:
        """A stored set that this browser had open before."""
        page, visitor = _page_of(request), visitors.of(request)

        def open_recalled(progress: ProgressFn) -> Opened:
            token = parsing.parse_recall(event._data).recall
            session = self.service.open_recalled(token, page, progress, visitor)
            return Opened(session, (), 0)

        def text(opened: Opened) -> str:
            count = choices.counted(len(opened.session.analysis.photos), "image")
            return f"{count} opened again."

        yield from self._open(page, self.jobs.start(page, open_recalled), text)

    def _remove(self, event: gr.EventData, request: gr.Request) -> Iterator[Updates]:
        """The set without an image."""
        page, visitor = _page_of(request), visitors.of(request)

        def remove(progress: ProgressFn) -> Opened:
            return Opened(self.service.remove(event._data, page, progress, visitor), (), 0)

        def text(opened: Opened) -> str:
            count = choices.counted(len(opened.session.analysis.photos), "image")
            return f"Removed: the set has {count} now."

        yield from self._open(page, self.jobs.start(page, remove), text)

    def _open_recipe(self, event: gr.EventData, request: gr.Request) -> Iterator[Updates]:
        """The set in the terms of a recipe, with its things."""
        page, visitor = _page_of(request), visitors.of(request)

        def open_recipe(progress: ProgressFn) -> Opened:
            return self.service.open_recipe(event._data, page, progress, visitor)

        def text(opened: Opened) -> str:
            count = choices.counted(len(opened.session.analysis.photos), "image")
            return f"The recipe is open on {count}: click to go on from it."

        yield from self._open(page, self.jobs.start(page, open_recipe), text, is_opened=True)

    def _open(
        self,
        page: str,
        job: Job[Opened],
        text: Callable[[Opened], str],
        *,
        is_opened: bool = False,
    ) -> Iterator[Updates]:
        """Follow the job, then show the session that it opened, or why there is none."""
        yield from self._follow(page, job)
        failure = failure_of(job, "Cancelled. Your images are still here.")
        if failure:
            yield self._ended(page, job, failure)
        else:
            opened = job.result()
            said = status.done(text(opened), opened.rejected)
            said += status.remarks(opened.session.analysis.photos)
            shown = self._shown(opened.session, is_opened=is_opened)
            yield {**self._ended(page, job, said), **shown}

    def _shown(self, session: Session, *, is_opened: bool = False) -> Updates:
        # What joins an example makes it no set of anybody's.
        is_own = not session.example
        return {
            self.canvas: self.service.manifest(session, is_opened=is_opened),
            self.setup: gr.Accordion(_OTHERS if is_own else _USE_OWN, open=False),
            self.upload.add: gr.Button(visible=is_own),
            self.add_dataset: gr.Button(visible=is_own),
        }

    async def _open_example(self, request: gr.Request) -> Updates:
        """The example that pages open with, unless the page has got something else to show."""
        page, visitor = _page_of(request), visitors.of(request)
        # Whatever else the page starts ends this job, and so does its going away.
        job = self.jobs.start_if_none(
            page, lambda progress: self.service.open_example(page, progress, visitor)
        )
        none = {self.canvas: gr.update(opening=False)}
        if job is None:
            return none
        while not job.has_ended:
            await asyncio.sleep(_TICK_SECONDS)  # In no thread: all who come early wait here.
        try:
            session = job.result()
        except Cancelled:
            return none
        except Exception as error:
            if not isinstance(error, LookupError):  # That is said where it was prepared.
                _log.exception("The example was not opened")
            return {**none, self.setup: gr.Accordion(_CHOOSE, open=True)}
        return {self.canvas: self.service.manifest(session)} if session else none

    def _export(self, event: gr.EventData, request: gr.Request) -> Iterator[Updates]:
        page, visitor = _page_of(request), visitors.of(request)

        def export(progress: ProgressFn) -> wire.Download:
            path = self.service.export(event._data, progress, visitor)
            return wire.Download(self.service.download_address(event._data, path, visitor))

        job = self.jobs.start(page, export)
        yield from self._follow(page, job)
        failure = failure_of(job, "Cancelled.")
        if failure:
            yield self._ended(page, job, failure)
        else:
            things = parsing.parse_export(event._data).things
            clicks = choices.counted(sum(len(thing.clicks) for thing in things), "click")
            text = status.done(f"The masks of {clicks} are in your downloads.")
            download = gr.update(download=wire.encode(job.result()))
            yield {**self._ended(page, job, text), self.canvas: download}

    def _push(self, event: gr.EventData, request: gr.Request) -> Iterator[Updates]:
        page, visitor = _page_of(request), visitors.of(request)
        job = self.jobs.start(
            page, lambda progress: self.service.push(event._data, progress, visitor)
        )
        yield from self._follow(page, job)
        said = failure_of(job, "Cancelled. Nothing was pushed.")
        yield self._ended(page, job, said or status.done("Pushed to", link=job.result()))

    def _follow(self, page: str, job: Job[Any]) -> Iterator[Updates]:
        """What the status line says while the job runs. A page that goes away ends its job."""
        eta = Eta()
        shown = ""
        yield {self.cancel: gr.Button(visible=True)}
        try:
            for progress in job.progress():
                text = status.busy(progress, eta.seconds_left(progress))
                if text != shown and self.jobs.is_newest(page, job):
                    shown = text
                    yield {self.status: text}
        except GeneratorExit:
            job.cancel()
            raise

    def _ended(self, page: str, job: Job[Any], text: str) -> Updates:
        """The last words of a job, unless the page has started another: those are then its own."""
        if not self.jobs.is_newest(page, job):
            return {self.status: gr.skip(), self.cancel: gr.skip()}
        return {self.status: text, self.cancel: gr.Button(visible=False)}

    def _cancel(self, request: gr.Request) -> None:
        self.jobs.cancel(_page_of(request))

    def _restore(self, event: gr.EventData, request: gr.Request) -> Updates:
        try:
            session = self._session_of(event._data, visitors.of(request))
            self.service.store.attach(session.token, _page_of(request), session.visitor)
        except SessionGone:
            # Said by the page, which knows what it had.
            return {self.canvas: wire.encode(wire.Failure(0, "gone", GONE))}
        return self._shown(session)

    def _session_of(self, message: object, visitor: str) -> Session:
        """The session that a reloaded page shows the ticket of."""
        try:
            ticket = parsing.parse_restore(message).ticket
        except wire.WireError as error:
            raise SessionGone(str(error)) from error
        return self.service.store.of_ticket(ticket, visitor)

    def _unload(self, request: gr.Request) -> None:
        page = _page_of(request)
        self.jobs.cancel(page)
        self.api.leave(page)
        self.service.store.close_page(page)


def _page_of(request: gr.Request) -> str:
    return str(request.session_hash)
