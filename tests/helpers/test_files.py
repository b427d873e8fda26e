import pytest

from helpers.errors import UserError
from helpers.files import write_atomically


def test_a_file_is_replaced_with_its_mode(tmp_path) -> None:
    file = tmp_path / "a.json"
    file.write_text("old")
    file.chmod(0o600)
    write_atomically(file, "neu ×\n")
    assert file.read_bytes() == "neu ×\n".encode()
    assert file.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [file]


def test_what_cannot_be_written_leaves_nothing_behind(tmp_path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(UserError, match=r"folder cannot be written: Is a directory\nHint: Name a file"):
        write_atomically(tmp_path / "folder", "text")
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]
