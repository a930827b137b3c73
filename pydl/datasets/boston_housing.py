"""Boston housing: prices of 506 homes of the 1970s."""

from __future__ import annotations

from pydl.datasets.housing import read_housing
from pydl.datasets.single_file import FileDataset
from pydl.datasets.splitting import Split

_URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
_CHECKSUM = "f553886a1f8d56431e820c5b82552d9d95cfcb96d1e678153f8839538947dff5"


def load_data(
    path: str = "boston_housing.npz", test_split: float = 0.2, seed: int = 113
) -> Split:
    """Loads the Boston housing data: 13 numbers about a suburb, and the median price of its homes.

    One of the numbers goes back to the share of Black people there, by a formula that assumes that
    it lowers prices; do not learn about housing from it. `california_housing` has no such column.

    Args:
        path: The name of the file in the folders that it is looked for in.
        test_split: The share of rows to test with.
        seed: Of the shuffle.

    Returns:
        `((x_train, y_train), (x_test, y_test))`: float64 `(count, 13)`, and prices `(count,)` in
        thousands of dollars.

    Raises:
        FileNotFoundError: no source has it; the message says where to put the file.
        ValueError: a damaged file.

    Example:
        >>> (x_train, y_train), (x_test, y_test) = load_data()  # doctest: +SKIP
        >>> x_train.shape  # doctest: +SKIP
        (404, 13)
    """
    dataset = FileDataset("boston_housing", path, _URL, _CHECKSUM)
    return read_housing(dataset.path(), test_split, seed)
