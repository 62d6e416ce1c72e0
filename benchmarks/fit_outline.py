"""Fit the weights of the outline, `fusion.WEIGHTS`, and say how good they are on other sets.

    python -m benchmarks.fit_outline DATA
    python -m benchmarks.fit_outline DATA --sets 11

DATA is as `benchmarks.labelled` describes; photos have at most 320 pixels a side. Each image comes
with the margins of the default rule after 1, 3, 5 and 10 clicks of the simulated person, and with
those of true tokens, which know how much of them is the thing. A thousand pixels of each are fitted
to the soft Jaccard loss, 1 - sum(p t) / sum(p + t - p t), a fifth of the cross entropy and a little
of the weights' squares, where t is the truth and p = 1 / (1 + exp(-2 x)) of the weighted sum x.

Weights are fitted to even sets, to odd sets and to all. The first two are tested on the other half,
beside the weights that the project has, which may have seen both, and the guided filter alone.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from benchmarks import report
from benchmarks.labelled import read_sets
from benchmarks.oracles import agreement
from benchmarks.outline_samples import (
    CLICKS_TAKEN,
    TRUE,
    Example,
    Samples,
    examples,
    joined,
    sample,
)
from benchmarks.prepared import prepare
from benchmarks.stages import BACKBONE
from benchmarks.table import Table
from pointprompt import backbones
from pointprompt.masks.fusion import WEIGHTS
from pointprompt.masks.guided_filter import guided
from pointprompt.types import BoolArray, FloatArray

# The planes of `fusion.evidence`, in their order.
PLANES = (
    "interpolated",
    "guided",
    "guided, regions",
    "colours near by",
    "colours, unsure",
    "colours, regions",
    "interpolated, smoothed",
    "guided, smoothed",
    "vote of the regions",
)
HALVES = ("even sets", "odd sets")
# Images of a set that are drawn whole, evenly spaced.
_DRAWN = 4
# Of the cross entropy and of the weights' squares in the loss, and the most steps of a fit.
_ENTROPY = 0.2
_RIDGE = 1e-4
_STEPS = 100

# An image and margins of its tokens to the mask (H, W) bool.
Draw = Callable[[Example, FloatArray], BoolArray]


@dataclass(frozen=True)
class Half:
    """Every second set.

    Attributes:
        samples: Of all its images.
        drawn: Those of its images that masks are drawn of.
    """

    samples: Samples
    drawn: list[Example]


@dataclass(frozen=True)
class Contender:
    """A way to outline.

    Attributes:
        name: Of it.
        weights: (planes, 3) float32, whose sum it is above 0, but for what follows on the sum.
        draw: All of it.
    """

    name: str
    weights: FloatArray
    draw: Draw


def main() -> None:
    """Fit, test and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fit_outline", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("data", type=Path, help="folder with a manifest.json")
    parser.add_argument("--sets", type=int, help="only so many sets, evenly spaced; at least 2")
    report.add_option(parser)
    options = parser.parse_args()

    halves = collect(options.data, options.sets)
    fits = [fit(half.samples) for half in halves]
    of_all = fit(joined([half.samples for half in halves]))
    print("\nWeights, and what is added for each unit of contrast near and around:")
    print(f"{weights_table(fits, of_all)}\n")
    print(f"Of all sets, for pointprompt/masks/fusion.py:\n{as_python(of_all)}")
    title = "IoU and boundary F of masks by what the margins know:"
    table = figures(halves, fits)
    report.show("outline fit", title, table, prog=parser.prog, docs=options.docs)


