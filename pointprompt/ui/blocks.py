"""Widgets and event wiring, nothing else: what they do is `service`'s.

Every event here is private: the page is no API. The Python interface is.
"""

from __future__ import annotations

import errno
import logging
from collections.abc import Callable, Iterator, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any

import gradio as gr

from pointprompt import backbones
from pointprompt.examples import ExampleSet, example_sets
from pointprompt.hub import SUGGESTED_DATASET, DatasetRequest, fetch_dataset
from pointprompt.server import status, wire
from pointprompt.server.jobs import Cancelled, Eta, Job, Jobs
from pointprompt.server.service import (
    GONE,
    Fetch,
    Opened,
    Service,
    as_fetching,
    link_files,
    make_files,
)
from pointprompt.server.sessions import Session, SessionGone
from pointprompt.types import BackboneRequest, ProgressFn
from pointprompt.ui import static_files, visitors
from pointprompt.ui.canvas import STATIC, canvas

_log = logging.getLogger(__name__)

TITLE = "pointprompt"
TAGLINE = "Click a thing in one photo. Get its mask in all of them."

# System fonts only: the page works without any network.
_SANS = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "sans-serif")
_MONO = ("ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "monospace")

_PRIVATE: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}

# Ends the label of a backbone that cannot be had now; `static/page.css` greys such labels out.
_NOT_HERE = " (not here)"
# Inputs that say which backbone: its name, and three details.
_CHOICES = 4
# Of the details: whatever is the backbone's own, also when the choice of backbone changes.
_DEFAULT = ""

# What the system says where there is no room on a disk, or none of it is left for this program.
_DISK_IS_FULL = (errno.ENOSPC, errno.EDQUOT)

Updates = dict[Any, Any]


def theme() -> gr.themes.Base:
    """The page's look, light and dark; `static/page.css` adds to it."""
    return gr.themes.Base(
        primary_hue="teal",
        neutral_hue="slate",
        radius_size="md",
        font=_SANS,
        font_mono=_MONO,
    )


def css_file() -> Path:
    """The page's style sheet."""
    return STATIC / "page.css"


def build(service: Service) -> gr.Blocks:
    """The page, which asks this service for everything."""
    return _Page(service).demo


