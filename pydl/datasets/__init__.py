"""Data sets to learn and test with, loaded as Keras loads them.

Each module has a function `load_data()` that returns `((x_train, y_train), (x_test, y_test))` as
NumPy arrays.
"""

from __future__ import annotations

from pydl.datasets import (
    boston_housing,
    california_housing,
    cifar10,
    cifar100,
    digits,
    fashion_mnist,
    imdb,
    mnist,
    reuters,
)

__all__ = [
    "boston_housing",
    "california_housing",
    "cifar10",
    "cifar100",
    "digits",
    "fashion_mnist",
    "imdb",
    "mnist",
    "reuters",
]
