"""Small data sets to learn and test with, loaded as Keras loads them.

Each module has one function, `load_data()`, that returns
`((x_train, y_train), (x_test, y_test))` as NumPy arrays.
"""

from __future__ import annotations

from pydl.datasets import digits, fashion_mnist, mnist

__all__ = ["digits", "fashion_mnist", "mnist"]
