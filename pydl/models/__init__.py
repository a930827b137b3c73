"""Models: Sequential, functional and by subclass, with training, saving and loading."""

from __future__ import annotations

from pydl.models.clone import clone_model
from pydl.models.model import Model
from pydl.models.sequential import Sequential
from pydl.saving import load_model, model_from_json, save_model

__all__ = ["Model", "Sequential", "clone_model", "load_model", "model_from_json", "save_model"]
