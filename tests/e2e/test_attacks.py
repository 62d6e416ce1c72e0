"""A hostile visitor with a real browser: what they bring must never run, nor read what is ours."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, expect

from pointprompt.server.service import Service
from pointprompt.server.session import SessionGone
from pointprompt.server.sessions import SessionStore
from pointprompt.sources.photos import Limits
from pointprompt.ui.launch import launch
from tests.e2e.browser import Page, new_context
from tests.e2e.test_main_job import BALL

# Each would tell of itself in the title, whatever page it ran in.
SCRIPT = "document.title = 'ran'; if (window.opener) window.opener.document.title = 'ran';"
EVIL = {
    "evil.html": f"<!doctype html><script>{SCRIPT}</script>",
    "evil.xhtml": f'<html xmlns="http://www.w3.org/1999/xhtml"><script>{SCRIPT}</script></html>',
    "evil.svg": f'<svg xmlns="http://www.w3.org/2000/svg"><script>{SCRIPT}</script></svg>',
    "evil.js": SCRIPT,
}
RAN = "ran"


@pytest.fixture
def evil(tmp_path: Path) -> list[Path]:
    paths = []
    for name, content in EVIL.items():
        (tmp_path / name).write_text(content)
        paths.append(tmp_path / name)
    return paths


def addresses_of(file: Path) -> list[str]:
    return [
        f"/gradio_api/file={file}",
        f"/gradio_api/file/{file}",
        f"/file={file}",
        f"/static/../..{file}",
        f"/pointprompt/static/..{file}",
    ]


def test_no_file_of_a_visitor_is_ever_a_page_of_this_site(
    page: Page, url: str, photos: list[Path], evil: list[Path], service: Service
):
    uploaded: list[str] = []
    page.tab.on(
        "response",
        lambda answer: uploaded.extend(answer.json()) if "/upload?" in answer.url else None,
    )
    page.analyze_files([photos[0], *evil])
    session = page.session(service.store)
    kept = [path for path in session.folder.rglob("*") if path.is_file()]
    assert len(uploaded) == 1 + len(EVIL)
    places = [*map(Path, uploaded), *kept]
    pictures = f"/pointprompt/pictures/{session.picture_key}"
    addresses = [address for place in places for address in addresses_of(place)]
    addresses += [f"{pictures}/{place.name}" for place in places if place.name != "colors.png"]
    for address in addresses:
        assert page.fetch(address)["status"] == 404, address
    # And opened, as a link would, with a way back to the page that it came from.
    for address in addresses[: len(EVIL) * 5]:
        with page.tab.expect_popup() as popup:
            page.tab.evaluate("(address) => { window.open(address, '_blank'); }", address)
        popup.value.wait_for_load_state()
        assert popup.value.title() != RAN
        popup.value.close()
    assert page.tab.title() != RAN


def test_what_a_script_of_the_site_can_read_opens_nothing_elsewhere(
    page: Page, new_page, photos: list[Path], service: Service
):
    page.analyze_files(photos)
    page.click(0, *BALL[0])
    page.wait_for_masks()
    session = page.session(service.store)
    loot = page.tab.evaluate(
        """() => JSON.stringify({
            session: {...sessionStorage},
            local: {...localStorage},
            cookie: document.cookie,
            page: document.documentElement.outerHTML,
            config: window.gradio_config,
            requests: performance.getEntriesByType('resource').map((entry) => entry.name),
        })"""
    )
    assert session.ticket in loot
    assert session.token not in loot
    assert session.visitor not in loot
    assert str(session.folder) not in loot
    # Somebody else, with all of it.
    thief = new_page()
    thief.tab.evaluate(
        "(state) => sessionStorage.setItem('pointprompt', state)",
        page.tab.evaluate("sessionStorage.pointprompt"),
    )
    thief.tab.reload()
    # Told that there is nothing, the page lets go of the ticket.
    thief.tab.wait_for_function("!sessionStorage.pointprompt")
    assert thief.tab.locator(".pp-tile").count() == 0
    tile = page.tab.locator(".pp-photo").first.get_attribute("src")
    assert page.fetch(tile)["status"] == 200
    assert thief.fetch(tile)["status"] == 404
    with pytest.raises(SessionGone):
        service.store.of_ticket(session.ticket, thief.visitor)


def test_a_tab_that_is_opened_from_the_page_finds_its_set_again(page: Page, photos: list[Path]):
    page.analyze_files(photos)
    page.click(0, *BALL[0])
    page.wait_for_masks()
    before = page.mask(1)
    # As a duplicated tab: the same browser, and a copy of what the tab remembers.
    with page.tab.expect_popup() as popup:
        page.tab.evaluate("() => { window.open(location.href, '_blank'); }")
    other = Page(popup.value, page.tab.url)
    other.wait_for_tiles()
    assert (other.mask(1) == before).all()


def test_without_cookies_the_set_works_until_it_is_reloaded(new_page, photos: list[Path]):
    page = new_page()
    page.tab.context.clear_cookies()
    page.tab.route("**/*", without_cookies)
    page.analyze_files(photos)
    page.click(0, *BALL[0])
    page.wait_for_masks()
    assert page.mask(1).any()
    with page.tab.expect_download() as download:
        page.action("export").click()
    assert download.value.path().stat().st_size > 1000


def without_cookies(route) -> None:
    route.continue_(headers={**route.request.headers, "cookie": ""})


def test_markup_that_came_into_the_page_would_not_run(page: Page):
    page.tab.evaluate(
        """(script) => {
            document.body.insertAdjacentHTML('beforeend', `<img src="data:," onerror="${script}">`);
            document.body.insertAdjacentHTML(
              'beforeend', `<iframe srcdoc="<script>parent.${script}</script>"></iframe>`);
            const inline = document.createElement('script');
            inline.textContent = script;
            document.body.append(inline);
            const away = document.createElement('script');
            away.src = 'data:text/javascript,' + script;
            document.body.append(away);
        }""",
        "document.title = 'ran'",
    )
    page.tab.wait_for_function("document.querySelector('iframe').contentDocument.readyState")
    page.next_frame()
    assert page.tab.title() != RAN
    assert any("Content Security Policy" in problem for problem in page.problems)


@pytest.fixture
def other_site(url: str) -> Iterator[str]:
    """A page of another site, by its host, that tries to use this one."""
    body = f"""<!doctype html><title>trying</title><script>
        const done = [];
        const attempt = (promise) => promise.then(
          async (answer) => done.push(answer.type + answer.status + await answer.text()),
          () => done.push('failed'));
        Promise.all([
          attempt(fetch('{url}config', {{credentials: 'include'}})),
          attempt(fetch('{url}gradio_api/app_id', {{credentials: 'include', mode: 'no-cors'}})),
          attempt(fetch('{url}gradio_api/queue/join', {{
            method: 'POST', body: '{{}}', credentials: 'include'}})),
        ]).then(() => {{ document.title = JSON.stringify(done); }});
        </script>""".encode()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://localhost:{server.server_port}/"
        server.shutdown()


def test_a_page_of_another_site_learns_nothing(page: Page, other_site: str):
    tab = page.tab.context.new_page()
    tab.goto(other_site)
    tab.wait_for_function("document.title !== 'trying'")
    learnt = tab.title()
    assert "components" not in learnt
    assert "app_id" not in learnt
    for answer in tab.evaluate("JSON.parse(document.title)"):
        assert answer in ("failed", "opaque0", "cors403Another site may not use this one.")


def test_the_page_runs_without_a_word_against_its_policy(page: Page, photos: list[Path]):
    page.analyze_files(photos)
    page.click(0, *BALL[0])
    page.wait_for_masks()
    page.wait_for_edges()
    with page.tab.expect_download() as download:
        page.action("export").click()
    assert download.value.suggested_filename == "pointprompt-masks.zip"
    assert download.value.failure() is None
    page.unfold()
    pictures = page.tab.locator("#pp-examples img")
    expect(pictures).not_to_have_count(0)
    page.tab.wait_for_function(
        "[...document.querySelectorAll('#pp-examples img')].every((one) => one.naturalWidth > 0)"
    )
    assert not [problem for problem in page.problems if "Content Security" in problem]


def test_the_page_works_below_another_address(
    browser: Browser, photos: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("GRADIO_ROOT_PATH", "/below")
    service = Service(SessionStore(tmp_path), Limits())
    demo = launch(service, quiet=True)
    context = new_context(browser)
    try:
        page = Page(context.new_page(), f"{demo.local_url}below/")
        requested: list[str] = []
        page.tab.on("request", lambda request: requested.append(urlsplit(request.url).path))
        page.open()
        page.analyze_files(photos[:2])
        page.click(0, *BALL[0])
        page.wait_for_masks()
        with page.tab.expect_download() as download:
            page.action("export").click()
        assert download.value.failure() is None
        ours = [path for path in requested if "/pointprompt/" in path]
        assert ours
        assert all(path.startswith("/below/pointprompt/") for path in ours)
        page.tab.reload()
        page.wait_for_tiles()
    finally:
        context.close()
        demo.close()
