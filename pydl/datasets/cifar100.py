"""CIFAR-100: 60,000 small color pictures of a hundred kinds of things."""

from __future__ import annotations

from pydl.datasets.cifar import read_batches
from pydl.datasets.single_file import FileDataset
from pydl.datasets.splitting import Split

_DATASET = FileDataset(
    name="cifar100",
    file="cifar-100-python.tar.gz",
    url="https://www.cs.toronto.edu/~kriz/",
    checksum="85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7",
)


def load_data(label_mode: str = "fine") -> Split:
    """Loads CIFAR-100: 50,000 pictures to train on and 10,000 to test with.

    Args:
        label_mode: `"fine"` for the 100 kinds, `"coarse"` for the 20 groups of them.

    Returns:
        `((x_train, y_train), (x_test, y_test))`: pictures `(count, 32, 32, 3)` and labels
        `(count, 1)`, all uint8.

    Raises:
        FileNotFoundError: no source has it; the message says where to put the file.
        ValueError: another `label_mode`, or a damaged file.

    Example:
        >>> (x_train, y_train), _ = load_data("coarse")  # doctest: +SKIP
        >>> int(y_train.max())  # doctest: +SKIP
        19

    Source: Krizhevsky, "Learning multiple layers of features from tiny images", 2009.
    """
    if label_mode not in ("fine", "coarse"):
        raise ValueError(
            f"[datasets.cifar100] expected label_mode 'fine' or 'coarse', got {label_mode!r}."
        )
    archive, key = _DATASET.path(), f"{label_mode}_labels"
    train, test = (f"cifar-100-python/{part}" for part in ("train", "test"))
    return read_batches(archive, [train], key), read_batches(archive, [test], key)
