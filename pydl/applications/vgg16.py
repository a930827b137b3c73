"""VGG with 16 layers."""

from __future__ import annotations

from pydl.applications.imagenet_utils import decode_predictions
from pydl.applications.vgg import VGG16, preprocess_input

__all__ = ["VGG16", "decode_predictions", "preprocess_input"]
