"""CIFAR-10: 60,000 small color pictures of ten kinds of things."""

from __future__ import annotations

from pydl.datasets.cifar import read_batches
from pydl.datasets.single_file import FileDataset
from pydl.datasets.splitting import Split

_DATASET = FileDataset(
    name="cifar10",
    file="cifar-10-python.tar.gz",
    url="https://www.cs.toronto.edu/~kriz/",
    checksum="6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
)


def load_data() -> Split:
    """Loads CIFAR-10: 50,000 pictures to train on and 10,000 to test with.

    The labels: 0 airplane, 1 automobile, 2 bird, 3 cat, 4 deer, 5 dog, 6 frog, 7 horse, 8 ship,
    9 truck. `cifar-10-python.tar.gz` is looked for in the folder that `PYDL_DATA_DIR` names, in the
    cache and on the network.

    Returns:
        `((x_train, y_train), (x_test, y_test))`: pictures `(count, 32, 32, 3)` and labels
        `(count, 1)`, all uint8.

    Raises:
        FileNotFoundError: no source has it; the message says where to put the file.
        ValueError: the file is damaged.

    Example:
        >>> (x_train, y_train), (x_test, y_test) = load_data()  # doctest: +SKIP
        >>> x_train.shape, y_test.shape  # doctest: +SKIP
        ((50000, 32, 32, 3), (10000, 1))

    Source: Krizhevsky, "Learning multiple layers of features from tiny images", 2009.
    """
    archive, folder = _DATASET.path(), "cifar-10-batches-py"
    train = [f"{folder}/data_batch_{i}" for i in range(1, 6)]
    return (
        read_batches(archive, train, "labels"),
        read_batches(archive, [f"{folder}/test_batch"], "labels"),
    )
