"""Digits: 1,797 handwritten digits, 8 x 8 pixels, from scikit-learn."""

from __future__ import annotations

from pydl.datasets.sources import package_file
from pydl.datasets.splitting import Split, read_csv, stratified_split


def load_data() -> Split:
    """Loads the small digits that scikit-learn carries: 1,438 to train on and 359 to test with.

    The split is stratified and always the same.

    Returns:
        `((x_train, y_train), (x_test, y_test))`: images `(count, 8, 8)` with values from 0 to 16
        and labels `(count,)`, all uint8.

    Raises:
        FileNotFoundError: scikit-learn is not installed.

    Example:
        >>> (x_train, y_train), (x_test, y_test) = load_data()
        >>> x_train.shape, x_test.shape, int(x_train.max())
        ((1438, 8, 8), (359, 8, 8), 16)

    Source: Alpaydin and Kaynak, "Optical recognition of handwritten digits", UCI, 1998.
    """
    path = package_file("sklearn", "datasets/data/digits.csv.gz")
    if path is None:
        raise FileNotFoundError(
            "[datasets.digits] expected the package scikit-learn, which carries these digits, got "
            "none. Run: pip install scikit-learn"
        )
    pixels, labels = read_csv(path)
    return stratified_split(pixels.reshape(-1, 8, 8), labels, test_share=0.2)
