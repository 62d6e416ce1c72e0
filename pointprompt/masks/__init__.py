"""Margins of tokens -> masks of pixels.

Knows margins and photos. Knows nothing of rules, sessions, HTTP or output files.

    lazy.py           the masks of all images, each drawn when it is asked for
    photo_edges.py    one mask, along the edges of its photo, from what is fused in
    fusion.py         one plane of nine that each know something else:
    guided_filter.py    margins as functions of colour
    segments.py         regions of one look
    smoother.py         what is smooth where the photo is
    colour_models.py    which colours the thing has
    levels.py         how far a click reaches in its photo
    sam_edges.py      one mask, drawn by SAM's own decoder
    edits.py          holes filled, specks removed, strokes of a brush
    draw.py           masks over their photo, as people look at them
"""
