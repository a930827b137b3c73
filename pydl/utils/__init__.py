"""Tools around models and data, under the names of `keras.utils`."""

from __future__ import annotations

from pydl.backend import clear_session, is_keras_tensor, standardize_dtype
from pydl.random import set_random_seed
from pydl.saving.registry import (
    CustomObjectScope,
    custom_object_scope,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
)
from pydl.saving.serialize import deserialize_keras_object, serialize_keras_object
from pydl.utils import bounding_boxes
from pydl.utils.directory_datasets import (
    image_dataset_from_directory,
    text_dataset_from_directory,
)
from pydl.utils.feature_space import FeatureSpace
from pydl.utils.files import get_file
from pydl.utils.images import array_to_img, img_to_array, load_img, save_img
from pydl.utils.labels import normalize, to_categorical
from pydl.utils.plot_model import model_to_dot, plot_model
from pydl.utils.py_dataset import PyDataset, Sequence
from pydl.utils.sample_weights import pack_x_y_sample_weight, unpack_x_y_sample_weight
from pydl.utils.sequences import pad_sequences
from pydl.utils.splitting import split_dataset
from pydl.utils.timeseries import timeseries_dataset_from_array

__all__ = [
    "CustomObjectScope",
    "FeatureSpace",
    "PyDataset",
    "Sequence",
    "array_to_img",
    "bounding_boxes",
    "clear_session",
    "custom_object_scope",
    "deserialize_keras_object",
    "get_custom_objects",
    "get_file",
    "get_registered_name",
    "get_registered_object",
    "image_dataset_from_directory",
    "img_to_array",
    "is_keras_tensor",
    "load_img",
    "model_to_dot",
    "normalize",
    "pack_x_y_sample_weight",
    "pad_sequences",
    "plot_model",
    "register_keras_serializable",
    "save_img",
    "serialize_keras_object",
    "set_random_seed",
    "split_dataset",
    "standardize_dtype",
    "text_dataset_from_directory",
    "timeseries_dataset_from_array",
    "to_categorical",
    "unpack_x_y_sample_weight",
]
