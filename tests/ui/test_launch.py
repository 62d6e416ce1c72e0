from __future__ import annotations

import pytest

from pointprompt.ui.launch import theme

# Of WCAG 2.2, criterion 1.4.3.
LEAST_CONTRAST = 4.5


def _luminance(colour: str) -> float:
    """WCAG's relative luminance of "#rrggbb"."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: str, other: str) -> float:
    darker, lighter = sorted(map(_luminance, (one, other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("suffix", ["", "_dark"])
@pytest.mark.parametrize(
    ("text", "ground"),
    [
        ("body_text_color", "body_background_fill"),
        ("body_text_color_subdued", "body_background_fill"),
        ("body_text_color_subdued", "background_fill_primary"),
        ("body_text_color_subdued", "background_fill_secondary"),
        ("button_primary_text_color", "button_primary_background_fill"),
        ("button_primary_text_color", "button_primary_background_fill_hover"),
    ],
)
def test_what_is_written_can_be_read(text, ground, suffix):
    look = theme()

    def colour(name: str) -> str:
        value = getattr(look, name)
        while value.startswith("*"):
            name = value[1:]
            of_dark = getattr(look, f"{name}_dark", None) if suffix else None
            value = of_dark or getattr(look, name)
        return {"white": "#ffffff", "black": "#000000"}.get(value, value)

    assert _contrast(colour(text + suffix), colour(ground + suffix)) >= LEAST_CONTRAST
