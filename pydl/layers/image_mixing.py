"""Images with parts erased or mixed with those of others."""

from __future__ import annotations

from typing import Any

import numpy as np

from pydl import ops, random
from pydl.layers.image_layer import RandomImageLayer, factor_range, value_bounds

__all__ = ["CutMix", "MixUp", "RandomErasing"]


class _Boxes(RandomImageLayer):
    """What layers have in common that draw a box in every image."""

    def _interval(self, length: int, share: np.ndarray, seed: Any) -> tuple[np.ndarray, np.ndarray]:
        """A start and an end on an axis, at random, that are `share` of the axis apart."""
        size = share * length
        start = self._uniform((len(share),), 0.0, 1.0, seed) * (length - size)
        return start, start + size

    def _masks(self, images, corners: tuple[np.ndarray, ...]) -> np.ndarray:
        """Where the boxes are, to be broadcast over the channels."""
        height, width = self._size(images)
        x0, x1, y0, y1 = (np.asarray(corner)[:, None, None] for corner in corners)
        rows, columns = np.arange(height)[:, None], np.arange(width)
        inside = (columns >= x0) & (columns < x1) & (rows >= y0) & (rows < y1)
        return inside[:, None] if self.data_format == "channels_first" else inside[..., None]


class RandomErasing(_Boxes):
    """Erases a random box of a random share of the images while training.

    Args:
        factor: The share of the images, from 0 to 1; a number draws it from 0 on for every image, a
            pair from that range.
        scale: The smallest and largest area of a box as a share of the image.
        fill_value: What the box is filled with: a number, three of them, or None for noise.
        value_range: The smallest and largest value of a pixel.
        seed: An integer for boxes that can be had again.
        data_format: "channels_last", also for None, or "channels_first".

    Call arguments:
        inputs: An image, a batch, or a dict with them.
        training: Whether to erase anything.

    Returns:
        The same shape, in floating point.

    Example:
        >>> import pydl
        >>> layer = pydl.layers.RandomErasing((1.0, 1.0), scale=(1.0, 1.0), fill_value=5)
        >>> layer([[[1.0], [2.0]]], training=True).tolist()
        [[[5.0], [5.0]]]

    Source: Zhong et al., "Random erasing data augmentation", 2017.
    """

    def __init__(
        self,
        factor: Any = 1.0,
        scale: Any = (0.02, 0.33),
        fill_value: Any = None,
        value_range: Any = (0, 255),
        seed: Any = None,
        data_format: str | None = None,
        **kwargs,
    ):
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.factor = factor_range(self.name, "factor", factor, (0.0, 1.0))
        self.scale = factor_range(self.name, "scale", scale, (0.0, 1.0))
        self.value_range = value_bounds(self.name, value_range)
        numbers = fill_value if isinstance(fill_value, (tuple, list)) else [fill_value]
        plain = all(isinstance(n, (int, float)) for n in numbers) and len(numbers) in (1, 3)
        if fill_value is not None and not plain:
            raise ValueError(
                f"[{self.name}] expected fill_value as a number or three of them, got {fill_value!r}."
            )
        self.fill_value = fill_value

    def get_random_transformation(self, data, training=True, seed=None):
        if not training:
            return None
        count, (height, width) = data.shape[0], self._size(data)
        share = np.sqrt(self._uniform((count, 2), *self.scale, seed))
        corners = (
            *self._interval(width, share[:, 0], seed),
            *self._interval(height, share[:, 1], seed),
        )
        wanted = self._uniform((count,), *self.factor, seed)
        return {
            "apply_erasing": self._uniform((count,), 0.0, 1.0, seed) < wanted,
            "batch_masks": self._masks(data, corners),
            "fill_value": self._filling(data, seed),
        }

    def transform_images(self, images, transformation, training=True):
        images = self._floats(images)
        if transformation is None or not training:
            return images
        apply = np.asarray(transformation["apply_erasing"]).reshape(-1, 1, 1, 1)
        where = np.asarray(transformation["batch_masks"]) & apply
        filling = ops.cast(transformation["fill_value"], images.dtype)
        return ops.where(where, filling, images)

    def _filling(self, images, seed: Any):
        if self.fill_value is None:
            generator = self.generator if seed is None else seed
            filling = random.normal(images.shape, seed=generator) * self.value_range[1]
        else:
            filling = np.asarray(self.fill_value, "float32").reshape(1, 1, 1, -1)
            filling = filling.transpose(0, 3, 1, 2) if self.data_format == "channels_first" else filling
        return ops.clip(filling, *self.value_range)


