"""The page and its server. Nothing outside this package imports it, or gradio.

Knows gradio, HTTP and the process. What the page asks for is done by `server`.

    command.py       the command: the page served, nothing left behind
    options.py       what the command can be asked for
    launch.py        builds the page and serves it
    page.py          its layout and the wiring of its events
    choices.py       what there is to choose before an analysis
    frames.py        of videos, every how many frames
    canvas.py        the tile grid, a gr.HTML component
    contract.py      writes what the page must know of the server
    guard.py         what stands before gradio's routes
    allowed.py       what a request may ask for
    bodies.py        how much it may bring; uploads.py: of what form
    answers.py       what a browser may do with what it gets
    visitors.py      whose browser it is
    api.py           endpoints for programs and assistants, beside the page
    snippets.py      how they are called, in examples
    files.py         the pictures and downloads that are served
    static_files.py  the page's own files, in static/
    folders.py       the one folder of a server, and its lock
    stop.py          how the process ends
"""
