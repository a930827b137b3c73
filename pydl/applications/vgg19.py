"""VGG with 19 layers."""

from __future__ import annotations

from pydl.applications.imagenet_utils import decode_predictions
from pydl.applications.vgg import VGG19, preprocess_input

__all__ = ["VGG19", "decode_predictions", "preprocess_input"]
