"""California housing: prices in 20,640 districts in 1990."""

from __future__ import annotations

from pydl.datasets.housing import read_housing
from pydl.datasets.single_file import FileDataset
from pydl.datasets.splitting import Split

_URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
_CHECKSUM = "1a2e3a52e0398de6463aebe6f4a8da34fb21fbb6b934cf88c3425e766f2a1a6f"


def load_data(
    version: str = "large",
    path: str = "california_housing.npz",
    test_split: float = 0.2,
    seed: int = 113,
) -> Split:
    """Loads the California housing data: 8 numbers about a district, and its median price.

    Args:
        version: `"large"` for all 20,640 districts, `"small"` for 600 of them.
        path: The name of the file in the folders that it is looked for in.
        test_split: The share of rows to test with.
        seed: Of the shuffle.

    Returns:
        `((x_train, y_train), (x_test, y_test))`: float32 `(count, 8)` and prices `(count,)` in
        dollars.

    Raises:
        FileNotFoundError: no source has it; the message says where to put the file.
        ValueError: another version, or a damaged file.

    Example:
        >>> (x_train, y_train), (x_test, y_test) = load_data(version="small")  # doctest: +SKIP
        >>> x_train.shape  # doctest: +SKIP
        (480, 8)

    Source: Pace and Barry, "Sparse spatial autoregressions", 1997.
    """
    if version not in ("large", "small"):
        raise ValueError(
            f"[datasets.california_housing] expected version 'large' or 'small', got {version!r}."
        )
    dataset = FileDataset("california_housing", path, _URL, _CHECKSUM)
    return read_housing(dataset.path(), test_split, seed, 600 if version == "small" else None)
