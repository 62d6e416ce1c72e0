"""File formats -> pixels as they are meant: what Pillow alone would show otherwise, or not at all.

Knows bytes and numbers. Knows nothing of sets, names or limits.

    signatures.py  what a file is, by how it begins
    loaded.py      what every reader gives
    tones.py       numbers of any range to 8 bits
    profiles.py    colour profiles to sRGB
    tiff.py, tiff_segments.py, lzw.py, png.py, jpeg.py, jpegxl.py, pnm.py, qoi.py
"""
