"""Many images in one picture, by matplotlib."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pydl.visualization.drawing import (
    as_images,
    draw_bounding_boxes,
    draw_segmentation_masks,
    need,
)

__all__ = ["plot_bounding_box_gallery", "plot_image_gallery", "plot_segmentation_mask_gallery"]


def plot_image_gallery(
    images: Any,
    y_true: Any = None,
    y_pred: Any = None,
    label_map: Mapping[int, str] | None = None,
    rows: int | None = None,
    cols: int | None = None,
    value_range: tuple[float, float] = (0, 255),
    scale: float = 2,
    path: Any = None,
    show: bool | None = None,
    transparent: bool = True,
    dpi: int = 60,
    legend_handles: Sequence[Any] | None = None,
    data_format: str | None = None,
) -> None:
    """Show images in rows and columns, or write such a picture to a file.

    Args:
        images: Shape `(batch, height, width, channels)`.
        y_true: True labels `(batch,)`, written above the images.
        y_pred: Predicted labels, likewise.
        label_map: Names by labels.
        rows: How many; None for about as many as columns.
        cols: How many; None for as many as needed.
        value_range: The values of black and white.
        scale: Inches of an image.
        path: Where to write to.
        show: Whether to open a window; None for yes without a `path`.
        transparent: Whether the file has no background.
        dpi: Pixels an inch of the file.
        legend_handles: What matplotlib makes a legend of.
        data_format: "channels_last", also for None, or "channels_first".

    Raises:
        ShapeError: images of another rank.
        ValueError: both `path` and `show`, or labels without a `label_map`.
        ImportError: matplotlib is not installed.

    Example:
        >>> import os, pydl, tempfile
        >>> path = os.path.join(tempfile.mkdtemp(), "gallery.png")
        >>> pydl.visualization.plot_image_gallery(np.zeros((4, 8, 8, 3)), path=path)
        >>> os.path.exists(path)
        True
    """
    owner = "plot_image_gallery"
    pictures = _as_shown(as_images(owner, images, data_format), value_range)
    if path is not None and show:
        raise ValueError(f"[{owner}] expected path or show, got both.")
    if (y_true is not None or y_pred is not None) and label_map is None:
        raise ValueError(f"[{owner}] expected a label_map for the labels.")
    plots = need("matplotlib.pyplot", "matplotlib", owner)
    rows = rows or math.ceil(len(pictures) / cols if cols else math.sqrt(len(pictures)))
    cols = cols or math.ceil(len(pictures) / rows)
    figure, axes = plots.subplots(
        rows, cols, figsize=(cols * scale, rows * scale), frameon=False, layout="tight", squeeze=False
    )
    if legend_handles is not None:
        figure.legend(handles=legend_handles, loc="lower center")
    for i, axis in enumerate(axes.ravel()):
        axis.axis("off")
        if i < len(pictures):
            axis.imshow(pictures[i], cmap="gray", vmin=0, vmax=255)
            labels = (("Label", y_true), ("Pred", y_pred))
            title = "  ".join(_title(kind, values, i, label_map) for kind, values in labels)
            axis.set_title(title.strip(), fontsize=8)
    if path is not None:
        figure.savefig(path, pad_inches=0, bbox_inches="tight", transparent=transparent, dpi=dpi)
    elif show in (None, True):
        plots.show()
    if path is not None or show in (None, True):
        plots.close(figure)


def plot_bounding_box_gallery(
    images: Any,
    bounding_box_format: str,
    y_true: Mapping[str, Any] | None = None,
    y_pred: Mapping[str, Any] | None = None,
    value_range: tuple[float, float] = (0, 255),
    true_color: Sequence[int] = (0, 188, 212),
    pred_color: Sequence[int] = (255, 235, 59),
    line_thickness: int = 2,
    font_scale: float = 1.0,
    text_thickness: int | None = None,
    class_mapping: Mapping[int, str] | None = None,
    ground_truth_mapping: Mapping[int, str] | None = None,
    prediction_mapping: Mapping[int, str] | None = None,
    legend: bool = False,
    legend_handles: Sequence[Any] | None = None,
    rows: int | None = None,
    cols: int | None = None,
    data_format: str | None = None,
    **kwargs: Any,
) -> None:
    """Show images with true and predicted boxes.

    Args:
        images: Shape `(batch, height, width, 3)`.
        bounding_box_format: Such as "xyxy"; see `utils.bounding_boxes.convert_format`.
        y_true: True boxes, as `draw_bounding_boxes` takes them.
        y_pred: Predicted boxes, likewise.
        value_range: The values of black and white.
        true_color: Red, green and blue of true boxes.
        pred_color: The same of predicted ones.
        line_thickness: Pixels.
        font_scale: The size of names.
        text_thickness: How bold the names are; None for `line_thickness`.
        class_mapping: Names by labels.
        ground_truth_mapping: Names for true boxes only.
        prediction_mapping: Names for predicted boxes only.
        legend: Whether to tell which boxes are which.
        legend_handles: What matplotlib makes a legend of instead.
        rows: How many; see `plot_image_gallery`.
        cols: How many.
        data_format: "channels_last", also for None, or "channels_first".
        kwargs: For `plot_image_gallery`.

    Raises:
        ShapeError: images of another rank.
        ValueError: both `legend` and `legend_handles`.
        ImportError: matplotlib is not installed.

    Example:
        >>> import io, pydl
        >>> boxes = {"boxes": [[[1, 1, 6, 6]], [[2, 2, 5, 7]]], "labels": [[0], [1]]}
        >>> file = io.BytesIO()
        >>> pydl.visualization.plot_bounding_box_gallery(
        ...     np.zeros((2, 8, 8, 3)), "xyxy", y_true=boxes, legend=True, path=file)
        >>> file.getvalue()[1:4]
        b'PNG'
    """
    owner = "plot_bounding_box_gallery"
    pictures = _as_shown(as_images(owner, images, data_format), value_range)
    if legend and legend_handles:
        raise ValueError(f"[{owner}] expected legend or legend_handles, got both.")
    drawings = (
        ("Ground Truth", y_true, true_color, ground_truth_mapping),
        ("Prediction", y_pred, pred_color, prediction_mapping),
    )
    for _, boxes, color, names in drawings:
        if boxes is not None:
            pictures = draw_bounding_boxes(
                pictures, boxes, bounding_box_format, names or class_mapping, color,
                line_thickness, text_thickness or line_thickness, font_scale,
            )  # fmt: skip
    if legend:
        patches = need("matplotlib.patches", "matplotlib", owner)
        legend_handles = [
            patches.Patch(color=np.array(color) / 255, label=label) for label, _, color, _ in drawings
        ]
    plot_image_gallery(pictures, rows=rows, cols=cols, legend_handles=legend_handles, **kwargs)


def plot_segmentation_mask_gallery(
    images: Any,
    num_classes: int | None,
    value_range: tuple[float, float] = (0, 255),
    y_true: Any = None,
    y_pred: Any = None,
    color_mapping: Mapping[int, Sequence[int]] | None = None,
    blend: bool = True,
    alpha: float = 0.8,
    ignore_index: int = -1,
    data_format: str | None = None,
    **kwargs: Any,
) -> None:
    """Show every image in a row with its true and its predicted mask.

    Args:
        images: Shape `(batch, height, width, 3)`.
        num_classes: Classes from this number on are not drawn.
        value_range: The values of black and white.
        y_true: True masks, as `draw_segmentation_masks` takes them.
        y_pred: Predicted masks, likewise.
        color_mapping: Colors by classes.
        blend: Whether the images shine through.
        alpha: How much the colors cover.
        ignore_index: A class that is not drawn.
        data_format: "channels_last", also for None, or "channels_first".
        kwargs: For `plot_image_gallery`.

    Raises:
        ShapeError: images of another rank, or masks of another shape.
        ImportError: matplotlib is not installed.

    Example:
        >>> import io, pydl
        >>> file = io.BytesIO()
        >>> pydl.visualization.plot_segmentation_mask_gallery(
        ...     np.zeros((2, 8, 8, 3)), 3, y_true=np.ones((2, 8, 8), "int32"), path=file)
        >>> file.getvalue()[1:4]
        b'PNG'
    """
    owner = "plot_segmentation_mask_gallery"
    pictures = _as_shown(as_images(owner, images, data_format), value_range)
    columns = [pictures]
    for masks in (y_true, y_pred):
        if masks is not None:
            masks = np.asarray(masks).astype("int32")
            if data_format == "channels_first" and masks.ndim == 4:
                masks = np.moveaxis(masks, 1, -1)
            columns.append(
                draw_segmentation_masks(
                    pictures, masks, num_classes, color_mapping, alpha, blend, ignore_index
                )
            )
    shown = np.stack(columns, axis=1).reshape(-1, *pictures.shape[1:])
    plot_image_gallery(shown, rows=len(pictures), cols=len(columns), **kwargs)


def _as_shown(pictures: np.ndarray, value_range: tuple[float, float]) -> np.ndarray:
    """uint8 from 0 to 255."""
    low, high = value_range
    shares = (pictures.astype("float64") - low) / (high - low)
    return np.clip(np.round(shares * 255, 3), 0, 255).astype("uint8")


def _title(kind: str, labels: Any, i: int, names: Mapping[int, str] | None) -> str:
    if labels is None or i >= len(labels):
        return ""
    return f"{kind}: {names.get(int(np.asarray(labels)[i]), 'Unknown')}"
