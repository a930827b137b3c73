"""The errors that pydl raises beyond Python's own."""

from pydl._core import AutogradError, DeviceError, DTypeError, OutOfMemoryError, ShapeError

__all__ = ["AutogradError", "DTypeError", "DeviceError", "OutOfMemoryError", "ShapeError"]
