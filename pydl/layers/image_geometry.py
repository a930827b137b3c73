"""Images flipped, turned, moved, zoomed and sheared at random."""

from __future__ import annotations

from typing import Any

import numpy as np

from pydl import ops
from pydl.layers.boxes import around, corners
from pydl.layers.image_layer import RandomImageLayer, factor_range
from pydl.ops import image as image_ops

__all__ = ["RandomFlip", "RandomRotation", "RandomShear", "RandomTranslation", "RandomZoom"]

_MODES = ("horizontal", "vertical", "horizontal_and_vertical")
_FILLS = ("reflect", "wrap", "constant", "nearest")


class RandomFlip(RandomImageLayer):
    """Flips half of the images while training.

    Args:
        mode: "horizontal", "vertical" or "horizontal_and_vertical".
        seed: An integer for flips that can be had again.
        data_format: "channels_last", also for None, or "channels_first".

    Call arguments:
        inputs: An image, a batch, or a dict with them and `"segmentation_masks"`.
        training: Whether to flip anything.

    Returns:
        The same shape, in floating point.

    Example:
        >>> import pydl
        >>> layer = pydl.layers.RandomFlip("horizontal", seed=1)
        >>> x = np.broadcast_to([[[0.0], [1.0]]], (50, 1, 2, 1))
        >>> sorted({int(image[0, 0, 0]) for image in layer(x, training=True).numpy()})
        [0, 1]
    """

    def __init__(
        self,
        mode: str = "horizontal_and_vertical",
        seed: Any = None,
        data_format: str | None = None,
        **kwargs,
    ):
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        if mode not in _MODES:
            raise ValueError(f"[{self.name}] expected mode in {list(_MODES)}, got {mode!r}.")
        self.mode = mode

    def get_random_transformation(self, data, training=True, seed=None):
        if not training:
            return None
        flips = self._uniform((data.shape[0], 1, 1, 1), 0.0, 1.0, seed) <= 0.5
        return {"flips": flips, "input_shape": data.shape}

    def transform_images(self, images, transformation, training=True):
        images = self._floats(images)
        if transformation is None or not training:
            return images
        flips = np.asarray(transformation["flips"])
        for axis, direction in zip(self._axes, ("vertical", "horizontal")):
            if direction in self.mode:
                images = ops.where(flips, ops.flip(images, axis=axis), images)
        return images

    def transform_segmentation_masks(self, segmentation_masks, transformation, training=True):
        return self.transform_images(segmentation_masks, transformation, training)

    def transform_bounding_boxes(self, bounding_boxes, transformation, training=True):
        if transformation is None or not training:
            return bounding_boxes
        size = self._input_size(transformation)
        flips = np.asarray(transformation["flips"]).reshape(-1, 1, 1)

        def flip(boxes):
            x1, y1, x2, y2 = ops.split(boxes, 4, axis=-1)
            if "horizontal" in self.mode:
                x1, x2 = size[1] - x2, size[1] - x1
            if "vertical" in self.mode:
                y1, y2 = size[0] - y2, size[0] - y1
            return ops.where(flips, ops.concatenate([x1, y1, x2, y2], axis=-1), boxes)

        return self._moved_boxes(bounding_boxes, flip, size, size)


class _Affine(RandomImageLayer):
    """A layer that moves pixels by a matrix for each image, in one kernel call for a batch."""

    def __init__(
        self, fill_mode: str, interpolation: str, seed: Any, fill_value: float, **kwargs
    ):
        super().__init__(seed=seed, **kwargs)
        if fill_mode not in _FILLS:
            raise NotImplementedError(
                f"[{self.name}] expected fill_mode in {list(_FILLS)}, got {fill_mode!r}."
            )
        if interpolation not in ("bilinear", "nearest"):
            raise NotImplementedError(
                f"[{self.name}] expected interpolation 'bilinear' or 'nearest', got "
                f"{interpolation!r}."
            )
        self.fill_mode = fill_mode
        self.interpolation = interpolation
        self.fill_value = fill_value

    def transform_images(self, images, transformation, training=True):
        return self._transform(images, transformation, training, self.interpolation)

    def transform_segmentation_masks(self, segmentation_masks, transformation, training=True):
        return self._transform(segmentation_masks, transformation, training, "nearest")

    def transform_bounding_boxes(self, bounding_boxes, transformation, training=True):
        if transformation is None or not training:
            return bounding_boxes
        size = self._input_size(transformation)
        rows = self._matrices(transformation, *size)
        matrices = np.concatenate([rows, np.ones((len(rows), 1))], axis=1).reshape(-1, 3, 3)
        back = np.linalg.inv(matrices)  # the matrices lead from new places to old ones
        return self._moved_boxes(
            bounding_boxes, lambda boxes: around(corners(boxes), back), size, size
        )

    def _transform(self, images, transformation, training: bool, interpolation: str):
        images = self._floats(images)
        if transformation is None or not training:
            return images
        matrices = self._matrices(transformation, *self._size(images))
        return image_ops.affine_transform(
            images, matrices, interpolation, self.fill_mode, self.fill_value, self.data_format
        )

    def _matrices(self, transformation: dict, height: int, width: int) -> np.ndarray:
        raise NotImplementedError


