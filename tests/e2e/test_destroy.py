"""A workspace that is mounted anew leaves nothing of the one before."""

from __future__ import annotations

from tests.e2e.modules import ORIGIN
from tests.e2e.workspace import MOUNT, answered, open_workspace

# Counts what is held open: listeners, observers and timers.
COUNT = """() => {
    window.held = { listeners: 0, observers: 0, timers: 0 };
    const add = EventTarget.prototype.addEventListener;
    EventTarget.prototype.addEventListener = function (type, listener, options) {
      if (!(this instanceof AbortSignal)) {
        held.listeners += 1;
        const gone = () => { held.listeners -= 1; };
        if (options?.signal) add.call(options.signal, 'abort', gone, { once: true });
      }
      return add.call(this, type, listener, options);
    };
    for (const name of ['IntersectionObserver', 'ResizeObserver', 'MutationObserver']) {
      const Observer = window[name];
      window[name] = class extends Observer {
        observe(...given) {
          if (!this.isOpen) held.observers += 1;
          this.isOpen = true;
          super.observe(...given);
        }
        disconnect() {
          if (this.isOpen) held.observers -= 1;
          this.isOpen = false;
          super.disconnect();
        }
      };
    }
    const timers = new Set();
    const [start, stop] = [window.setTimeout, window.clearTimeout];
    const note = () => { held.timers = timers.size; };
    window.setTimeout = (callback, ...given) => {
      const timer = start(() => { timers.delete(timer); note(); callback(); }, ...given);
      timers.add(timer);
      note();
      return timer;
    };
    window.clearTimeout = (timer) => { timers.delete(timer); note(); stop(timer); };
}"""


def test_what_a_workspace_holds_open_is_let_go_when_it_ends_or_another_takes_its_place(
    context, server
):
    tab = open_workspace(context, server, ["a.jpg", "b.jpg"], before_mount=COUNT)
    held = tab.evaluate("({ ...held })")
    assert held["listeners"] > 40
    assert held["observers"] == 7
    assert held["timers"] > 0

    manifest = tab.evaluate("manifest")
    for _ in range(3):
        tab.evaluate(MOUNT, manifest)
        answered(tab)
    again = tab.evaluate("({ ...held })")
    assert (again["listeners"], again["observers"]) == (held["listeners"], held["observers"])

    tab.locator(".pp-overlay").nth(0).press("Enter")
    answered(tab)
    tab.evaluate("workspace.destroy()")
    assert tab.evaluate("held") == {"listeners": 0, "observers": 0, "timers": 0}
    asked = len(server.requests)
    tab.locator(".pp-overlay").nth(0).press("Enter")
    tab.evaluate("openAnother({ session: 'next' })")
    tab.goto(ORIGIN)
    assert len(server.requests) == asked
    tab.close()
