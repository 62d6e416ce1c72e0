"""What the page asks for, without gradio: sessions, jobs, messages and the work behind them.

Knows the core and HTTP-free messages. Knows nothing of gradio: `ui` does.

    service.py        what the page asks for, done
    session.py        one analysed set, and who may use it
    sessions.py       all of them: who has which, and for how long
    fetching.py       image files into the folder of a session to be
    session_files.py  what lies where in that folder
    opening.py        the example that pages open with
    recalls.py        how a browser finds a stored set again
    exports.py        downloads, written into it
    whole_photos.py   photos at their own size, written into it too
    programs.py       what programs ask for, by the same service
    handed_in.py      the files that they bring
    handed_out.py     the files that they may fetch
    mask_files.py     masks as files of their own
    applying_files.py recipes on the files that they bring
    readers.py        images read in processes of their own
    videos.py         frames of videos, taken out by the same processes
    reader_process.py what such a process does
    jobs.py           work that goes on while a page waits for it
    turns.py          who comes next
    wire.py           the messages of the page, and the answers: the contract
    parsing.py        what a browser sent -> a message, every field checked
    status.py         what the status line says
    failures.py       what it says of work that came to nothing
    addresses.py      where the page finds pictures and downloads
    memory.py         freed memory, given back
"""
