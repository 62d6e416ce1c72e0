"""Values of any depth and range -> the 8 bits that are shown.

Knows numbers. Does not know files, formats or colour profiles.

The rule. Data that use a fair part of the range that their type or format declares are a photo, and
look as other viewers show them: 0 is black and the top of the declared range is white. Everything
else (10 or 12 bits in 16, signed numbers, wide whole numbers, fractions beyond 1) has no such
range, and is shown as scientific viewers do: from its lowest to its highest value. A few values far
outside all others, as dead pixels and undeclared "no data" are, do not count for that range.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pointprompt.types import BoolArray, ByteArray

# A photo's highest value is above this part of the declared range: 14 bits in 16 are not. A picture
# of one value alone is a photo of it.
_USED = 0.25
# Quantiles that hold all but outliers, and how many times wider the whole range must be for it.
_INNER = (0.0005, 0.9995)
_OUTLYING = 4.0
_SAMPLE = 1_000_000
_BLOCK = 4_000_000


def eight_bits(
    values: np.ndarray, *, full: float | None, nodata: float | None = None
) -> tuple[ByteArray, str]:
    """Return what is shown, and a sentence that says how; "" where nothing needs saying.

    Args:
        values: (H, W) or (H, W, c), real numbers. The range is that of all bands together.
        full: The top of the range that the type or format declares, None if it declares none.
        nodata: The value that stands for no value. NaN and the infinities always do.

    Returns:
        uint8 of the same shape; 0 where there is no value.
    """
    low, high = _range(values, nodata)
    if low > high:
        return np.zeros(values.shape, np.uint8), "It has no values at all; it is shown black."
    if full is not None and low >= 0 and high <= full and (high > full * _USED or low == high):
        return _scaled(values, 0.0, full, nodata), ""
    if low == high:
        return np.zeros(values.shape, np.uint8), f"All its values are {_text(low)}; it is black."
    shown_low, shown_high = _without_outliers(values, low, high, nodata)
    remark = f"Shown from {_text(shown_low)} to {_text(shown_high)}, the range of its values"
    if (shown_low, shown_high) != (low, high):
        remark += f" but for a few from {_text(low)} to {_text(high)}"
    return _scaled(values, shown_low, shown_high, nodata), f"{remark}."


def full_of(dtype: np.dtype, bits: int | None = None) -> float | None:
    """Return the top of the range that a photo of this type has, None if photos have none of it.

    Args:
        dtype: Of the values.
        bits: How many of its bits are used, where that is declared.
    """
    if dtype.kind == "f":
        return 1.0
    if dtype.kind == "u" and dtype.itemsize <= 2:
        return float(2 ** (bits or 8 * dtype.itemsize) - 1)
    return 1.0 if dtype.kind == "b" else None


def _range(values: np.ndarray, nodata: float | None) -> tuple[float, float]:
    """Return the lowest and the highest value; infinity and its negative if there is none."""
    low, high = np.inf, -np.inf
    for block in _blocks(values):
        there = block[_there(block, nodata)]
        if there.size:
            low, high = min(low, float(there.min())), max(high, float(there.max()))
    return low, high


def _without_outliers(
    values: np.ndarray, low: float, high: float, nodata: float | None
) -> tuple[float, float]:
    pixels = values.reshape(values.shape[0] * values.shape[1], -1)
    sample = pixels[:: max(1, len(pixels) // _SAMPLE)]
    inner = np.quantile(sample[_there(sample, nodata)].astype(np.float64), _INNER)
    # Halved, since the difference of the largest numbers has no number.
    width, inner_width = high / 2 - low / 2, inner[1] / 2 - inner[0] / 2
    if inner_width > 0 and width > _OUTLYING * inner_width:
        return float(inner[0]), float(inner[1])
    return low, high


def _scaled(values: np.ndarray, low: float, high: float, nodata: float | None) -> ByteArray:
    result = np.empty(values.shape, np.uint8)
    width = (high / 2 - low / 2) or 1.0
    for block, shown in zip(_blocks(values), _blocks(result), strict=True):
        # 64 bits, and halves: whole numbers of 32 bits stay exact and nothing overflows.
        part = np.where(_there(block, nodata), block, low).astype(np.float64)
        part = (part / 2 - low / 2) / width
        shown[...] = np.clip(part * 255 + 0.5, 0, 255)
    return result


def _there(values: np.ndarray, nodata: float | None) -> BoolArray:
    there = np.isfinite(values)
    if nodata is not None and np.isfinite(nodata):
        # A float32 file stores the nearest number that it has.
        same = values == nodata
        if values.dtype.kind == "f":
            same |= values == values.dtype.type(nodata)
        there &= ~same
    return there


def _blocks(values: np.ndarray) -> Iterator[np.ndarray]:
    """Yield views of some rows each, so that a large picture is not in memory several times."""
    rows = max(1, _BLOCK // max(1, values[:1].size))
    for at in range(0, len(values), rows):
        yield values[at : at + rows]


def _text(value: float) -> str:
    return f"{value:.0f}" if value == int(value) and abs(value) < 1e15 else f"{value:.4g}"