class MixUp(RandomImageLayer):
    """Mixes every image of a batch, and its label, with another one while training.

    Args:
        alpha: The weights come from a Beta(alpha, alpha) distribution; the smaller, the closer to 0
            and 1.
        data_format: "channels_last", also for None, or "channels_first".
        seed: An integer for mixtures that can be had again.

    Call arguments:
        inputs: A batch, or a dict with `"images"` and `"labels"` (one-hot or probabilities).
        training: Whether to mix anything.

    Returns:
        The same shapes, in floating point.

    Example:
        >>> import pydl
        >>> batch = {"images": np.ones((4, 2, 2, 3)), "labels": np.eye(4)}
        >>> mixed = pydl.layers.MixUp(seed=1)(batch, training=True)
        >>> mixed["labels"].numpy().sum(axis=1).round(5).tolist()
        [1.0, 1.0, 1.0, 1.0]

    Source: Zhang et al., "mixup: Beyond empirical risk minimization", 2018.
    """

    def __init__(
        self, alpha: float = 0.2, data_format: str | None = None, seed: Any = None, **kwargs
    ):
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        if not alpha > 0:
            raise ValueError(f"[{self.name}] expected alpha above 0, got {alpha!r}.")
        self.alpha = alpha

    def get_random_transformation(self, data, training=True, seed=None):
        if not training:
            return None
        generator = self.generator if seed is None else seed
        return {
            "mix_weight": _beta(self.alpha, data.shape[0], generator),
            "permutation_order": random.permutation(data.shape[0], seed=generator).numpy(),
        }

    def transform_images(self, images, transformation, training=True):
        images = self._floats(images)
        if transformation is None or not training:
            return images
        weight = self._per_image(transformation["mix_weight"])
        return weight * images + (1 - weight) * _reordered(images, transformation)

    def transform_labels(self, labels, transformation, training=True):
        return _mixed_labels(labels, transformation) if training else labels

    def transform_bounding_boxes(self, bounding_boxes, transformation, training=True):
        """Those of both images."""
        if transformation is None or not training:
            return bounding_boxes
        return {
            key: ops.concatenate([value, _reordered(value, transformation)], axis=1)
            for key, value in bounding_boxes.items()
        }

    def transform_segmentation_masks(self, segmentation_masks, transformation, training=True):
        return self.transform_images(segmentation_masks, transformation, training)


class CutMix(_Boxes):
    """Puts a box of another image into every image of a batch while training; labels are mixed.

    Args:
        factor: The areas come from a Beta distribution with a parameter drawn from this range, from
            0 to 1.
        seed: An integer for boxes that can be had again.
        data_format: "channels_last", also for None, or "channels_first".

    Call arguments:
        inputs: A batch, or a dict with `"images"` and `"labels"` (one-hot or probabilities).
        training: Whether to mix anything.

    Returns:
        The same shapes, in floating point.

    Example:
        >>> import pydl
        >>> batch = {"images": np.ones((4, 8, 8, 3)), "labels": np.eye(4)}
        >>> mixed = pydl.layers.CutMix(seed=1)(batch, training=True)
        >>> mixed["labels"].numpy().sum(axis=1).round(5).tolist()
        [1.0, 1.0, 1.0, 1.0]

    Source: Yun et al., "CutMix: Regularization strategy to train strong classifiers", 2019.
    """

    def __init__(
        self, factor: Any = 1.0, seed: Any = None, data_format: str | None = None, **kwargs
    ):
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.factor = factor_range(self.name, "factor", factor, (0.0, 1.0))

    def get_random_transformation(self, data, training=True, seed=None):
        if not training:
            return None
        generator = self.generator if seed is None else seed
        count, (height, width) = data.shape[0], self._size(data)
        alpha = float(self._uniform((), *self.factor, seed)) + 1e-6
        side = np.sqrt(1 - _beta(alpha, count, generator))
        x0, x1 = self._interval(width, side, seed)
        y0, y1 = self._interval(height, side, seed)
        return {
            "permutation_order": random.permutation(count, seed=generator).numpy(),
            "batch_masks": self._masks(data, (x0, x1, y0, y1)),
            "mix_weight": 1 - (x1 - x0) * (y1 - y0) / (width * height),
        }

    def transform_images(self, images, transformation, training=True):
        images = self._floats(images)
        if transformation is None or not training:
            return images
        masks = np.asarray(transformation["batch_masks"])
        return ops.where(masks, _reordered(images, transformation), images)

    def transform_bounding_boxes(self, bounding_boxes, transformation, training=True):
        raise NotImplementedError(
            f"[{self.name}] expected no bounding_boxes: objects may be cut to any shape. Hint: MixUp."
        )

    def transform_labels(self, labels, transformation, training=True):
        return _mixed_labels(labels, transformation) if training else labels

    def transform_segmentation_masks(self, segmentation_masks, transformation, training=True):
        if transformation is None or not training:
            return segmentation_masks
        masks = np.asarray(transformation["batch_masks"])
        return ops.where(masks, _reordered(segmentation_masks, transformation), segmentation_masks)


def _beta(alpha: float, count: int, generator: Any) -> np.ndarray:
    """Numbers of the Beta(alpha, alpha) distribution, from the stream of the layer."""
    seed = random.randint((), 0, 2**62, dtype="int64", seed=generator).item()
    return np.random.default_rng(seed).beta(alpha, alpha, count).astype("float32")


def _reordered(values, transformation: dict):
    return ops.take(values, np.asarray(transformation["permutation_order"]), axis=0)


def _mixed_labels(labels, transformation: dict | None):
    if transformation is None:
        return labels
    labels = labels if "float" in labels.dtype else ops.cast(labels, "float32")
    weight = ops.cast(np.asarray(transformation["mix_weight"]).reshape(-1, 1), labels.dtype)
    return weight * labels + (1 - weight) * _reordered(labels, transformation)
