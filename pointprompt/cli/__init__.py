"""The same work without a browser: the command and what it does.

Knows everything below, and the terminal. Nothing else imports it.

    command.py        the command: its sub-commands and options, messages and exit codes
    options.py        what is asked for, in the words of a command line
    sets.py           an analysed set as a folder: its entry, and what its images are called
    exporting.py      clicks or a prompt file on such a set to files
    batch.py          a recipe over a folder, a video or a data set: streamed, resumed, counted
    images.py         what such a run is over
    keeping.py        what is found in an image, to its files and its record
    journal.py        the records, an image a file
    spreading.py      images to workers of Ray
    pushing.py        a data set that was written, to the Hub
    telling.py        progress and results, for people or as JSON
"""
