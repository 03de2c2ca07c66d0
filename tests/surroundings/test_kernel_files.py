"""Files of the kernel that take a setting."""

from pathlib import Path

import pytest

from ssd.surroundings.kernel_files import write_setting


def test_setting_is_written_and_a_missing_file_is_not_made(tmp_path: Path) -> None:
    """It is the kernel's to have it."""
    file = tmp_path / "setting"
    with pytest.raises(FileNotFoundError):
        write_setting(str(file), "5")
    file.write_text("4")
    write_setting(str(file), "5")
    assert "5" == file.read_text()
