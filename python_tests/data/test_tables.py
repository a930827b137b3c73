"""read_table: CSV files and pandas frames."""

import numpy as np
import pytest

from pydl.data import Dataset, read_table

TEXT = "city,rooms,price\nRome,3,1.5\nParis,NA,2.5\n\n,4, \n"


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "homes.csv"
    path.write_text(TEXT)
    return path


@pytest.mark.parametrize(
    "missing,rooms,price",
    [
        ("mean", [3, 3.5, 4], [1.5, 2.5, 2]), ("zero", [3, 0, 4], [1.5, 2.5, 0]),
        ("median", [3, 3.5, 4], [1.5, 2.5, 2]), ("drop", [3], [1.5]),
    ],
)  # fmt: skip
def test_missing_numbers(path, missing, rooms, price):
    table, target = read_table(path, target="price", missing=missing)
    assert list(table) == ["city", "rooms"]
    np.testing.assert_array_equal(table["rooms"], np.array(rooms, "float32"))
    np.testing.assert_array_equal(target, np.array(price, "float32"))
    assert table["city"].tolist() == ["Rome", "Paris", ""][: len(rooms)]


def test_missing_numbers_are_named(path):
    with pytest.raises(ValueError, match="row 2, column 'rooms'"):
        read_table(path)


def test_unreadable_cells_are_named(path):
    path.write_text("a,b\n1,2\n3,four\n")
    with pytest.raises(ValueError, match="got 'four' in row 2, column 'b'"):
        read_table(path)
    assert read_table(path, text_columns=["b"])["b"].tolist() == ["2", "four"]


def test_rows_of_another_length_are_named(path):
    path.write_text("a,b\n1,2\n3\n")
    with pytest.raises(ValueError, match="expected 2 cells, got 1 in row 2"):
        read_table(path)


def test_frames():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"x": [1.0, None, 3.0], "s": ["a", None, "c"], "n": [1, 2, 3]})
    frame["i"] = pandas.array([1, None, 3], dtype="Int64")
    table = read_table(frame, missing="zero")
    assert table["x"].tolist() == [1, 0, 3] and table["i"].tolist() == [1, 0, 3]
    assert table["s"].tolist() == ["a", "", "c"] and table["n"].dtype == "float32"


def test_columns_and_dataset(path):
    table = read_table(path, columns=["rooms"], missing="zero")
    (batch,) = Dataset.from_arrays(table).batch(3)
    assert batch["rooms"].tolist() == [3, 0, 4]
    with pytest.raises(ValueError, match="column named 'size', got city, rooms, price"):
        read_table(path, target="size")
    path.write_text("")
    with pytest.raises(ValueError, match="expected names in the first row"):
        read_table(path)


def test_quotes_and_other_delimiters(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text('name;x\n"a; b";1\n')
    assert read_table(path, delimiter=";")["name"].tolist() == ["a; b"]
