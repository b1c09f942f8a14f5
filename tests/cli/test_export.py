"""``optimizer export``: text to stdout, files never written over unasked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def run(cli: Callable, tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    assert cli("solve", "tiny/space", "--objectives", "tco,throughput", "--out", str(folder)).code == 0
    return folder


def test_text_goes_to_stdout_and_files_are_kept(cli: Callable, run: Path, tmp_path: Path) -> None:
    shown = cli("export", str(run))
    assert shown.code == 0
    assert shown.out.startswith("design_id,proof,tco_usd,")
    out = tmp_path / "table.md"
    assert cli("export", str(run), "--format", "md", "--out", str(out)).code == 0
    before = out.read_bytes()
    refused = cli("export", str(run), "--format", "md", "--out", str(out))
    assert refused.code == 2
    assert "--force" in refused.err
    assert out.read_bytes() == before
    told = cli("export", str(run), "--format", "md", "--out", str(out), "--force", "--json").document
    assert told["status"] == "complete"
    assert told["data"]["out"] == str(out)
    assert {"name", "unit", "direction", "meaning"} == set(told["data"]["columns"][0])
