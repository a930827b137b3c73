"""Layers, with the names, arguments, defaults and weights of Keras 3."""

from __future__ import annotations

from pydl.layers.activation import Activation, LeakyReLU, ReLU, Softmax
from pydl.layers.attention import MultiHeadAttention
from pydl.layers.batch_normalization import BatchNormalization
from pydl.layers.conv import Conv1D, Conv2D
from pydl.layers.conv_transpose import Conv2DTranspose
from pydl.layers.dense import Dense
from pydl.layers.depthwise_conv import DepthwiseConv2D
from pydl.layers.dropout import Dropout
from pydl.layers.dtype_policy import DTypePolicy, dtype_policy, set_dtype_policy
from pydl.layers.embedding import Embedding
from pydl.layers.global_pooling import (
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    GlobalMaxPooling1D,
    GlobalMaxPooling2D,
)
from pydl.layers.input_layer import Input, InputLayer
from pydl.layers.input_spec import InputSpec
from pydl.layers.keras_tensor import KerasTensor
from pydl.layers.lambda_layer import Lambda
from pydl.layers.layer import Layer
from pydl.layers.merging import Add, Average, Concatenate, Maximum, Multiply
from pydl.layers.normalization import GroupNormalization, LayerNormalization, RMSNormalization
from pydl.layers.operation import Operation
from pydl.layers.pooling import AveragePooling1D, AveragePooling2D, MaxPooling1D, MaxPooling2D
from pydl.layers.preprocessing import Normalization, Rescaling
from pydl.layers.reshaping import Flatten, Permute, Reshape, UpSampling2D, ZeroPadding2D

__all__ = [
    "Activation",
    "Add",
    "Average",
    "AveragePooling1D",
    "AveragePooling2D",
    "BatchNormalization",
    "Concatenate",
    "Conv1D",
    "Conv2D",
    "Conv2DTranspose",
    "DTypePolicy",
    "Dense",
    "DepthwiseConv2D",
    "Dropout",
    "Embedding",
    "Flatten",
    "GlobalAveragePooling1D",
    "GlobalAveragePooling2D",
    "GlobalMaxPooling1D",
    "GlobalMaxPooling2D",
    "GroupNormalization",
    "Input",
    "InputLayer",
    "InputSpec",
    "KerasTensor",
    "Lambda",
    "Layer",
    "LayerNormalization",
    "LeakyReLU",
    "MaxPooling1D",
    "MaxPooling2D",
    "Maximum",
    "MultiHeadAttention",
    "Multiply",
    "Normalization",
    "Operation",
    "Permute",
    "RMSNormalization",
    "ReLU",
    "Rescaling",
    "Reshape",
    "Softmax",
    "UpSampling2D",
    "ZeroPadding2D",
    "dtype_policy",
    "set_dtype_policy",
]
