from __future__ import annotations

from pathlib import Path

import pytest

from pointprompt.server import parsing
from pointprompt.server.fetching import link_files
from pointprompt.server.jobs import Cancelled
from pointprompt.server.mask_files import write_masks
from pointprompt.server.service import Service
from pointprompt.types import Progress
from tests.server.test_service import REQUEST, no_tsne, photo, service, silent

__all__ = ["no_tsne", "service"]


def test_a_prediction_that_is_given_up_leaves_no_file(service: Service, tmp_path: Path):
    files = [photo(tmp_path / f"{n}.png", (0, 0), (2, 2)) for n in range(2)]
    session = service.analyze(link_files(files), REQUEST, "", silent).session
    request = parsing.parse_things(session.token, [{"clicks": [{"image": 0, "x": 0.1, "y": 0.1}]}])

    def cancel(step: Progress) -> None:
        if step.done:
            raise Cancelled

    with pytest.raises(Cancelled):
        write_masks(session, request, cancel)
    assert not list((session.folder / "masks").iterdir())
    found = write_masks(session, request, silent)
    assert [one.path.name for one in found] == ["0.png", "1.png"]
