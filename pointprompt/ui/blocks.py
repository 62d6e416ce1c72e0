"""Widgets and event wiring, nothing else: what they do is `service`'s.

Every event here is private: the page is no API. The Python interface is.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any

import gradio as gr

from pointprompt import backbones
from pointprompt.examples import ExampleSet, example_sets
from pointprompt.hub import SUGGESTED_DATASET, DatasetRequest, fetch_dataset
from pointprompt.sessions import Session, SessionGone
from pointprompt.types import BackboneChoice, ProgressFn
from pointprompt.ui import status, wire
from pointprompt.ui.canvas import STATIC, canvas
from pointprompt.ui.jobs import Cancelled, Eta, Job, Jobs
from pointprompt.ui.service import (
    GONE,
    Fetch,
    Opened,
    Service,
    as_fetching,
    link_files,
    make_files,
)

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
                self.add = gr.Button("Add to the set", visible=False, elem_id="pp-add")
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
                        icon=str(STATIC / "examples" / f"{example.key}.jpg"),
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
        self.files.change(_analyze_button, [self.files], [self.analyze], queue=False, **_PRIVATE)
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

    def _predict(self, message: Any) -> dict[str, Any]:
        return self.service.predict(message)

    def _edges(self, message: Any) -> dict[str, Any]:
        return self.service.edges(message)

    def _analyze_files(self, request: gr.Request, *inputs: Any) -> Iterator[Updates]:
        *choice, files = inputs
        yield from self._analyze(request, link_files(files or []), _choice(*choice))

    def _analyze_example(self, example: ExampleSet) -> Any:
        def analyze(request: gr.Request, *choice: Any) -> Iterator[Updates]:
            fetch = make_files(example)
            yield from self._analyze(request, fetch, _choice(*choice), example.description)

        return analyze

    def _analyze_dataset(self, request: gr.Request, *inputs: Any) -> Iterator[Updates]:
        choice, dataset = inputs[:_CHOICES], inputs[_CHOICES:]
        yield from self._analyze(request, self._fetch_dataset(*dataset), _choice(*choice))

    def _add_files(self, request: gr.Request, files: Sequence[str] | None) -> Iterator[Updates]:
        yield from self._extend(request, link_files(files or []))

    def _add_dataset(self, request: gr.Request, *dataset: Any) -> Iterator[Updates]:
        yield from self._extend(request, self._fetch_dataset(*dataset))

    def _fetch_dataset(
        self, name: str, config: str, split: str, column: str, limit: float | None
    ) -> Fetch:
        wanted = DatasetRequest(
            name.strip(), config.strip(), split.strip(), column.strip(), int(limit or 1)
        )

        def fetch(folder: Path, progress: ProgressFn) -> Sequence[Path]:
            return fetch_dataset(
                wanted, folder, limits=self.service.limits, progress=as_fetching(progress)
            )

        return fetch

    def _analyze(
        self, request: gr.Request, fetch: Fetch, choice: BackboneChoice, hint: str = ""
    ) -> Iterator[Updates]:
        page = _page_of(request)
        job = self.jobs.start(
            page, lambda progress: self.service.analyze(fetch, choice, page, progress)
        )

        def text(opened: Opened) -> str:
            analysis = opened.session.analysis
            title = backbones.info(analysis.backbone.name).title
            return f"{_images(len(analysis.photos))} ready, with {title}. {hint}"

        yield from self._open(job, text)

    def _extend(self, request: gr.Request, fetch: Fetch) -> Iterator[Updates]:
        page = _page_of(request)
        job = self.jobs.start(page, lambda progress: self.service.extend(fetch, page, progress))

        def text(opened: Opened) -> str:
            count = len(opened.session.analysis.photos)
            return f"{_images(opened.added)} added: the set has {count} now."

        yield from self._open(job, text)

    def _open(self, job: Job[Opened], text: Callable[[Opened], str]) -> Iterator[Updates]:
        """Follow the job, then show the session that it opened, or why there is none."""
        yield from self._follow(job)
        try:
            opened = job.result()
        except Cancelled:
            yield self._ended(status.stopped("Cancelled. Your images are still here."))
        except SessionGone:
            yield self._ended(status.failed(GONE))
        except Exception as error:
            yield self._ended(status.failed(_sentence(error)))
        else:
            done = self._ended(status.done(text(opened), opened.rejected))
            yield {**done, **self._shown(opened.session)}

    def _shown(self, session: Session) -> Updates:
        return {
            self.canvas: self.service.manifest(session),
            self.setup: gr.Accordion(open=False),
            self.add: gr.Button(visible=True),
            self.add_dataset: gr.Button(visible=True),
        }

    def _export(self, event: gr.EventData, request: gr.Request) -> Iterator[Updates]:
        job = self.jobs.start(
            _page_of(request), lambda progress: self.service.export(event._data, progress)
        )
        yield from self._follow(job)
        try:
            path = job.result()
        except Cancelled:
            yield self._ended(status.stopped("Cancelled."))
        except SessionGone:
            yield self._ended(status.failed(GONE))
        except Exception as error:
            yield self._ended(status.failed(_sentence(error)))
        else:
            text = status.done("The masks are in your downloads.")
            yield {**self._ended(text), self.canvas: gr.update(download=path.as_posix())}

    def _follow(self, job: Job[Any]) -> Iterator[Updates]:
        """What the status line says while the job runs. A page that goes away ends its job."""
        eta = Eta()
        shown = ""
        yield {self.cancel: gr.Button(visible=True)}
        try:
            for progress in job.progress():
                text = status.busy(progress, eta.seconds_left(progress))
                if text != shown:
                    shown = text
                    yield {self.status: text}
        except GeneratorExit:
            job.cancel()
            raise

    def _ended(self, text: str) -> Updates:
        return {self.status: text, self.cancel: gr.Button(visible=False)}

    def _cancel(self, request: gr.Request) -> None:
        self.jobs.cancel(_page_of(request))

    def _restore(self, event: gr.EventData, request: gr.Request) -> Updates:
        try:
            token = _token_of(event._data)
            session = self.service.store.move_to_page(token, _page_of(request))
        except SessionGone:
            return {self.canvas: gr.skip()}
        return self._shown(session)

    def _unload(self, request: gr.Request) -> None:
        page = _page_of(request)
        self.jobs.cancel(page)
        self.service.store.close_page(page)


def _token_of(message: object) -> str:
    try:
        return wire.parse_token(message)
    except wire.WireError as error:
        raise SessionGone(str(error)) from error


def _sentence(error: Exception) -> str:
    """What to say of an error; those of the core are sentences already."""
    if isinstance(error, MemoryError):
        return "There is not enough memory for this. Try fewer images, or a smaller backbone."
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


def _analyze_button(files: Sequence[str] | None) -> Any:
    if not files:
        return gr.Button("Analyse", interactive=False)
    return gr.Button(f"Analyse {_images(len(files))}", interactive=True)


def _images(count: int) -> str:
    return "1 image" if count == 1 else f"{count} images"


def _backbone_label(name: str) -> str:
    info = backbones.info(name)
    return info.title + ("" if backbones.availability(name).available else _NOT_HERE)


def _describe_backbone(name: str) -> list[Any]:
    """The note, and the choices of the details."""
    try:
        note, choices = _facts(name), _detail_choices(name)
    except backbones.BackboneError as error:
        note, choices = str(error), ([("", _DEFAULT)],) * 3
    return [note, *(gr.Dropdown(choices=values, value=_DEFAULT) for values in choices)]


def _facts(name: str) -> str:
    info = backbones.info(name)
    reason = backbones.availability(name).reason
    cost = f"{_cost(info.cpu_seconds[0])} an image on a CPU." if info.cpu_seconds else ""
    facts = [f"Good for {info.good_for}.", cost, f"Licence: {info.licence}.", reason]
    return " ".join(filter(None, [*facts, info.size_note]))


def _cost(seconds: float) -> str:
    """About how long something takes: "0.05 s", "6 s"."""
    return f"{seconds:.2g} s" if seconds < 1 else f"{seconds:.0f} s"


def _detail_choices(name: str) -> tuple[list[Any], list[Any], list[Any]]:
    """Choices of input size, node and layer, the backbone's own first."""
    info = backbones.info(name)
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


def _choice(name: str, *details: Any) -> BackboneChoice:
    input_size, node, layer = (None if value == _DEFAULT else value for value in details)
    return BackboneChoice(name, node, layer, input_size)
