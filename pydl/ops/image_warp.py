"""Images sampled at other places: maps of coordinates, elastic and perspective changes, crops."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from pydl import _core, random
from pydl._core import ShapeError, Tensor
from pydl.ops.host import array, floating, wrapped
from pydl.ops.image_batch import on_batch
from pydl.ops.image_filter import gaussian_blur
from pydl.typing import ArrayLike

__all__ = [
    "crop_images",
    "elastic_transform",
    "map_coordinates",
    "pad_images",
    "perspective_transform",
    "scale_and_translate",
]

_FILL_MODES = ("constant", "nearest", "wrap", "mirror", "reflect")
_ORDERS = {"nearest": 0, "bilinear": 1}


def map_coordinates(
    inputs: ArrayLike,
    coordinates: ArrayLike,
    order: int,
    fill_mode: str = "constant",
    fill_value: float = 0,
) -> Tensor:
    """The values of a tensor at any coordinates.

    Args:
        inputs: Any shape.
        coordinates: For each axis of `inputs`, one coordinate for each value wanted.
        order: 0 takes the nearest element, 1 is linear between neighbours.
        fill_mode: What is outside: "constant", "nearest", "wrap", "mirror" (the edge once) or "reflect"
            (the edge twice).
        fill_value: For "constant".

    Returns:
        The shape of one axis's coordinates.

    Raises:
        ShapeError: If there are not as many coordinates as axes.
        ValueError: If `order` or `fill_mode` is another.

    Example:
        >>> from pydl.ops import image
        >>> image.map_coordinates([10.0, 20.0], [[0.25, 1.0]], order=1)
        tensor([12.5, 20. ])
    """
    x, places = _core.as_tensor(inputs), floating(coordinates)
    if places.ndim < 2 or places.shape[0] != x.ndim:
        raise ShapeError(
            f"[map_coordinates] expected ({x.ndim}, ...) coordinates for shape {x.shape}, got "
            f"{places.shape}"
        )
    if order not in (0, 1):
        raise ValueError(f"[map_coordinates] expected order 0 or 1, got {order}")
    _check_fill_mode("map_coordinates", fill_mode)
    value = _sampled(_core.reshape(x, (-1, 1)), x.shape, _core.unstack(places, 0), order,
                     fill_mode, fill_value)  # fmt: skip
    return _core.squeeze(value, (-1,))


def _check_fill_mode(op: str, fill_mode: str) -> None:
    if fill_mode not in _FILL_MODES:
        raise ValueError(f"[{op}] expected fill_mode {', '.join(_FILL_MODES)}, got {fill_mode!r}")


def _sampled(
    rows: Tensor, shape: Sequence[int], places: list, order: int, fill_mode: str, fill_value: float
) -> Tensor:
    """Rows of a flattened tensor at coordinates, each a weighted sum of those around."""
    choices = []
    for place in places:
        if order == 0:
            choices.append([(array(_core.floor(place + 0.5)).astype("int64"), None)])
            continue
        low = _core.floor(place)
        share = place - low
        below = array(low).astype("int64")
        choices.append([(below, 1 - share), (below + 1, share)])
    total: Any = 0
    for corner in itertools.product(*choices):
        where, inside, weight = 0, np.bool_(True), None
        for (index, share), size in zip(corner, shape):
            inside = inside & (index >= 0) & (index < size)
            where = where * size + _brought_inside(index, size, fill_mode)
            if share is not None:
                weight = share if weight is None else weight * share
        value = _core.take(rows, where, 0)
        if fill_mode == "constant" and not inside.all():
            value = _core.where(wrapped(inside[..., None]), value, fill_value)
        if weight is not None:
            value = value * _core.expand_dims(weight, -1)
        total = value if order == 0 else total + value
    return total if order == 0 else _like_inputs(total, rows)


def _like_inputs(value: Tensor, rows: Tensor) -> Tensor:
    if "float" in rows.dtype:
        return _core.cast(value, rows.dtype)
    return _core.cast(_core.round(value), rows.dtype)


def _brought_inside(index: np.ndarray, size: int, fill_mode: str) -> np.ndarray:
    if fill_mode == "wrap":
        return index % size
    if fill_mode == "mirror":
        period = max(2 * (size - 1), 1)
        folded = np.abs(index) % period
        return np.minimum(folded, period - folded) if size > 1 else np.zeros_like(index)
    if fill_mode == "reflect":
        folded = index % (2 * size)
        return np.minimum(folded, 2 * size - 1 - folded)
    return np.clip(index, 0, size - 1)


def elastic_transform(
    images: ArrayLike,
    alpha: float = 20.0,
    sigma: float = 5.0,
    interpolation: str = "bilinear",
    fill_mode: str = "reflect",
    fill_value: float = 0.0,
    seed: Any = None,
    data_format: str | None = None,
) -> Tensor:
    """Images distorted by random, smooth displacements.

    Simard et al. (2003), "Best practices for convolutional neural networks applied to visual document
    analysis".

    Args:
        images: A floating image or a batch.
        alpha: How strong the displacements are.
        sigma: How smooth they are, in pixels.
        interpolation: "bilinear" or "nearest".
        fill_mode: As in `map_coordinates`.
        fill_value: For "constant".
        seed: None, an integer or a `SeedGenerator`.
        data_format: "channels_last", also for None, or "channels_first".

    Returns:
        Like `images`.

    Raises:
        ValueError: If `interpolation` or `fill_mode` is another.

    Example:
        >>> from pydl.ops import image
        >>> image.elastic_transform(np.ones((8, 8, 3), "float32"), seed=1).shape
        (8, 8, 3)
    """
    if interpolation not in _ORDERS:
        raise ValueError(
            f"[elastic_transform] expected interpolation {', '.join(_ORDERS)}, got {interpolation!r}"
        )
    _check_fill_mode("elastic_transform", fill_mode)
    generator = random.SeedGenerator(seed) if isinstance(seed, int) else seed

    def run(batch: Tensor) -> Tensor:
        n, height, width, channels = batch.shape
        size = (int(6 * sigma) | 1,) * 2
        moves = [
            gaussian_blur(random.normal((n, height, width, 1), 0.0, sigma, seed=generator), size,
                          (sigma, sigma))[..., 0] * alpha for _ in range(2)
        ]  # fmt: skip
        rows, columns = np.mgrid[:height, :width].astype("float32")
        numbers = wrapped(np.broadcast_to(np.arange(n, dtype="float32")[:, None, None],
                                          (n, height, width)))  # fmt: skip
        places = [numbers, moves[1] + rows, moves[0] + columns]
        flat = _core.reshape(batch, (-1, channels))
        return _sampled(flat, (n, height, width), places, _ORDERS[interpolation], fill_mode,
                        fill_value)  # fmt: skip

    return on_batch("elastic_transform", run, images, data_format)


def perspective_transform(
    images: ArrayLike,
    start_points: ArrayLike,
    end_points: ArrayLike,
    interpolation: str = "bilinear",
    fill_value: float = 0,
    data_format: str | None = None,
) -> Tensor:
    """Images seen from elsewhere: four points go to four others, and straight lines stay straight.

    Args:
        images: A floating image or a batch.
        start_points: Four points (column, row) of an image, shape ``(4, 2)`` or ``(batch, 4, 2)``.
        end_points: Where they go.
        interpolation: "bilinear" or "nearest".
        fill_value: What is outside of an image.
        data_format: "channels_last", also for None, or "channels_first".

    Returns:
        Like `images`.

    Raises:
        ShapeError: If the points have another shape.
        ValueError: If three of the points lie on a line.

    Example:
        >>> from pydl.ops import image
        >>> corners = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
        >>> picture = np.arange(4.0, dtype="float32").reshape(2, 2, 1)
        >>> image.perspective_transform(picture, corners, corners)[..., 0]
        tensor([[0., 1.],
                [2., 3.]])
    """
    start, end = (array(floating(p)).astype("float64") for p in (start_points, end_points))
    if start.shape != end.shape or start.ndim not in (2, 3) or start.shape[-2:] != (4, 2):
        raise ShapeError(
            f"[perspective_transform] expected points (4, 2) or (batch, 4, 2), got shapes {start.shape} "
            f"and {end.shape}"
        )
    transforms = homographies(start.reshape(-1, 4, 2), end.reshape(-1, 4, 2))

    def run(batch: Tensor) -> Tensor:
        of_all = np.broadcast_to(transforms, (batch.shape[0], 8)).copy()
        return _core.affine_transform(batch, of_all, interpolation, "constant", float(fill_value))

    return on_batch("perspective_transform", run, images, data_format)


def homographies(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """The eight numbers of the map from each `end` back to its `start`, one row a batch entry."""
    x, y = end[..., 0], end[..., 1]
    zero, one = np.zeros_like(x), np.ones_like(x)
    for_x = [x, y, one, zero, zero, zero, -start[..., 0] * x, -start[..., 0] * y]
    for_y = [zero, zero, zero, x, y, one, -start[..., 1] * x, -start[..., 1] * y]
    equations = np.stack([np.stack(for_x, -1), np.stack(for_y, -1)], 2).reshape(-1, 8, 8)
    try:
        return np.linalg.solve(equations, start.reshape(-1, 8, 1))[..., 0]
    except np.linalg.LinAlgError as error:
        raise ValueError(
            "[perspective_transform] expected four points of which no three lie on a line"
        ) from error


def scale_and_translate(
    images: ArrayLike,
    output_shape: Sequence[int],
    scale: ArrayLike,
    translation: ArrayLike,
    spatial_dims: Sequence[int],
    method: str,
    antialias: bool = True,
) -> Tensor:
    """Images scaled and moved by parts of pixels; outside of them are zeros.

    Args:
        images: Any shape.
        output_shape: Of the result; as `images` but for the axes of space.
        scale: A factor for each axis of space.
        translation: A distance for each of them, in pixels of the result.
        spatial_dims: The axes of space.
        method: "linear" ("bilinear", "trilinear", "triangle"), "cubic" ("bicubic", "tricubic"),
            "lanczos3" or "lanczos5".
        antialias: Whether every pixel of a smaller result is a mean over all that it covers.

    Returns:
        Shape `output_shape`.

    Raises:
        ValueError: If the method is another, or there are not as many numbers as axes.

    Example:
        >>> from pydl.ops import image
        >>> image.scale_and_translate([1.0, 3.0], (4,), [2.0], [0.0], (0,), "linear")
        tensor([1. , 1.5, 2.5, 3. ])
    """
    x = floating(images)
    factors, moves = (array(v).astype("float64").reshape(-1) for v in (scale, translation))
    if not len(factors) == len(moves) == len(spatial_dims) or len(output_shape) != x.ndim:
        raise ValueError(
            f"[scale_and_translate] expected a factor and a distance for each of axes {spatial_dims} and "
            f"{x.ndim} extents, got {factors}, {moves} and {output_shape}"
        )
    for axis, factor, move in zip(spatial_dims, factors, moves):
        weights = _weights(x.shape[axis], output_shape[axis], factor, move, method, antialias)
        product = _core.tensordot(x, wrapped(weights, x.dtype), (axis,), (0,))
        order = list(range(x.ndim - 1))
        order.insert(axis % x.ndim, x.ndim - 1)
        x = _core.permute(product, order)
    return x


def _weights(size, wanted, factor, move, method, antialias) -> np.ndarray:
    """How much of each pixel goes into each one of the result, for one axis."""
    places = (np.arange(wanted) + 0.5 - move) / factor - 0.5
    spread = max(1 / factor, 1.0) if antialias else 1.0
    distances = np.abs(places[None] - np.arange(size)[:, None]) / spread
    weights = _kernel(method, distances)
    sums = weights.sum(0, keepdims=True)
    weights = np.where(
        np.abs(sums) > 1000 * np.finfo("float32").eps, weights / np.where(sums, sums, 1), 0
    )
    return np.where((places >= -0.5) & (places <= size - 0.5), weights, 0)


def _kernel(method: str, d: np.ndarray) -> np.ndarray:
    if method in ("linear", "bilinear", "trilinear", "triangle"):
        return np.maximum(0, 1 - d)
    if method in ("cubic", "bicubic", "tricubic"):
        near, far = (1.5 * d - 2.5) * d * d + 1, ((-0.5 * d + 2.5) * d - 4) * d + 2
        return np.where(d >= 2, 0, np.where(d >= 1, far, near))
    if method in ("lanczos3", "lanczos5"):
        radius = float(method[-1])
        return np.where(d > radius, 0, np.sinc(d) * np.sinc(d / radius))
    raise ValueError(
        f"[scale_and_translate] expected method linear, cubic, lanczos3 or lanczos5, got {method!r}"
    )


def crop_images(
    images: ArrayLike,
    top_cropping: int | None = None,
    left_cropping: int | None = None,
    bottom_cropping: int | None = None,
    right_cropping: int | None = None,
    target_height: int | None = None,
    target_width: int | None = None,
    data_format: str | None = None,
) -> Tensor:
    """A part of images. Of top, bottom and height two are given, and of left, right and width.

    Args:
        images: An image or a batch.
        top_cropping: Rows to cut off at the top.
        left_cropping: Columns to cut off at the left.
        bottom_cropping: Rows to cut off at the bottom.
        right_cropping: Columns to cut off at the right.
        target_height: Rows to keep.
        target_width: Columns to keep.
        data_format: "channels_last", also for None, or "channels_first".

    Raises:
        ValueError: If not two of three are given, or they do not fit the images.

    Example:
        >>> from pydl.ops import image
        >>> image.crop_images(np.ones((8, 6, 3)), 1, 0, target_height=4, target_width=2).shape
        (4, 2, 3)
    """

    def run(batch: Tensor) -> Tensor:
        n, rows, columns, channels = batch.shape
        top, _, height = _completed(
            "crop_images", top_cropping, bottom_cropping, target_height, rows
        )
        left, _, width = _completed(
            "crop_images", left_cropping, right_cropping, target_width, columns
        )
        return _core.slice(batch, (0, top, left, 0), (n, height, width, channels), (1, 1, 1, 1))

    return on_batch("crop_images", run, images, data_format)


def _completed(op: str, before, after, kept, size: int) -> tuple[int, int, int]:
    """The one of three numbers that is not given, where all together make `size`."""
    given = [before, after, kept]
    if given.count(None) != 1:
        raise ValueError(f"[{op}] expected two of three numbers for each axis, got {given}")
    missing = size - sum(v for v in given if v is not None)
    numbers = tuple(missing if v is None else v for v in given)
    if min(numbers) < 0:
        raise ValueError(f"[{op}] expected numbers that fit an axis of {size}, got {given}")
    return numbers


def pad_images(
    images: ArrayLike,
    top_padding: int | None = None,
    left_padding: int | None = None,
    bottom_padding: int | None = None,
    right_padding: int | None = None,
    target_height: int | None = None,
    target_width: int | None = None,
    data_format: str | None = None,
) -> Tensor:
    """Images with zeros around. Of top, bottom and height two are given, and of left, right and width.

    Args:
        images: An image or a batch.
        top_padding: Rows to add at the top.
        left_padding: Columns to add at the left.
        bottom_padding: Rows to add at the bottom.
        right_padding: Columns to add at the right.
        target_height: Rows of the result.
        target_width: Columns of the result.
        data_format: "channels_last", also for None, or "channels_first".

    Raises:
        ValueError: If not two of three are given, or the result would be smaller.

    Example:
        >>> from pydl.ops import image
        >>> image.pad_images(np.ones((2, 2, 3)), 1, 0, target_height=4, target_width=2).shape
        (4, 2, 3)
    """

    def run(batch: Tensor) -> Tensor:
        _, rows, columns, _ = batch.shape
        top, bottom = _around("pad_images", top_padding, bottom_padding, target_height, rows)
        left, right = _around("pad_images", left_padding, right_padding, target_width, columns)
        return _core.pad(batch, (0, top, left, 0), (0, bottom, right, 0), "constant", 0)

    return on_batch("pad_images", run, images, data_format)


def _around(op: str, before, after, total, size: int) -> tuple[int, int]:
    given = [before, after, total]
    if given.count(None) != 1:
        raise ValueError(f"[{op}] expected two of three numbers for each axis, got {given}")
    before = total - size - after if before is None else before
    after = total - size - before if after is None else after
    if before < 0 or after < 0:
        raise ValueError(f"[{op}] expected numbers that make an axis of {size} larger, got {given}")
    return before, after