class _Page:
    """The page's widgets, and the handlers of their events as methods."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.jobs = Jobs()
        with gr.Blocks(title=TITLE, fill_width=True, analytics_enabled=False) as self.demo:
            gr.HTML(f"<h1>{TITLE}</h1><p>{TAGLINE}</p>", elem_id="pp-head", apply_default_css=False)
            self.setup = gr.Accordion("Images", open=True, elem_id="pp-setup")
            with self.setup, gr.Row(equal_height=False):
                with gr.Column(scale=3, min_width=320), gr.Tabs():
                    self._build_upload()
                    self._build_examples()
                    self._build_dataset()
                with gr.Column(scale=1, min_width=260):
                    self._build_backbone()
            with gr.Row(elem_id="pp-progress"):
                self.status = gr.HTML(status.idle(), elem_id="pp-status", apply_default_css=False)
                self.cancel = gr.Button(
                    "Cancel", visible=False, size="sm", min_width=90, scale=0, elem_id="pp-cancel"
                )
            self.canvas = canvas(self._predict, self._edges)
            self._wire()

    def _build_upload(self) -> None:
        with gr.Tab("Upload", id="upload"):
            self.files = gr.File(
                label="Photos",
                file_count="multiple",
                height=170,
                elem_id="pp-files",
            )
            with gr.Row(equal_height=True):
                self.analyze = gr.Button(
                    "Analyse", variant="primary", interactive=False, elem_id="pp-analyze"
                )
                self.add = gr.Button(
                    "Add to the set", visible=False, interactive=False, elem_id="pp-add"
                )
            limits = self.service.limits
            gr.HTML(
                "JPEG, PNG, HEIC, WebP, AVIF, TIFF and most others: "
                f"up to {limits.max_images} images of "
                f"{limits.max_megapixels:g} megapixels each. They stay on this server: what was "
                "analysed goes some minutes after you close the page, uploads within a day.",
                elem_id="pp-formats",
                apply_default_css=False,
            )

    def _build_examples(self) -> None:
        self.examples: list[tuple[gr.Button, ExampleSet]] = []
        with gr.Tab("Examples", id="examples"):
            with gr.Row(elem_id="pp-examples"):
                for example in example_sets():
                    button = gr.Button(
                        example.title,
                        icon=static_files.icon(f"examples/{example.key}.jpg"),
                        min_width=150,
                        elem_id=f"pp-example-{example.key}",
                    )
                    self.examples.append((button, example))
            with gr.Accordion("About these pictures", open=False):
                gr.Markdown("\n".join(f"- **{e.title}**: {e.credits}" for e in example_sets()))

    def _build_dataset(self) -> None:
        suggested = SUGGESTED_DATASET
        with gr.Tab("Dataset", id="dataset"):
            with gr.Row():
                self.dataset = [
                    gr.Textbox(
                        suggested.name, label="Hugging Face dataset", min_width=200, scale=2
                    ),
                    gr.Textbox(suggested.config, label="Configuration", min_width=120),
                    gr.Textbox(suggested.split, label="Split", min_width=100),
                    gr.Textbox(
                        suggested.column,
                        label="Image column",
                        placeholder="found by itself",
                        min_width=120,
                    ),
                    gr.Number(
                        suggested.limit,
                        label="Images",
                        minimum=1,
                        maximum=self.service.limits.max_images,
                        precision=0,
                        min_width=120,
                    ),
                ]
            with gr.Row(equal_height=True):
                self.load_dataset = gr.Button(
                    "Load and analyse", variant="primary", elem_id="pp-load-dataset"
                )
                self.add_dataset = gr.Button(
                    "Load and add to the set", visible=False, elem_id="pp-add-dataset"
                )

    def _build_backbone(self) -> None:
        default, reason = backbones.choose_default()
        choices = _detail_choices(default)
        self.backbone = gr.Dropdown(
            choices=[(_backbone_label(name), name) for name in backbones.REGISTRY],
            value=default,
            allow_custom_value=True,
            label="Backbone",
            elem_id="pp-backbone",
        )
        self.backbone_note = gr.Markdown(
            f"{reason}\n\n{_facts(default)}", elem_id="pp-backbone-note"
        )
        with gr.Accordion("Details", open=False), gr.Row():
            self.details = [
                gr.Dropdown(choices[0], value=_DEFAULT, label="Input size", min_width=130),
                gr.Dropdown(choices[1], value=_DEFAULT, label="Node", min_width=130),
                gr.Dropdown(choices[2], value=_DEFAULT, label="Layer", min_width=130),
            ]

    def _wire(self) -> None:
        adders = [self.add, self.add_dataset]
        shown = [self.status, self.canvas, self.setup, self.cancel, *adders]
        heavy = {"outputs": shown, "concurrency_limit": None, **_PRIVATE}
        choice = [self.backbone, *self.details]
        self.analyze.click(self._analyze_files, [*choice, self.files], **heavy)
        for button, example in self.examples:
            button.click(self._analyze_example(example), choice, **heavy)
        self.load_dataset.click(self._analyze_dataset, [*choice, *self.dataset], **heavy)
        self.add.click(self._add_files, [self.files], **heavy)
        self.add_dataset.click(self._add_dataset, self.dataset, **heavy)
        self.files.change(
            _file_buttons, [self.files], [self.analyze, self.add], queue=False, **_PRIVATE
        )
        self.backbone.change(
            _describe_backbone,
            [self.backbone],
            [self.backbone_note, *self.details],
            queue=False,
            **_PRIVATE,
        )
        self.cancel.click(self._cancel, None, None, queue=False, **_PRIVATE)
        self.canvas.restore(self._restore, None, [self.canvas, self.setup, *adders], **_PRIVATE)
        self.canvas.export(
            self._export,
            None,
            [self.status, self.cancel, self.canvas],
            concurrency_limit=None,
            **_PRIVATE,
        )
        self.demo.unload(self._unload)

    def _predict(self, message: Any, visitor: str) -> dict[str, Any]:
        return self.service.predict(message, visitor)

    def _edges(self, message: Any, visitor: str) -> dict[str, Any]:
        return self.service.edges(message, visitor)

    def _analyze_files(self, request: gr.Request, *inputs: Any) -> Iterator[Updates]:
        *choice, files = inputs
        yield from self._analyze(request, link_files(files or []), choice)

    def _analyze_example(self, example: ExampleSet) -> Any:
        def analyze(request: gr.Request, *choice: Any) -> Iterator[Updates]:
            fetch = make_files(example)
            yield from self._analyze(request, fetch, choice, [example.description])

        return analyze

    def _analyze_dataset(self, request: gr.Request, *inputs: Any) -> Iterator[Updates]:
        choice, dataset = inputs[:_CHOICES], inputs[_CHOICES:]
        remarks: list[str] = []
        fetch = self._fetch_dataset(remarks, *dataset)
        yield from self._analyze(request, fetch, choice, remarks)

    def _add_files(self, request: gr.Request, files: Sequence[str] | None) -> Iterator[Updates]:
        yield from self._extend(request, link_files(files or []))

    def _add_dataset(self, request: gr.Request, *dataset: Any) -> Iterator[Updates]:
        remarks: list[str] = []
        yield from self._extend(request, self._fetch_dataset(remarks, *dataset), remarks)

    def _fetch_dataset(self, remarks: list[str], *fields: Any) -> Fetch:
        """What fetches the images, and adds to the remarks what there is to say about them."""
        plain: list[Any] = [f.strip() if isinstance(f, str) else f for f in fields]
        wanted = DatasetRequest(*plain)

        def fetch(folder: Path, progress: ProgressFn) -> Sequence[Path]:
            return fetch_dataset(
                wanted,
                folder,
                limits=self.service.limits,
                progress=as_fetching(progress),
                note=remarks.append,
            )

        return fetch

    def _analyze(
        self,
        request: gr.Request,
        fetch: Fetch,
        choice: Sequence[Any],
        remarks: Sequence[str] = (),
    ) -> Iterator[Updates]:
        page, visitor = _page_of(request), visitors.of(request)
        job = self.jobs.start(
            page,
            lambda progress: self.service.analyze(fetch, _choice(*choice), page, progress, visitor),
        )

        def text(opened: Opened) -> str:
            analysis = opened.session.analysis
            title = backbones.describe(analysis.backbone.name).title
            return " ".join([f"{_images(len(analysis.photos))} ready, with {title}.", *remarks])

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
            return " ".join([f"{_images(opened.added)} added: the set has {count} now.", *remarks])

        yield from self._open(page, job, text)

    def _open(
        self, page: str, job: Job[Opened], text: Callable[[Opened], str]
    ) -> Iterator[Updates]:
        """Follow the job, then show the session that it opened, or why there is none."""
        yield from self._follow(page, job)
        failure = _failure(job, "Cancelled. Your images are still here.")
        if failure:
            yield self._ended(page, job, failure)
        else:
            opened = job.result()
            said = status.done(text(opened), opened.rejected)
            said += status.remarks(opened.session.analysis.photos)
            yield {**self._ended(page, job, said), **self._shown(opened.session)}

    def _shown(self, session: Session) -> Updates:
        return {
            self.canvas: self.service.manifest(session),
            self.setup: gr.Accordion(open=False),
            self.add: gr.Button(visible=True),
            self.add_dataset: gr.Button(visible=True),
        }

    def _export(self, event: gr.EventData, request: gr.Request) -> Iterator[Updates]:
        page, visitor = _page_of(request), visitors.of(request)

        def export(progress: ProgressFn) -> str:
            path = self.service.export(event._data, progress, visitor)
            return self.service.download_address(event._data, path, visitor)

        job = self.jobs.start(page, export)
        yield from self._follow(page, job)
        failure = _failure(job, "Cancelled.")
        if failure:
            yield self._ended(page, job, failure)
        else:
            clicks = _count(len(event._data["clicks"]), "click")
            text = status.done(f"The masks of {clicks} are in your downloads.")
            yield {**self._ended(page, job, text), self.canvas: gr.update(download=job.result())}

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
            return {self.canvas: wire.failure(0, "gone", GONE)}
        return self._shown(session)

    def _session_of(self, message: object, visitor: str) -> Session:
        """The session that a reloaded page shows the ticket of."""
        try:
            ticket = wire.parse_ticket(message)
        except wire.WireError as error:
            raise SessionGone(str(error)) from error
        return self.service.store.of_ticket(ticket, visitor)

    def _unload(self, request: gr.Request) -> None:
        page = _page_of(request)
        self.jobs.cancel(page)
        self.service.store.close_page(page)


def _failure(job: Job[Any], cancelled: str) -> str:
    """What the status line says of a job that came to nothing; empty for one that did its work."""
    try:
        job.result()
    except Cancelled:
        return status.stopped(cancelled)
    except SessionGone:
        return status.failed(GONE)
    except Exception as error:
        return status.failed(_sentence(error))
    return ""


def _sentence(error: Exception) -> str:
    """What to say of an error; those of the core are sentences already."""
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


def _page_of(request: gr.Request) -> str:
    return str(request.session_hash)


def _file_buttons(files: Sequence[str] | None) -> list[Any]:
    """The buttons that do something with the files that were chosen."""
    if not files:
        return [gr.Button("Analyse", interactive=False), gr.Button(interactive=False)]
    return [
        gr.Button(f"Analyse {_images(len(files))}", interactive=True),
        gr.Button(interactive=True),
    ]


def _images(count: int) -> str:
    return _count(count, "image")


def _count(count: int, what: str) -> str:
    return f"1 {what}" if count == 1 else f"{count} {what}s"


def _backbone_label(name: str) -> str:
    info = backbones.describe(name)
    return info.title + ("" if backbones.availability(name).available else _NOT_HERE)


def _describe_backbone(name: str) -> list[Any]:
    """The note, and the choices of the details."""
    try:
        note, choices = _facts(name), _detail_choices(name)
    except backbones.BackboneError as error:
        note, choices = str(error), ([("", _DEFAULT)],) * 3
    return [note, *(gr.Dropdown(choices=values, value=_DEFAULT) for values in choices)]


def _facts(name: str) -> str:
    info = backbones.describe(name)
    reason = backbones.availability(name).reason
    cost = f"{_cost(info.cpu_seconds[0])} an image on a CPU." if info.cpu_seconds else ""
    facts = [f"Good for {info.good_for}.", cost, f"Licence: {info.licence}.", reason]
    return " ".join(filter(None, [*facts, info.size_note]))


def _cost(seconds: float) -> str:
    """About how long something takes: "0.05 s", "6 s"."""
    return f"{seconds:.2g} s" if seconds < 1 else f"{seconds:.0f} s"


def _detail_choices(name: str) -> tuple[list[Any], list[Any], list[Any]]:
    """Choices of input size, node and layer, the backbone's own first."""
    info = backbones.describe(name)
    costs = [f" · {_cost(seconds)} on a CPU" for seconds in info.cpu_seconds]
    sizes = [
        (f"{side} px{cost}", _DEFAULT if side == info.input_size else side)
        for side, cost in zip_longest(info.input_sizes, costs, fillvalue="")
    ]
    nodes = [(node, node) for node in info.nodes if node != info.node]
    layers = [(str(layer), layer) for layer in info.layers if layer != info.layer]
    return (
        sizes,
        [(info.node, _DEFAULT), *nodes],
        [(str(info.layer), _DEFAULT), *layers],
    )


def _choice(name: Any, *details: Any) -> BackboneRequest:
    """The choice that the inputs make; they are what a browser sent, whatever that is."""
    input_size, node, layer = (None if value == _DEFAULT else value for value in details)
    return BackboneRequest(name, node, layer, input_size)