def _rows(count: int, a0: Any, a1: Any, a2: Any, b0: Any, b1: Any, b2: Any) -> np.ndarray:
    """Matrices of `affine_transform`, one an image."""
    columns = [np.broadcast_to(value, (count,)) for value in (a0, a1, a2, b0, b1, b2, 0, 0)]
    return np.stack(columns, axis=1).astype("float64")


class RandomRotation(_Affine):
    """Turns images by random angles while training.

    Args:
        factor: The largest angle as a share of a full turn, to both sides; or a pair, the smallest
            and the largest, positive counterclockwise.
        fill_mode: What comes in from outside: "reflect", "wrap", "constant" or "nearest".
        interpolation: "bilinear" or "nearest".
        seed: An integer for angles that can be had again.
        fill_value: For "constant".
        data_format: "channels_last", also for None, or "channels_first".

    Call arguments:
        inputs: An image, a batch, or a dict with them and `"segmentation_masks"`.
        training: Whether to turn anything.

    Returns:
        The same shape, in floating point.

    Example:
        >>> import pydl
        >>> layer = pydl.layers.RandomRotation((0.25, 0.25))
        >>> layer([[[1.0], [2.0]], [[3.0], [4.0]]], training=True).numpy().round(3).tolist()
        [[[2.0], [4.0]], [[1.0], [3.0]]]
    """

    def __init__(
        self,
        factor: Any,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: Any = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs,
    ):
        super().__init__(
            fill_mode, interpolation, seed, fill_value, data_format=data_format, **kwargs
        )
        self.factor = factor_range(self.name, "factor", factor)

    def get_random_transformation(self, data, training=True, seed=None):
        if not training:
            return None
        low, high = (360.0 * bound for bound in self.factor)
        angle = self._uniform((data.shape[0],), low, high, seed)
        return {"angle": angle, "input_shape": data.shape}

    def _matrices(self, transformation, height, width):
        angle = np.deg2rad(np.asarray(transformation["angle"], "float64"))
        cos, sin = np.cos(angle), np.sin(angle)
        x, y = (width - 1) / 2, (height - 1) / 2
        return _rows(
            len(angle), cos, -sin, x - x * cos + y * sin, sin, cos, y - x * sin - y * cos
        )


class RandomTranslation(_Affine):
    """Moves images by random distances while training.

    Args:
        height_factor: The largest distance as a share of the height, both ways; or a pair, positive
            downwards.
        width_factor: The same of the width, positive to the right.
        fill_mode: What comes in from outside: "reflect", "wrap", "constant" or "nearest".
        interpolation: "bilinear" or "nearest".
        seed: An integer for distances that can be had again.
        fill_value: For "constant".
        data_format: "channels_last", also for None, or "channels_first".

    Call arguments:
        inputs: An image, a batch, or a dict with them and `"segmentation_masks"`.
        training: Whether to move anything.

    Returns:
        The same shape, in floating point.

    Example:
        >>> import pydl
        >>> layer = pydl.layers.RandomTranslation(0.0, (0.5, 0.5), fill_mode="constant")
        >>> layer([[[1.0], [2.0]]], training=True).tolist()
        [[[0.0], [1.0]]]
    """

    def __init__(
        self,
        height_factor: Any,
        width_factor: Any,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: Any = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs,
    ):
        super().__init__(
            fill_mode, interpolation, seed, fill_value, data_format=data_format, **kwargs
        )
        self.height_factor = height_factor
        self.width_factor = width_factor
        self._down = factor_range(self.name, "height_factor", height_factor)
        self._right = factor_range(self.name, "width_factor", width_factor)

    def get_random_transformation(self, data, training=True, seed=None):
        if not training:
            return None
        height, width = self._size(data)
        down = self._uniform((data.shape[0], 1), *self._down, seed) * height
        right = self._uniform((data.shape[0], 1), *self._right, seed) * width
        moves = np.concatenate([right, down], axis=1)
        return {"translations": moves, "input_shape": data.shape}

    def _matrices(self, transformation, height, width):
        moves = np.asarray(transformation["translations"], "float64")
        return _rows(len(moves), 1, 0, -moves[:, 0], 0, 1, -moves[:, 1])


