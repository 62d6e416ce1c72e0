"""From start to masks with the network forbidden: everything needed is installed."""

import subprocess
import sys
import textwrap

SCRIPT = textwrap.dedent(
    """
    import socket
    import sys
    import tempfile
    from pathlib import Path
    from urllib.request import urlopen

    LOCAL = ("127.0.0.1", "::1", "localhost", "0.0.0.0", None, "")
    attempts = []

    def forbid(function, host_of):
        def checked(*args, **kwargs):
            host = host_of(args)
            if host not in LOCAL:
                attempts.append(host)
                raise OSError(f"the network is forbidden: {host}")
            return function(*args, **kwargs)

        return checked

    def address_host(args):
        return args[1][0] if isinstance(args[1], tuple) else None

    socket.getaddrinfo = forbid(socket.getaddrinfo, lambda args: args[0])
    socket.socket.connect = forbid(socket.socket.connect, address_host)
    socket.socket.connect_ex = forbid(socket.socket.connect_ex, address_host)

    from pointprompt.sources.examples import example_set
    from pointprompt.sources.photos import Limits
    from pointprompt.server.sessions import SessionStore
    from pointprompt.ui.launch import launch
    from pointprompt.types import BackboneRequest
    from pointprompt.server.fetching import make_files
    from pointprompt.server.service import Service

    root = Path(tempfile.mkdtemp())
    service = Service(SessionStore(root), Limits())
    demo = launch(service, quiet=True)
    assert urlopen(demo.local_url).status == 200

    fetch = make_files(example_set("still-life"))
    choice = BackboneRequest("efficientnet_lite0")
    session, rejected, added = service.analyze(fetch, choice, "page", lambda step: None)
    click = {"image": 0, "x": 0.31, "y": 0.42, "positive": True}
    message = {"session": session.token, "seq": 1, "clicks": [click], "settings": {}}
    assert len(service.predict(message)["masks"]) > 100
    demo.close()
    print("attempts:", sorted(set(attempts)))
    """
)


def test_the_app_goes_from_start_to_masks_without_any_network():
    finished = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=300, check=False
    )
    assert finished.returncode == 0, finished.stderr[-3000:]
    assert finished.stdout.strip().endswith("attempts: []"), finished.stdout
