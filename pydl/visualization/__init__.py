"""Pictures of images with boxes and masks, under the names of `keras.visualization`."""

from __future__ import annotations

from pydl.visualization.drawing import draw_bounding_boxes, draw_segmentation_masks
from pydl.visualization.galleries import (
    plot_bounding_box_gallery,
    plot_image_gallery,
    plot_segmentation_mask_gallery,
)

__all__ = [
    "draw_bounding_boxes",
    "draw_segmentation_masks",
    "plot_bounding_box_gallery",
    "plot_image_gallery",
    "plot_segmentation_mask_gallery",
]
