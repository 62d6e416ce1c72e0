"""Images of a Hugging Face data set -> files.

Knows the Hub, and what may be read from it. Knows nothing of what becomes of the images.

    fetch.py    what is asked for to files in a folder: the door
    layout.py   which files of a repository hold images
    columns.py  images in the cells of parquet files
    remote.py   files of a repository, read piece by piece
"""
