"""What there is to choose before an analysis: files, a data set on the Hub, a backbone.

Knows widgets, and what their values mean; those are what a browser sent, whatever that is. Does not
know what is done with a choice.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any

import gradio as gr

from pointprompt import backbones
from pointprompt.server.fetching import Fetch, as_fetching
from pointprompt.sources.codecs import signatures
from pointprompt.sources.hub.fetch import SUGGESTED_DATASET, DatasetRequest, fetch_dataset
from pointprompt.sources.photos import Limits
from pointprompt.sources.video import VIDEO_SUFFIXES
from pointprompt.types import BackboneRequest, ProgressFn
from pointprompt.ui.frames import Chosen, every_slider

# Inputs that say which backbone: its name, and four details.
BACKBONE_INPUTS = 5

# Ends the label of a backbone that cannot be had now; `static/page.css` greys such labels out.
_NOT_HERE = " (not here)"
# What a file is named whose format can be read; a phone offers its photos for "image/*", and its
# videos for "video/*".
_SUFFIXES = frozenset(signatures.READABLE_SUFFIXES)
_ACCEPTED = ("image/*", "video/*", *signatures.READABLE_SUFFIXES, *VIDEO_SUFFIXES)
# Of the details: whatever is the backbone's own, also when the choice of backbone changes.
_DEFAULT = ""


class Upload:
    """The widgets that take files.

    Attributes:
        files: The files. `static/setup/` shows them as pictures, and takes those that are dropped
            anywhere on the page.
        every: Every how many frames of videos one is taken.
        analyze: The button that analyses them.
        add: The button that adds them to the set that is shown.
    """

    def __init__(self, limits: Limits) -> None:
        """Put them where gradio's context is."""
        self.files = gr.File(
            label="Photos and videos", file_count="multiple", height=150, elem_id="pp-files"
        )
        gr.HTML(
            f'<div class="pp-chosen" data-accept="{",".join(_ACCEPTED)}"></div>',
            elem_id="pp-thumbnails",
            apply_default_css=False,
        )
        self.every = every_slider()
        with gr.Row(equal_height=True, elem_id="pp-starts"):
            self.analyze = gr.Button(
                "Analyse", variant="primary", interactive=False, elem_id="pp-analyze"
            )
            self.add = gr.Button(
                "Add to the set", visible=False, interactive=False, elem_id="pp-add"
            )
        gr.HTML(
            "JPEG, PNG, HEIC, WebP, AVIF, TIFF and most others, and frames of MP4, MOV, WebM, MKV "
            f"and AVI: up to {limits.max_images} images of {limits.max_megapixels:g} megapixels "
            "each. They stay on this server: what was analysed goes some minutes after you close "
            "the page, uploads within a day.",
            elem_id="pp-formats",
            apply_default_css=False,
        )


class BackboneChoice:
    """The widgets that say which backbone.

    Attributes:
        fold: What folds all of it away, under one line that says what is chosen.
        name: Its name.
        note: What is to be known about it.
        details: Its input size, node and layer, and whether it is debiased.
    """

    def __init__(self) -> None:
        """Put them where gradio's context is."""
        default, reason = backbones.choose_default()
        self.fold = gr.Accordion(_line(default), open=False, elem_id="pp-features")
        with self.fold:
            self.name = gr.Dropdown(
                choices=[(_label(name), name) for name in backbones.REGISTRY],
                value=default,
                allow_custom_value=True,
                label="Backbone",
                elem_id="pp-backbone",
            )
            self.note = gr.Markdown(f"{reason}\n\n{_facts(default)}", elem_id="pp-backbone-note")
            self._build_details(default)

    def _build_details(self, default: str) -> None:
        labels = ("Input size", "Node", "Layer")
        with gr.Accordion("Details", open=False), gr.Row():
            dropdowns = [
                gr.Dropdown(choices, value=_DEFAULT, label=label, min_width=130)
                for label, choices in zip(labels, _detail_choices(default), strict=True)
            ]
            debias = gr.Checkbox(
                value=False,
                label="Positional debiasing",
                info="Published to help DINOv3 across images; not measured here.",
                visible=_offers_debias(default),
            )
        self.details: list[gr.Dropdown | gr.Checkbox] = [*dropdowns, debias]

    @property
    def inputs(self) -> list[gr.Dropdown | gr.Checkbox]:
        """What `backbone_request` reads."""
        return [self.name, *self.details]


