"""Fashion-MNIST: 70,000 pictures of clothes, 28 x 28 pixels."""

from __future__ import annotations

from pathlib import Path

from pydl.datasets.sources import IdxDataset
from pydl.datasets.splitting import Split

_DATASET = IdxDataset(
    name="fashion-mnist",
    folders=("fashion-mnist", "fashion_mnist", "FashionMNIST", "FashionMNIST/raw"),
    system_folder=Path("/usr/share/datasets/fashion-mnist"),  # Debian's dataset-fashion-mnist
    urls=("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",),
    sha256={
        "train-images-idx3-ubyte": (
            "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888"
        ),
        "train-labels-idx1-ubyte": (
            "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9"
        ),
        "t10k-images-idx3-ubyte": (
            "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b"
        ),
        "t10k-labels-idx1-ubyte": (
            "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34"
        ),
    },
)


def load_data() -> Split:
    """Loads Fashion-MNIST: 60,000 pictures to train on and 10,000 to test with.

    Looked for in this order: the folder that `PYDL_DATA_DIR` names (or `fashion-mnist/` in it),
    the cache (`PYDL_CACHE_DIR`, by default `~/.cache/pydl`, there in `datasets/fashion-mnist/`),
    the folder of Debian's package `dataset-fashion-mnist`, and the network, from where it goes to
    the cache.

    The labels: 0 T-shirt, 1 trouser, 2 pullover, 3 dress, 4 coat, 5 sandal, 6 shirt, 7 sneaker,
    8 bag, 9 ankle boot.

    Returns:
        `((x_train, y_train), (x_test, y_test))`: images `(count, 28, 28)` and labels `(count,)`,
        all uint8.

    Raises:
        FileNotFoundError: no source has it; the message says where to put which files.
        ValueError: a file is damaged; the message names it.

    Example:
        >>> (x_train, y_train), (x_test, y_test) = load_data()  # doctest: +SKIP
        >>> x_train.shape, y_test.shape  # doctest: +SKIP
        ((60000, 28, 28), (10000,))

    Source: Xiao, Rasul and Vollgraf, "Fashion-MNIST: a novel image dataset for benchmarking
    machine learning algorithms", 2017.
    """
    local = _DATASET.load_local()
    if local is not None:
        return local
    return _DATASET.download(advice="On Debian: apt install dataset-fashion-mnist.")
