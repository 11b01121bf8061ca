"""The programs on the page about Python work as described."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs/python.md"


def blocks(word: str) -> list[str]:
    """The page's programs that have this word."""
    parts = PAGE.read_text().split("```python\n")[1:]
    return [code for part in parts if word in (code := part.split("```")[0])]


def run(code: str, folder: Path, *arguments: str, **variables: str) -> str:
    words = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(words, cwd=folder, env={**os.environ, **variables}, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_run_is_followed_into_trackio(hopper: Path, tmp_path: Path) -> None:
    (code,) = blocks("trackio")
    assert len(code.strip().splitlines()) <= 20
    run(code, tmp_path, str(hopper), TRACKIO_DIR=str(tmp_path / "trackio"), HF_HUB_OFFLINE="1")
    (database,) = (tmp_path / "trackio").glob("*.db")
    with sqlite3.connect(database) as stored:
        steps = [step for (step,) in stored.execute("select step from metrics order by id")]
    lines = (hopper / "metrics.jsonl").read_text().splitlines()
    assert steps == [json.loads(line)["step"] for line in lines]


def test_the_programs_that_act_and_read_run(hopper: Path, tmp_path: Path) -> None:
    folder = tmp_path / "runs/hopper/smoke"
    folder.mkdir(parents=True)
    (folder / "0").symlink_to(hopper)
    for word in ("dreamgraft.load", "dreamgraft.metrics"):
        (code,) = blocks(word)
        assert run(code, tmp_path).strip(), code
