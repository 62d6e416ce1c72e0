"""Anything -> image files -> photos.

Knows files, pixels and names. Knows nothing of backbones, clicks or sessions.

    photos.py    images from anywhere to photos and squares
    decode.py    one file to its upright pixels, whatever its format
    codecs/      what a format needs beyond Pillow
    hub/         images of a Hugging Face data set, as files
    examples.py  the sets that come with the package
"""
