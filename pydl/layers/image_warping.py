"""Images seen in perspective, distorted like rubber, and mixed from chains of changes."""

from __future__ import annotations

from typing import Any

import numpy as np

from pydl import ops, random
from pydl.layers.boxes import around, corners
from pydl.layers.image_color import RandomBrightness, RandomColorDegeneration, RandomContrast
from pydl.layers.image_geometry import RandomRotation, RandomShear, RandomTranslation
from pydl.layers.image_layer import RandomImageLayer, factor_range, value_bounds
from pydl.layers.image_tone import (
    AutoContrast,
    Equalization,
    RandomPosterization,
    RandomSharpness,
    Solarization,
)
from pydl.ops.image_warp import homographies

__all__ = ["AugMix", "RandomElasticTransform", "RandomPerspective"]

_INTERPOLATIONS = ("nearest", "bilinear")
_FILL_MODES = ("constant", "nearest", "wrap", "mirror", "reflect")


def _one_of(owner: str, name: str, value: Any, known: tuple[str, ...]) -> str:
    if value not in known:
        raise ValueError(f"[{owner}] expected {name} as one of {', '.join(known)}, got {value!r}.")
    return value


class _Warp(RandomImageLayer):
    """A layer that moves the pixels of images, and those of their masks likewise."""

    interpolation: str

    def transform_images(self, images, transformation, training=True):
        images = self._floats(images)
        if transformation is None or not training:
            return images
        return self._warped(images, transformation, self.interpolation)

    def transform_segmentation_masks(self, segmentation_masks, transformation, training=True):
        if transformation is None or not training:
            return segmentation_masks
        masks = ops.cast(segmentation_masks, "float32")
        return ops.cast(self._warped(masks, transformation, "nearest"), segmentation_masks.dtype)

    def _warped(self, images, transformation, interpolation: str):
        raise NotImplementedError


class RandomPerspective(_Warp):
    """Looks at a random share of the images from aside while training.

    Args:
        factor: The share, from 0 to 1; a number draws it from 0 on for every image, a pair from that
            range.
        scale: How far corners move, from 0 to 1.
        interpolation: "bilinear" or "nearest".
        fill_value: What is outside of an image.
        seed: An integer for changes that can be had again.
        data_format: "channels_last", also for None, or "channels_first".

    Call arguments:
        inputs: An image, a batch, or a dict with them.
        training: Whether to change anything.

    Returns:
        The same shape, in floating point.

    Example:
        >>> import pydl
        >>> layer = pydl.layers.RandomPerspective(scale=0.5, seed=1)
        >>> layer(np.ones((2, 8, 8, 3)), training=True).shape
        (2, 8, 8, 3)
    """

    def __init__(
        self,
        factor: Any = 1.0,
        scale: float = 1.0,
        interpolation: str = "bilinear",
        fill_value: float = 0.0,
        seed: Any = None,
        data_format: str | None = None,
        **kwargs,
    ):
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.factor = factor_range(self.name, "factor", factor, (0.0, 1.0))
        if not 0 <= scale <= 1:
            raise ValueError(f"[{self.name}] expected scale from 0 to 1, got {scale!r}.")
        self.scale = scale
        self.interpolation = _one_of(self.name, "interpolation", interpolation, _INTERPOLATIONS)
        self.fill_value = fill_value

    def get_random_transformation(self, data, training=True, seed=None):
        if not training:
            return None
        count, (height, width) = data.shape[0], self._size(data)
        share = self._uniform((count,), *self.factor, seed)
        corners = np.array(
            [[0, 0], [width - 1, 0], [0, height - 1], [width - 1, height - 1]], "float32"
        )
        start = np.repeat(corners[None], count, 0)
        moved = self._uniform((count, 4, 2), -0.5 * self.scale, 0.5 * self.scale, seed)
        return {
            "apply_perspective": self._uniform((count,), 0.0, 1.0, seed) < share,
            "start_points": start,
            "end_points": start + start * moved,
            "input_shape": data.shape,
        }

    def transform_bounding_boxes(self, bounding_boxes, transformation, training=True):
        if transformation is None or not training:
            return bounding_boxes
        size = self._input_size(transformation)
        start, end = (np.asarray(transformation[f"{one}_points"]) for one in ("start", "end"))
        rows = homographies(end.astype("float64"), start.astype("float64"))
        matrices = np.concatenate([rows, np.ones((len(rows), 1))], axis=1).reshape(-1, 3, 3)
        apply = np.asarray(transformation["apply_perspective"]).astype(bool).reshape(-1, 1, 1)
        return self._moved_boxes(
            bounding_boxes,
            lambda boxes: ops.where(apply, around(corners(boxes), matrices), boxes),
            size,
            size,
        )

    def _warped(self, images, transformation, interpolation: str):
        changed = ops.image.perspective_transform(
            images, transformation["start_points"], transformation["end_points"], interpolation,
            self.fill_value, self.data_format,
        )  # fmt: skip
        apply = np.asarray(transformation["apply_perspective"]).reshape(-1, 1, 1, 1)
        return ops.where(apply, changed, images)