class DatasetChoice:
    """The widgets that say which images of which data set.

    Attributes:
        inputs: What `fetch_of` reads.
    """

    def __init__(self, max_images: int) -> None:
        """Put them in a row where gradio's context is."""
        suggested = SUGGESTED_DATASET
        with gr.Row():
            self.inputs = [
                gr.Textbox(suggested.name, label="Hugging Face dataset", min_width=200, scale=2),
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
                    maximum=max_images,
                    precision=0,
                    min_width=120,
                ),
            ]


def file_buttons(chosen: Chosen, every: int) -> list[Any]:
    """The buttons that do something with what was chosen."""
    if not chosen.others and not chosen.frames:
        return [gr.Button("Analyse", interactive=False), gr.Button(interactive=False)]
    # What else there is among them is found out when it is read.
    are_images = all(Path(file).suffix.lower() in _SUFFIXES for file in chosen.others)
    parts = []
    if chosen.others:
        parts.append(counted(len(chosen.others), "image" if are_images else "file"))
    if chosen.frames:
        parts.append(counted(chosen.taken(every), "frame"))
    return [
        gr.Button(f"Analyse {' and '.join(parts)}", interactive=True),
        gr.Button(interactive=True),
    ]


def counted(count: int, what: str) -> str:
    """So many of a thing: "1 image", "3 images"."""
    return f"1 {what}" if count == 1 else f"{count} {what}s"


def backbone_request(name: Any, *details: Any) -> BackboneRequest:
    """The backbone that the inputs ask for.

    Raises:
        ValueError: They are of no kind that a browser with this page sends.
    """
    *dropdowns, debias = details
    input_size, node, layer = (None if value == _DEFAULT else value for value in dropdowns)
    return BackboneRequest(name, node, layer, input_size, debias)


def describe_backbone(name: str) -> list[Any]:
    """The note on a backbone, and the choices of its details."""
    try:
        note, choices, debias = _facts(name), _detail_choices(name), _offers_debias(name)
    except backbones.BackboneError as error:
        note, choices, debias = str(error), ([("", _DEFAULT)],) * 3, False
    dropdowns = [gr.Dropdown(choices=values, value=_DEFAULT) for values in choices]
    return [note, *dropdowns, gr.Checkbox(False, visible=debias)]


def backbone_line(name: str) -> gr.Accordion:
    """The line that its choice is folded away under."""
    try:
        return gr.Accordion(_line(name))
    except backbones.BackboneError:
        return gr.Accordion("Features: of no backbone that there is")


def fetch_of(limits: Limits, remarks: list[str], *fields: Any) -> Fetch:
    """What fetches the images, and adds to the remarks what there is to say about them."""
    plain: list[Any] = [f.strip() if isinstance(f, str) else f for f in fields]
    wanted = DatasetRequest(*plain)

    def fetch(folder: Path, progress: ProgressFn) -> Sequence[Path]:
        return fetch_dataset(
            wanted, folder, limits=limits, progress=as_fetching(progress), note=remarks.append
        )

    return fetch


def _label(name: str) -> str:
    info = backbones.describe(name)
    return info.title + ("" if backbones.availability(name).available else _NOT_HERE)


def _line(name: str) -> str:
    info = backbones.describe(name)
    cost = f", {_cost(info.cpu_seconds[0])} an image on a CPU" if info.cpu_seconds else ""
    return f"Features: {info.title}{cost} · Change"


def _facts(name: str) -> str:
    info = backbones.describe(name)
    reason = backbones.availability(name).reason
    cost = f"{_cost(info.cpu_seconds[0])} an image on a CPU." if info.cpu_seconds else ""
    facts = [f"Good for {info.good_for}.", cost, f"Licence: {info.licence}.", reason]
    return " ".join(filter(None, [*facts, info.size_note]))


def _offers_debias(name: str) -> bool:
    return backbones.describe(name).position_directions > 0


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
