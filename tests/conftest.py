"""For all tests: what they may rely on of the process they run in."""

from __future__ import annotations

import signal

from hypothesis import settings

# A shell's background job ignores SIGINT, and so would every server that a test starts.
signal.signal(signal.SIGINT, signal.default_int_handler)

# How long an example takes is the machine's affair.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")