class RandomElasticTransform(_Warp):
    """Distorts a random share of the images smoothly, as if they were rubber, while training.

    Args:
        factor: The share, from 0 to 1; a number draws it from 0 on for every image, a pair from that
            range.
        scale: How strong the distortion is, from 0 to 1, likewise.
        interpolation: "bilinear" or "nearest".
        fill_mode: What is outside: "constant", "nearest", "wrap", "mirror" or "reflect".
        fill_value: For "constant".
        value_range: The smallest and largest value of a pixel.
        seed: An integer for changes that can be had again.
        data_format: "channels_last", also for None, or "channels_first".

    Call arguments:
        inputs: An image, a batch, or a dict with them.
        training: Whether to change anything.

    Returns:
        The same shape, in floating point.

    Example:
        >>> import pydl
        >>> layer = pydl.layers.RandomElasticTransform(scale=0.5, seed=1)
        >>> layer(np.ones((2, 16, 16, 3)), training=True).shape
        (2, 16, 16, 3)
    """

    def __init__(
        self,
        factor: Any = 1.0,
        scale: Any = 1.0,
        interpolation: str = "bilinear",
        fill_mode: str = "reflect",
        fill_value: float = 0.0,
        value_range: Any = (0, 255),
        seed: Any = None,
        data_format: str | None = None,
        **kwargs,
    ):
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.factor = factor_range(self.name, "factor", factor, (0.0, 1.0))
        self.scale = factor_range(self.name, "scale", scale, (0.0, 1.0))
        self.interpolation = _one_of(self.name, "interpolation", interpolation, _INTERPOLATIONS)
        self.fill_mode = _one_of(self.name, "fill_mode", fill_mode, _FILL_MODES)
        self.fill_value = fill_value
        self.value_range = value_bounds(self.name, value_range)

    def get_random_transformation(self, data, training=True, seed=None):
        if not training or not self.factor[1] or not self.scale[1]:
            return None
        count = (data.shape[0],)
        share = self._uniform(count, *self.factor, seed)
        return {
            "apply_transform": self._uniform(count, 0.0, 1.0, seed) < share,
            "distortion_factor": float(self._uniform((), *self.scale, seed)),
            "seed": int(
                random.randint((), 0, 2**31 - 1, seed=self.generator if seed is None else seed)
            ),
        }

    def transform_bounding_boxes(self, bounding_boxes, transformation, training=True):
        raise NotImplementedError(
            f"[{self.name}] expected no bounding_boxes: rubber keeps no boxes. Hint: apply it before "
            "boxes are added, or use RandomPerspective."
        )

    def transform_images(self, images, transformation, training=True):
        images = super().transform_images(images, transformation, training)
        if transformation is None or not training:
            return images
        return ops.clip(images, *self.value_range)

    def _warped(self, images, transformation, interpolation: str):
        height, width = self._size(images)
        strength = float(np.asarray(transformation["distortion_factor"]))
        changed = ops.image.elastic_transform(
            images, max(height, width) * 0.1 * strength,
            max(min(height, width) * 0.05 * strength, 1e-3), interpolation,
            self.fill_mode, self.fill_value, transformation["seed"], self.data_format,
        )  # fmt: skip
        apply = np.asarray(transformation["apply_transform"]).reshape(-1, 1, 1, 1)
        return ops.where(apply, changed, images)


