"""Anything -> image files -> photos.

Knows files, pixels and names. Knows nothing of backbones, clicks or sessions.

    video.py           frames of a video, as files
    film.py            which frames an open video file has, and those that are wanted
    framing.py         the shape that a backbone sees images in
    photos.py          images from anywhere to photos and frames
    folder.py          the image files of a folder
    names.py           what files of a set may be called
    decode.py          one file to its upright pixels, whatever its format
    decoders.py        which reader a format has
    codecs/            what a format needs beyond Pillow
    dataset_column.py  an image column of a `datasets` data set
    dataset_rows.py    a data set that a command line names, streamed
    hub/               images of a Hugging Face data set, as files
    examples.py        the sets that come with the package
"""
