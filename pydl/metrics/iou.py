"""Intersection over union: how much predicted and labelled regions have in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pydl import ops
from pydl._convert import as_tensor
from pydl._core import Tensor
from pydl.losses.loss import weights_like
from pydl.losses.regression import EPSILON
from pydl.metrics.mean import STATE_DTYPE
from pydl.metrics.metric import Metric, detached

__all__ = ["BinaryIoU", "IoU", "MeanIoU", "OneHotIoU", "OneHotMeanIoU"]


class IoU(Metric):
    """Mean of `intersection / union` of some classes, over all samples and pixels.

    Args:
        num_classes: number of classes.
        target_class_ids: the classes that count.
        name, dtype: see `Metric`.
        ignore_class: label whose pixels do not count.
        sparse_y_true: whether labels are integers; otherwise one value a class along `axis`.
        sparse_y_pred: whether predictions are.
        axis: axis of the classes.

    Example:
        >>> metric = pydl.metrics.IoU(num_classes=2, target_class_ids=[0])
        >>> round(float(metric([0, 0, 1, 1], [0, 1, 0, 1])), 4)
        0.3333
    """

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Sequence[int],
        name: str | None = None,
        dtype: str | None = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ) -> None:
        super().__init__(dtype, name)
        self.num_classes = num_classes
        self.target_class_ids = list(target_class_ids)
        if not self.target_class_ids or max(self.target_class_ids) >= num_classes:
            raise ValueError(
                f"[{self.name}] expected at least one of target_class_ids, all in "
                f"[0, {num_classes}), got {self.target_class_ids}"
            )
        self.ignore_class = ignore_class
        self.sparse_y_true = sparse_y_true
        self.sparse_y_pred = sparse_y_pred
        self.axis = axis
        self.total_cm = self.add_variable(
            (num_classes, num_classes), dtype=STATE_DTYPE, name="total_confusion_matrix"
        )

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Takes a batch in; labels and predictions that are no class do not count.

        Args:
            y_true: labels.
            y_pred: predictions.
            sample_weight: weights that broadcast to the labels from the left.
        """
        labels, classes = as_tensor(y_true), as_tensor(detached(y_pred))
        labels = labels if self.sparse_y_true else ops.argmax(labels, axis=self.axis)
        classes = classes if self.sparse_y_pred else ops.argmax(classes, axis=self.axis)
        weights = ops.ones(labels.shape, STATE_DTYPE)
        if sample_weight is not None:
            weights = weights * weights_like(sample_weight, weights)
        labels, classes, weights = (
            x.astype(dtype).reshape((-1,))
            for x, dtype in ((labels, "int64"), (classes, "int64"), (weights, STATE_DTYPE))
        )
        valid = labels != self.ignore_class if self.ignore_class is not None else labels == labels
        for x in (labels, classes):
            valid = ops.logical_and(valid, ops.logical_and(x >= 0, x < self.num_classes))
        cells = ops.where(valid, labels * self.num_classes + classes, 0)
        counts = ops.zeros((self.num_classes**2,), STATE_DTYPE)
        counts = ops.scatter_add(counts, cells, weights * valid.astype(STATE_DTYPE), axis=0)
        self.total_cm.assign_add(counts.reshape(self.total_cm.shape))

    def result(self) -> Tensor:
        """The mean over the classes that occurred, a 0-d tensor."""
        counts = self.total_cm.numpy()
        both = np.diag(counts)[self.target_class_ids]
        union = (counts.sum(0) + counts.sum(1))[self.target_class_ids] - both
        occurred = union > 1e-9
        shares = np.where(occurred, both / (union + EPSILON), 0.0)
        dtype = self.dtype if "float" in self.dtype else "float32"
        return as_tensor(shares.sum() / (occurred.sum() + EPSILON), dtype)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "num_classes": self.num_classes,
            "target_class_ids": self.target_class_ids,
            "ignore_class": self.ignore_class,
            "sparse_y_true": self.sparse_y_true,
            "sparse_y_pred": self.sparse_y_pred,
            "axis": self.axis,
        }

    def _config_without(self, *names: str) -> dict[str, Any]:
        return {key: value for key, value in IoU.get_config(self).items() if key not in names}


class BinaryIoU(IoU):
    """`IoU` of labels 0 and 1, with probabilities as predictions.

    Args:
        target_class_ids: the classes that count, of 0 and 1.
        threshold: probabilities from it on count as 1.
        name, dtype: see `Metric`.

    Example:
        >>> metric = pydl.metrics.BinaryIoU(target_class_ids=[0, 1], threshold=0.3)
        >>> round(float(metric([0, 1, 0, 1], [0.1, 0.2, 0.4, 0.7])), 4)
        0.3333
    """

    def __init__(
        self,
        target_class_ids: Sequence[int] = (0, 1),
        threshold: float = 0.5,
        name: str | None = None,
        dtype: str | None = None,
    ) -> None:
        super().__init__(2, target_class_ids, name, dtype)
        self.threshold = threshold

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Takes a batch of labels and probabilities in; see `IoU`."""
        positive = as_tensor(detached(y_pred)) >= self.threshold
        super().update_state(y_true, positive, sample_weight)

    def get_config(self) -> dict[str, Any]:
        config = Metric.get_config(self)
        return {
            **config,
            "target_class_ids": self.target_class_ids,
            "threshold": self.threshold,
        }


class MeanIoU(IoU):
    """Mean of `intersection / union` of all classes.

    Args:
        num_classes, name, dtype, ignore_class, sparse_y_true, sparse_y_pred, axis: see `IoU`.

    Example:
        >>> metric = pydl.metrics.MeanIoU(num_classes=2)
        >>> round(float(metric([0, 0, 1, 1], [0, 1, 0, 1])), 4)
        0.3333
    """

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: str | None = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ) -> None:
        super().__init__(
            num_classes, range(num_classes), name, dtype,
            ignore_class, sparse_y_true, sparse_y_pred, axis,
        )  # fmt: skip

    def get_config(self) -> dict[str, Any]:
        return self._config_without("target_class_ids")


class OneHotIoU(IoU):
    """`IoU` of one-hot labels.

    Args:
        num_classes, target_class_ids, name, dtype, ignore_class: see `IoU`.
        sparse_y_pred: whether predictions are integers; otherwise one value a class.
        axis: axis of the classes.

    Example:
        >>> metric = pydl.metrics.OneHotIoU(num_classes=2, target_class_ids=[0, 1])
        >>> round(float(metric([[1, 0], [0, 1]], [[0.8, 0.2], [0.7, 0.3]])), 4)
        0.25
    """

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Sequence[int],
        name: str | None = None,
        dtype: str | None = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ) -> None:
        super().__init__(
            num_classes, target_class_ids, name, dtype, ignore_class, False, sparse_y_pred, axis
        )

    def get_config(self) -> dict[str, Any]:
        return self._config_without("sparse_y_true")


class OneHotMeanIoU(MeanIoU):
    """`MeanIoU` of one-hot labels.

    Args:
        num_classes, name, dtype, ignore_class: see `IoU`.
        sparse_y_pred: whether predictions are integers; otherwise one value a class.
        axis: axis of the classes.

    Example:
        >>> metric = pydl.metrics.OneHotMeanIoU(num_classes=2)
        >>> round(float(metric([[1, 0], [0, 1]], [[0.8, 0.2], [0.7, 0.3]])), 4)
        0.25
    """

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: str | None = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ) -> None:
        super().__init__(num_classes, name, dtype, ignore_class, False, sparse_y_pred, axis)

    def get_config(self) -> dict[str, Any]:
        return self._config_without("target_class_ids", "sparse_y_true")
