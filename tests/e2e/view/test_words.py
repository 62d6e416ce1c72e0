from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("restarted", "count", "total", "text"),
    [
        (
            True,
            3,
            3,
            "The server was restarted. Your 3 clicks are kept. To go on, choose the same 3 images "
            "again (0.jpg, 1.jpg, 2.jpg) and analyse.",
        ),
        (
            False,
            1,
            5,
            "This analysis is no longer in the server's memory. Your click is kept. To go on, "
            "choose the same 5 images again (0.jpg, 1.jpg, 2.jpg and 2 more) and analyse.",
        ),
        (
            True,
            0,
            1,
            "The server was restarted. To go on, choose the same image again (0.jpg) and analyse.",
        ),
    ],
)
def test_how_to_go_on_is_said_in_whole_sentences(run, restarted, count, total, text):
    given = {"restarted": restarted, "count": count}
    given["images"] = [{"name": f"{index}.jpg"} for index in range(total)]
    assert run("return (await import('/view/words.js')).goneText(input);", given) == text


@pytest.mark.parametrize(
    ("said", "is_sentence"),
    [
        ("There is no setting 'x'.", True),
        ("Why?", True),
        ("Traceback (most recent call last)", False),
        ("<html><body>502</body></html>", False),
        ("", False),
        (" .", False),
        (None, False),
        (7, False),
        ({"detail": "No."}, False),
    ],
)
def test_only_a_sentence_of_the_server_is_shown(run, said, is_sentence):
    shown = run("return (await import('/view/words.js')).sentence(input);", said)
    assert shown == (said if is_sentence else "The server could not do this.")


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("HTTP 507: The server's disk is full.", "The server's disk is full."),
        ("HTTP 413: A file may have 200 MB at most.\n", "A file may have 200 MB at most."),
        ("HTTP 500: Internal Server Error", "The server could not take these files."),
        ("HTTP 502: <html><body>Bad gateway.</body></html>", "The server could not take these"),
        ("HTTP 500: ", "The server could not take these files."),
        ("Connection errored out. Failed to fetch", "The server could not be reached."),
        ("Something else", "Something else"),
    ],
)
def test_what_gradio_says_of_an_upload_is_put_in_words(run, said, shown):
    assert run("return (await import('/view/toasts.js')).inWords(input);", said).startswith(shown)


def test_what_gradio_said_before_the_page_listened_is_put_in_words_too(run):
    shown = run("""
        document.body.innerHTML = '<div data-testid="toast-text">HTTP 502: </div>';
        (await import('/view/toasts.js')).putToastsInWords();
        return document.body.textContent;
    """)
    assert shown.startswith("The server could not take these files.")
