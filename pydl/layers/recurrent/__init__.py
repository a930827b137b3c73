"""Recurrent layers: cells that make one step, and layers that take them through sequences."""
