"""Image sets without a backbone, for both sides of the rule: the server's and the browser's."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from hypothesis import strategies as st
from PIL import Image
from scipy.ndimage import gaussian_filter

from pointprompt.analysis.analysis import Analysis
from pointprompt.analysis.codes import Packed, unit, with_centred
from pointprompt.masks.levels import small
from pointprompt.masks.photo_edges import PhotoEdges
from pointprompt.rules.concept import Level
from pointprompt.rules.predictor import Known, Predictor, fit_jointly, labels_of
from pointprompt.server import wire
from pointprompt.settings import JointRule, Settings
from pointprompt.types import BackboneChoice, Click, Photo

H, W, D = 20, 28, 32
SIZE = (150, 200)


def analysis(n: int, seed: int = 0) -> Analysis:
    """Images of a few things, each with codes of its own; the last image is the first again."""
    random = np.random.default_rng(seed)
    things = unit(random.normal(size=(5, D)).astype(np.float32))
    photos, codes = [], []
    for index in range(n - 1):
        fields = gaussian_filter(random.normal(size=(5, *SIZE)), (0, 14, 14))
        shown = fields.argmax(axis=0)
        colors = random.integers(0, 255, (5, 3))
        pixels = colors[shown] + random.normal(0, 6, (*SIZE, 3))
        photos.append(_photo(f"{index}.jpg", np.clip(pixels, 0, 255).astype(np.uint8)))
        rows, columns = (np.arange(k) * side // k for k, side in zip((H, W), SIZE, strict=True))
        kinds = shown[np.ix_(rows, columns)]
        mixed = things[kinds] + 0.35 * gaussian_filter(random.normal(size=(H, W, D)), (1, 1, 0))
        packed = Packed.of(unit(mixed.astype(np.float32)))
        codes.append(packed.numbers * packed.scales)
    photos.append(_photo(f"{n - 1}.jpg", np.asarray(Image.open(io.BytesIO(photos[0].preview)))))
    codes.append(codes[0])
    shape = (n, H, W)
    return Analysis(
        photos=tuple(photos),
        eigvecs=np.zeros((*shape, 4), np.float32),
        codes=np.stack(codes),
        colors=np.zeros((*shape, 3), np.uint8),
        terms=None,  # type: ignore[arg-type]
        backbone=BackboneChoice("fake", "block", 0, 64),
    )


def _photo(name: str, pixels: np.ndarray) -> Photo:
    encoded = io.BytesIO()
    Image.fromarray(pixels).save(encoded, "JPEG", quality=95)
    return Photo(name, *SIZE, encoded.getvalue(), pixels, "")


def code_files(of: Analysis) -> list[bytes]:
    """What the server sends of each image."""
    return [
        wire.encode_codes(codes, small(PhotoEdges.of(photo).pixels))
        for codes, photo in zip(of.codes, of.photos, strict=True)
    ]


def prompts(
    n: int, concepts: Sequence[str] = ("",)
) -> st.SearchStrategy[tuple[list[Click], Settings]]:
    """Any clicks on n images and any settings of our rule."""
    place = st.floats(0, 1, exclude_max=True, width=32)
    click = st.builds(Click, st.integers(0, n - 1), place, place, st.booleans())
    rule = st.builds(
        JointRule,
        threshold=st.sampled_from([0.5, 0.5, 0.3, 0.62, 0.8]),
        gamma=st.sampled_from([1.0, 1.0, 0.5, 2.5]),
        size=st.sampled_from(["thing", "thing", "part", "more"]),
        concept=st.sampled_from(concepts),
    )
    settings = st.builds(Settings, rule=rule, one_only=st.booleans())
    return st.tuples(st.lists(click, min_size=int(concepts == ("",)), max_size=9), settings)


ITS_OWN, FOREIGN = (f"{'a' * 16}-{number}" for number in range(2))
# What a concept was made of, on images of the set.
CLICKED = (Click(0, 0.4, 0.5), Click(1, 0.7, 0.2, positive=False), Click(2, 0.1, 0.8))


def known_on(of: Analysis) -> Known:
    """Two concepts: of clicks in the set, and of clicks on images that are not in it."""
    elsewhere = with_centred(analysis(len(of.photos), seed=1).codes)
    clicks = [*CLICKED, Click(3, 0.5, 0.5), Click(2, 0.9, 0.4, positive=False)]
    own, foreign = (
        fit_jointly(codes, labels_of(some, H, W), Level(0.35, 0.32), same)
        for codes, some, same in (
            (with_centred(of.codes), CLICKED, Predictor(of).same),
            (elsewhere, clicks, [100 + image for image in range(len(of.photos))]),
        )
    )
    assert own
    assert foreign
    return Known({ITS_OWN: own, FOREIGN: foreign}, tuple(Predictor(of).same))


class Cases:
    """Prompts on a set, answered by the server's rule, and by the browser's.

    Attributes:
        predictor: The server's.
    """

    def __init__(self, run: Any, of: Analysis, *, goes_on: bool = False) -> None:
        """Prompts on this set; with concepts that they may go on from."""
        known = known_on(of) if goes_on else Known()
        self.predictor = Predictor(of, known)
        images = dict(zip(known.numbers, self.predictor.same, strict=False))
        sent = [
            wire.ManifestConcept.of(name, concept, images, CLICKED if name == ITS_OWN else ())
            for name, concept in known.concepts.items()
        ]
        self._run = run
        self._set = {
            "grid": [H, W],
            "same": self.predictor.same,
            "concepts": json.loads(json.dumps([asdict(one) for one in sent])),
            "files": [base64.b64encode(file).decode() for file in code_files(of)],
        }

    def in_the_browser(self, asked: Sequence[tuple[list[Click], Settings]]) -> list[Any]:
        """For each prompt, what the browser finds in every image; None for nothing."""
        messages = [
            {
                "clicks": [asdict(click) for click in clicks],
                "rule": settings.as_dict()["rule"],
                "one_only": settings.one_only,
            }
            for clicks, settings in asked
        ]
        return self._run(
            """
            const { createRule } = await import('/rule/rule.js');
            const { decode } = await import('/rule/codes.js');
            const [h, w] = input.grid;
            const rule = createRule(input.grid, input.same, input.concepts);
            input.files.forEach((file, image) => {
              const bytes = Uint8Array.from(atob(file), (letter) => letter.charCodeAt(0));
              rule.add(image, decode(bytes.buffer, h * w));
            });
            const images = input.files.map((_, image) => image);
            return input.asked.map((prompt) => rule.predict(prompt, images,
              ({ margins, heatmap, presence }) =>
                ({ margins: [...margins], heatmap: [...heatmap], presence })));
            """,
            {**self._set, "asked": messages},
        )