def collect(data: Path, count: int | None) -> list[Half]:
    """What is fitted to and tested on, of both halves of the sets."""
    model = backbones.load(BACKBONE)
    random = np.random.default_rng(0)
    samples: tuple[list[Samples], list[Samples]] = ([], [])
    drawn: tuple[list[Example], list[Example]] = ([], [])
    for index, labelled in enumerate(read_sets(data, count)):
        of_set = examples(prepare(labelled, model))
        samples[index % 2].extend(sample(example, random) for example in of_set)
        drawn[index % 2].extend(of_set[:: -(-len(of_set) // _DRAWN)])
        print(f"{labelled.name}: {len(of_set)} images", flush=True)
    return [Half(joined(s), d) for s, d in zip(samples, drawn, strict=True)]


def fit(samples: Samples) -> FloatArray:
    """The weights (planes, 3) float32 whose sums are the truth as nearly as can be."""
    planes, factors = torch.from_numpy(samples.planes), torch.from_numpy(samples.factors)
    truth = torch.from_numpy(samples.truth)
    weights = torch.zeros(planes.shape[-1], factors.shape[-1], requires_grad=True)
    optimizer = torch.optim.LBFGS([weights], max_iter=_STEPS, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        sums = (planes @ weights * factors).sum(dim=-1)
        inside = torch.sigmoid(2 * sums)
        both = (inside * truth).sum(dim=1)
        either = (inside + truth).sum(dim=1) - both
        value = (1 - both / either).mean() + _RIDGE * weights.square().sum()
        value = value + _ENTROPY * binary_cross_entropy_with_logits(2 * sums, truth)
        torch.autograd.backward(value)
        return value

    optimizer.step(loss)
    found: FloatArray = weights.detach().numpy()
    return found


def sampled_iou(samples: Samples, weights: FloatArray) -> float:
    """The mean IoU of where the sums are above 0, before the last smoothing."""
    mask = (samples.planes @ weights * samples.factors).sum(axis=-1) > 0
    truth = samples.truth > 0
    union = (mask | truth).sum(axis=1)
    # Nothing, where there is nothing, is right.
    return float(np.mean(np.where(union, (mask & truth).sum(axis=1) / np.maximum(union, 1), 1)))


def figures(halves: Sequence[Half], fits: Sequence[FloatArray]) -> Table:
    """How good the fit of each half is on the other one, beside what it must surpass."""
    columns = ["tested on", "drawn by", "sampled", TRUE, "of parts", *map(str, CLICKS_TAKEN)]
    rows = []
    for half, name, other, fitted in zip(halves, HALVES, HALVES[::-1], fits[::-1], strict=True):
        for one in contenders(fitted, other):
            rows.append([name, one.name, *_cells(half, one)])
    return Table(columns, rows)


def contenders(fitted: FloatArray, fitted_on: str) -> list[Contender]:
    """What is compared."""
    only_guided = np.zeros_like(fitted)
    only_guided[PLANES.index("guided"), 0] = 1
    return [
        Contender(f"fitted on {fitted_on}", fitted, _fused(fitted)),
        Contender("the project's weights", WEIGHTS, _fused(WEIGHTS)),
        Contender("the guided filter", only_guided, _guided),
    ]


def _fused(weights: FloatArray) -> Draw:
    return lambda example, margins: example.edges.mask(margins, example.truth.shape, weights)


def _guided(example: Example, margins: FloatArray) -> BoolArray:
    return guided(margins, example.edges.pixels) > 0


def _cells(half: Half, contender: Contender) -> list[str]:
    """A row of the figures."""
    parts = [example for example in half.drawn if example.kind == "part"]
    return [
        f"{sampled_iou(half.samples, contender.weights):.3f}",
        _agreement(half.drawn, TRUE, contender.draw),
        _agreement(parts, TRUE, contender.draw),
        *(_agreement(half.drawn, str(count), contender.draw) for count in CLICKS_TAKEN),
    ]


def _agreement(drawn: Sequence[Example], margins: str, draw: Draw) -> str:
    """IoU and boundary F-score of masks, where there are any."""
    if not drawn:
        return "-"
    masks = [draw(example, example.margins[margins]) for example in drawn]
    found = agreement(masks, [example.truth for example in drawn])
    return f"{found.iou:.3f} / {found.boundary:.3f}"


def weights_table(fits: Sequence[FloatArray], of_all: FloatArray) -> Table:
    """The weights of both halves and of all sets, plane by plane."""
    rows = [
        [plane, *(" ".join(f"{number:6.3f}" for number in row) for row in of_plane)]
        for plane, *of_plane in zip(PLANES, *fits, of_all, strict=True)
    ]
    return Table(["plane", *HALVES, "all sets"], rows)


def as_python(weights: FloatArray) -> str:
    """The weights as the lines of their array."""
    rows = (", ".join(f"{number:.3f}" for number in row) for row in weights)
    return "\n".join(f"        [{row}]," for row in rows)


if __name__ == "__main__":
    main()
