"""What models trained on ImageNet take and give: scaled pixels, and scores of 1000 classes."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from typing import Any

import numpy as np

from pydl import ops
from pydl.applications.published import Published, fetch

__all__ = ["decode_predictions", "preprocess_input"]

_CLASSES = 1000
_CLASS_INDEX = Published(
    "https://storage.googleapis.com/download.tensorflow.org/data/imagenet_class_index.json",
    "c2c37ea517e94d9795004a39431a14cb",
)
_BGR_MEAN = (103.939, 116.779, 123.68)  # of ImageNet, on a scale to 255
_RGB_MEAN, _RGB_DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # on a scale to 1


def preprocess_input(x: Any, data_format: str | None = None, mode: str = "caffe") -> Any:
    """Scales pixels as the weights of a family of models expect them.

    Every family has a function of the same name with the `mode` that is right for it.

    Args:
        x: RGB pixels from 0 to 255, `(..., height, width, 3)`: an array, a tensor, or a symbolic
            tensor in a model that is to do this itself. It is left as it is.
        data_format: "channels_first" where the channels are the third axis from the end.
        mode: "tf" scales to the range from -1 to 1; "torch" to 0 to 1, less the mean of ImageNet
            and over its standard deviation; "caffe" swaps red and blue and subtracts the mean.

    Returns:
        As many numbers, of the same kind; float32 where pixels were whole numbers.

    Raises:
        ValueError: another mode or data format.

    Example:
        >>> preprocess_input(np.array([[[0, 127.5, 255]]]), mode="tf").tolist()
        [[[-1.0, 0.0, 1.0]]]
    """
    if mode not in ("caffe", "tf", "torch"):
        raise ValueError(
            f"[preprocess_input] expected mode to be 'caffe', 'tf' or 'torch', got {mode!r}."
        )
    if data_format not in (None, "channels_first", "channels_last"):
        raise ValueError(
            "[preprocess_input] expected data_format to be 'channels_first' or 'channels_last', "
            f"got {data_format!r}."
        )
    library: Any = np if isinstance(x, np.ndarray) else ops
    if "float" not in str(x.dtype):
        x = x.astype("float32") if library is np else ops.cast(x, "float32")
    axis = -3 if data_format == "channels_first" else -1

    def of_channels(values: tuple[float, ...]) -> Any:
        shape = (3, 1, 1) if axis == -3 else (3,)
        array = np.array(values, "float32" if library is ops else x.dtype).reshape(shape)
        return array if library is np else array.tolist()

    if mode == "tf":
        return x / 127.5 - 1.0
    if mode == "torch":
        return (x / 255.0 - of_channels(_RGB_MEAN)) / of_channels(_RGB_DEVIATION)
    return library.flip(x, axis) - of_channels(_BGR_MEAN)


def preprocessor(mode: str | None) -> Callable[..., Any]:
    """Returns the `preprocess_input` of a family; None for models that scale pixels themselves."""

    def preprocess(x: Any, data_format: str | None = None) -> Any:
        return x if mode is None else preprocess_input(x, data_format, mode)

    preprocess.__name__ = preprocess.__qualname__ = "preprocess_input"
    preprocess.__doc__ = (
        "Returns pixels as they are: these models scale them themselves."
        if mode is None
        else f"Scales pixels as `imagenet_utils.preprocess_input` does for mode={mode!r}."
    )
    return preprocess


def decode_predictions(preds: Any, top: int = 5) -> list[list[tuple[str, str, float]]]:
    """Names the classes of ImageNet that a model finds likeliest.

    The names come from the network the first time, and from the cache later.

    Args:
        preds: Scores `(images, 1000)`.
        top: How many classes to give for every image.

    Returns:
        For every image `(identifier, name, score)` of each class, the likeliest first.

    Raises:
        ValueError: Scores of another shape.
        OSError: The names could not be downloaded.
    """
    scores = np.asarray(preds)
    if scores.ndim != 2 or scores.shape[1] != _CLASSES:
        raise ValueError(
            f"[decode_predictions] expected scores of shape (images, {_CLASSES}), "
            f"got {scores.shape}. Hint: it is for models with the classes of ImageNet."
        )
    names = _class_names()
    best = np.argsort(-scores, axis=1, kind="stable")[:, :top]
    return [[(*names[i], row[i]) for i in indices] for row, indices in zip(scores, best)]


@functools.cache
def _class_names() -> list[tuple[str, str]]:
    with open(fetch("decode_predictions", "the names of the classes", _CLASS_INDEX)) as file:
        by_number = json.load(file)
    return [tuple(by_number[str(i)]) for i in range(_CLASSES)]
