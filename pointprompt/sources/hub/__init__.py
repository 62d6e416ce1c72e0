"""Images of a Hugging Face data set -> files.

Knows the Hub, and what may be read from it. Knows nothing of what becomes of the images.

    fetch.py       what is asked for to files in a folder: the door
    request.py     which images of which dataset are asked for
    sources.py     where they may be: its own files, or the Hub's parquet copy
    layout.py      which of its files hold its images
    patterns.py    what its card says of that
    names.py       what names of files and folders tell
    images.py      the images in those files, and what was passed over
    columns.py     images in the columns of parquet files
    cells.py       images in one cell
    repository.py  what the Hub says a dataset consists of
    remote.py      files of the Hub, read piece by piece
"""