class RandomZoom(_Affine):
    """Zooms images by random factors while training.

    Args:
        height_factor: Positive zooms out, negative in, each by that share of the height; a number
            for both ways, or a pair.
        width_factor: The same of the width; None keeps the proportions.
        fill_mode: What comes in from outside: "reflect", "wrap", "constant" or "nearest".
        interpolation: "bilinear" or "nearest".
        seed: An integer for factors that can be had again.
        fill_value: For "constant".
        data_format: "channels_last", also for None, or "channels_first".

    Call arguments:
        inputs: An image, a batch, or a dict with them and `"segmentation_masks"`.
        training: Whether to zoom anything.

    Returns:
        The same shape, in floating point.

    Example:
        >>> import pydl
        >>> layer = pydl.layers.RandomZoom((-0.5, -0.5))
        >>> layer([[[0.0], [1.0], [2.0]]], training=True).tolist()
        [[[0.5], [1.0], [1.5]]]
    """

    def __init__(
        self,
        height_factor: Any,
        width_factor: Any = None,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: Any = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs,
    ):
        super().__init__(
            fill_mode, interpolation, seed, fill_value, data_format=data_format, **kwargs
        )
        self.height_factor = height_factor
        self.width_factor = width_factor
        bounds = (-0.999999, 1.0)  # at -1 a single point would fill the image
        self._high = factor_range(self.name, "height_factor", height_factor, bounds)
        self._wide = None
        if width_factor is not None:
            self._wide = factor_range(self.name, "width_factor", width_factor, bounds)

    def get_random_transformation(self, data, training=True, seed=None):
        if not training:
            return None
        shape = (data.shape[0], 1)
        height_zoom = 1 + self._uniform(shape, *self._high, seed)
        width_zoom = height_zoom
        if self._wide is not None:
            width_zoom = 1 + self._uniform(shape, *self._wide, seed)
        zooms = {"height_zoom": height_zoom, "width_zoom": width_zoom}
        return {**zooms, "input_shape": data.shape}

    def _matrices(self, transformation, height, width):
        x = np.asarray(transformation["width_zoom"], "float64")[:, 0]
        y = np.asarray(transformation["height_zoom"], "float64")[:, 0]
        return _rows(len(x), x, 0, (width - 1) / 2 * (1 - x), 0, y, (height - 1) / 2 * (1 - y))


class RandomShear(_Affine):
    """Shears images by random amounts while training.

    Args:
        x_factor: The largest shift of a pixel to the side for each row; a number or a pair.
        y_factor: The largest shift down for each column.
        interpolation: "bilinear" or "nearest".
        fill_mode: What comes in from outside: "reflect", "wrap", "constant" or "nearest".
        fill_value: For "constant".
        data_format: "channels_last", also for None, or "channels_first".
        seed: An integer for amounts that can be had again.

    Call arguments:
        inputs: An image, a batch, or a dict with them and `"segmentation_masks"`.
        training: Whether to shear anything.

    Returns:
        The same shape, in floating point.

    Example:
        >>> import pydl
        >>> pydl.layers.RandomShear(0.2, 0.1, seed=1)(np.ones((2, 4, 4, 3)), training=True).shape
        (2, 4, 4, 3)
    """

    def __init__(
        self,
        x_factor: Any = 0.0,
        y_factor: Any = 0.0,
        interpolation: str = "bilinear",
        fill_mode: str = "reflect",
        fill_value: float = 0.0,
        data_format: str | None = None,
        seed: Any = None,
        **kwargs,
    ):
        super().__init__(
            fill_mode, interpolation, seed, fill_value, data_format=data_format, **kwargs
        )
        self.x_factor = _shear_range(self.name, "x_factor", x_factor)
        self.y_factor = _shear_range(self.name, "y_factor", y_factor)

    def get_random_transformation(self, data, training=True, seed=None):
        if not training:
            return None
        shape = (data.shape[0], 1)
        sign = np.where(self._uniform(shape, 0.0, 1.0, seed) > 0.5, -1.0, 1.0)
        down = self._uniform(shape, *self.y_factor, seed)
        right = self._uniform(shape, *self.x_factor, seed)
        shear = np.concatenate([right, down], axis=1) * sign
        return {"shear_factor": shear, "input_shape": data.shape}

    def _matrices(self, transformation, height, width):
        shear = np.asarray(transformation["shear_factor"], "float64")
        return _rows(len(shear), 1, shear[:, 0], 0, shear[:, 1], 1, 0)


def _shear_range(owner: str, name: str, factor: Any) -> tuple[float, float]:
    low, high = factor_range(owner, name, factor, (0.0, 1.0))
    return (low, high) if isinstance(factor, (tuple, list)) else (-high, high)