class AugMix(RandomImageLayer):
    """Mixes each batch with a few copies of it, each changed by a short chain of layers.

    Args:
        value_range: The smallest and largest value of a pixel.
        num_chains: How many copies.
        chain_depth: How many layers at most change a copy.
        factor: How strong they are, from 0 to 1; a number, or a pair for a range.
        alpha: How even the copies and the batch itself are mixed: the larger, the more even.
        all_ops: Whether layers that change colours and sharpness are among them.
        interpolation: "bilinear" or "nearest".
        seed: An integer for changes that can be had again.
        data_format: "channels_last", also for None, or "channels_first".

    Call arguments:
        inputs: Images of red, green and blue: one, a batch, or a dict with them.
        training: Whether to change anything.

    Returns:
        The same shape, in floating point.

    Example:
        >>> import pydl
        >>> layer = pydl.layers.AugMix(seed=1)
        >>> layer(np.ones((2, 8, 8, 3)), training=True).shape
        (2, 8, 8, 3)

    Source: Hendrycks et al., "AugMix: A simple data processing method to improve robustness and
    uncertainty", 2020.
    """

    def __init__(
        self,
        value_range: Any = (0, 255),
        num_chains: int = 3,
        chain_depth: int = 3,
        factor: Any = 0.3,
        alpha: float = 1.0,
        all_ops: bool = True,
        interpolation: str = "bilinear",
        seed: Any = None,
        data_format: str | None = None,
        **kwargs,
    ):
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.value_range = value_bounds(self.name, value_range)
        if num_chains < 1 or chain_depth < 1 or alpha <= 0:
            raise ValueError(
                f"[{self.name}] expected num_chains and chain_depth of at least 1 and a positive alpha, "
                f"got {num_chains}, {chain_depth} and {alpha}."
            )
        self.num_chains, self.chain_depth, self.alpha = num_chains, chain_depth, alpha
        self.factor = f = factor_range(self.name, "factor", factor, (0.0, 1.0))
        self.all_ops, self.interpolation = all_ops, interpolation
        common = {"data_format": data_format, "dtype": kwargs.get("dtype")}
        values = {"value_range": self.value_range, **common}
        self._changes = {
            "random_shear": RandomShear(f, f, interpolation, **common),
            "random_translation": RandomTranslation(f, f, interpolation=interpolation, **common),
            "random_rotation": RandomRotation(f, interpolation=interpolation, **common),
            "random_posterization": RandomPosterization(max(1, int(8 * f[1])), **values),
            "solarization": Solarization(f, f, **values),
            "auto_contrast": AutoContrast(**values),
            "equalization": Equalization(**values),
        }
        if all_ops:
            layers = (RandomBrightness, RandomColorDegeneration, RandomContrast, RandomSharpness)
            names = ("random_brightness", "random_color_degeneration", "random_contrast",
                     "random_sharpness")  # fmt: skip
            self._changes |= {name: layer(f, **values) for name, layer in zip(names, layers)}

    def get_random_transformation(self, data, training=True, seed=None):
        if not training:
            return None
        generator = self.generator if seed is None else seed
        shares = random.gamma((self.num_chains,), self.alpha, seed=generator).numpy()
        names = [*self._changes, None]
        chains = []
        for _ in range(self.num_chains):
            drawn = self._uniform((self.chain_depth,), 0.0, len(names), seed).astype(int)
            chosen = [names[min(i, len(names) - 1)] for i in drawn]
            chains.append([
                {"layer_name": name, "transformation": self._changes[name].get_random_transformation(
                    data, training=True, seed=generator)} for name in chosen if name is not None
            ])  # fmt: skip
        return {
            "chain_mixing_weights": shares / shares.sum(),
            "weight_sample": random.beta((), self.alpha, self.alpha, seed=generator).numpy(),
            "chain_transforms": chains,
        }

    def transform_images(self, images, transformation, training=True):
        images = self._floats(images)
        if transformation is None or not training:
            return images
        mixed = self._mixed("transform_images", images, transformation)
        return ops.clip(mixed, *self.value_range)

    def transform_segmentation_masks(self, segmentation_masks, transformation, training=True):
        if transformation is None or not training:
            return segmentation_masks
        return self._mixed(
            "transform_segmentation_masks", self._floats(segmentation_masks), transformation
        )

    def _mixed(self, method: str, values, transformation):
        weights = np.asarray(transformation["chain_mixing_weights"]).tolist()
        kept = float(np.asarray(transformation["weight_sample"]))
        total = values * kept
        for weight, chain in zip(weights, transformation["chain_transforms"]):
            changed = values
            for step in chain:
                layer = self._changes[step["layer_name"]]
                changed = getattr(layer, method)(changed, step["transformation"], training=True)
            total = total + changed * ((1 - kept) * weight)
        return total
