"""What every test of the auditor needs."""

from pathlib import Path

import pytest


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An empty home, with room for witnesses beside it."""
    folder = tmp_path / "home"
    folder.mkdir()
    return folder
