"""Margins of tokens -> masks of pixels.

Knows margins and photos. Knows nothing of rules, sessions, HTTP or output files.

    lazy.py           the masks of all images, each drawn when it is asked for
    photo_edges.py    one mask, along the edges of its photo
    sam_edges.py      one mask, drawn by SAM's own decoder
    draw.py           a mask over its photo, as people look at it
"""
