"""What the columns of our data set are, and the card that says so to people and programs.

Knows what `datasets` and the Hugging Face Hub read of a data set beside its rows. Does not know
rows, nor how they are written.
"""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence
from typing import Any

from pointprompt.things import Color, Thing

IMAGE = {"_type": "Image"}
# As `datasets` itself writes it into a parquet file; a list in the way that all its versions read.
FEATURES: dict[str, Any] = {
    "image": IMAGE,
    "name": {"dtype": "string", "_type": "Value"},
    "width": {"dtype": "int32", "_type": "Value"},
    "height": {"dtype": "int32", "_type": "Value"},
    "indexed": IMAGE,
    "things": [
        {
            "name": {"dtype": "string", "_type": "Value"},
            "color": {"dtype": "string", "_type": "Value"},
            "mask": IMAGE,
            "pixels": {"dtype": "int64", "_type": "Value"},
            "presence": {"dtype": "float32", "_type": "Value"},
        }
    ],
}
# What Markdown may take for more than a letter.
_MARKS = frozenset("\\`*_{}[]()#+-.!|~:@$")


def card(things: Sequence[Thing], rows: int, nbytes: int) -> str:
    """The text of README.md.

    Args:
        things: Those of each row, in order.
        rows: How many there are.
        nbytes: Of the images in them.
    """
    return _CARD.format(
        of_rows="n<1K" if rows < 1000 else "1K<n<10K",
        features="\n".join(_in_yaml(FEATURES, "  ")),
        nbytes=nbytes,
        rows=rows,
        things="\n".join(
            f"| {number} | {_in_markdown(thing.name)} | `{in_hexadecimal(thing.color)}` |"
            for number, thing in enumerate(things, start=1)
        ),
    )


def in_hexadecimal(color: Color) -> str:
    """A colour as web pages have it: "#00e1ff"."""
    return "#{:02x}{:02x}{:02x}".format(*color)


def _in_yaml(features: dict[str, Any], indent: str) -> Iterator[str]:
    """The lines that say the same of columns in a card."""
    for name, feature in features.items():
        yield f"{indent}- name: {name}"
        if isinstance(feature, list):
            yield f"{indent}  list:"
            yield from _in_yaml(feature[0], f"{indent}  ")
        else:
            yield f"{indent}  dtype: {'image' if feature is IMAGE else feature['dtype']}"


def _in_markdown(name: str) -> str:
    """A name as it reads, whatever signs it has."""
    return "".join(f"&#{ord(sign)};" if sign in _MARKS else html.escape(sign) for sign in name)


_CARD = """\
---
pretty_name: Masks made with pointprompt
task_categories:
- image-segmentation
size_categories:
- {of_rows}
tags:
- pointprompt
dataset_info:
  features:
{features}
  splits:
  - name: train
    num_bytes: {nbytes}
    num_examples: {rows}
configs:
- config_name: default
  data_files:
  - split: train
    path: data/train-*
---

# Masks made with pointprompt

A row is an image:

- `image`, `name`, `width`, `height`: the photo, what its file is called, and its size in pixels.
- `indexed`: the number of a thing at each pixel, 0 for none, with their colours as palette.
- `things`: each thing alone, the same ones in every row, in the order of their numbers. `mask` is
  255 where the thing is, else 0; `pixels` is how many those are; `presence` is how sure it is, from
  0 to 1, that the thing is in the image at all.

| number | thing | colour |
|---|---|---|
{things}

```python
from datasets import load_dataset

rows = load_dataset(".", split="train")  # in this folder; from the Hub, by the data set's name
rows[0]["image"], rows[0]["indexed"], rows[0]["things"][0]["mask"]
```

`prompt.json` has the clicks and settings that made the masks.
"""
