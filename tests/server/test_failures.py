import errno
import os

import pytest

from pointprompt.server.failures import sentence_of


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_said_without_the_servers_paths(number):
    error = OSError(number, os.strerror(number), "/srv/secret/place")
    sentence = sentence_of(error)
    assert sentence.startswith("The disk of the server is full.")
    assert "secret" not in sentence


def test_another_trouble_with_a_file_is_named():
    error = OSError(errno.EACCES, os.strerror(errno.EACCES), "/srv/secret/place")
    assert "Permission denied" in sentence_of(error)
    assert "secret" not in sentence_of(error)
