"""Layers, with the names, arguments, defaults and weights of Keras 3."""

from __future__ import annotations

from pydl.layers.activation import ELU, Activation, LeakyReLU, PReLU, ReLU, Softmax
from pydl.layers.attention import MultiHeadAttention
from pydl.layers.batch_normalization import BatchNormalization
from pydl.layers.categories import CategoryEncoding, Discretization
from pydl.layers.conv import Conv1D, Conv2D
from pydl.layers.conv_transpose import Conv2DTranspose
from pydl.layers.cropping import Cropping1D, Cropping2D, Cropping3D
from pydl.layers.dense import Dense
from pydl.layers.depthwise_conv import DepthwiseConv2D
from pydl.layers.dot_product import Dot
from pydl.layers.dropout import Dropout, SpatialDropout1D, SpatialDropout2D, SpatialDropout3D
from pydl.layers.dtype_policy import DTypePolicy, dtype_policy, set_dtype_policy
from pydl.layers.einsum_dense import EinsumDense
from pydl.layers.embedding import Embedding
from pydl.layers.global_pooling import (
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    GlobalMaxPooling1D,
    GlobalMaxPooling2D,
)
from pydl.layers.hashing import HashedCrossing, Hashing
from pydl.layers.identity import ActivityRegularization, Identity
from pydl.layers.input_layer import Input, InputLayer
from pydl.layers.input_spec import InputSpec
from pydl.layers.keras_tensor import KerasTensor
from pydl.layers.lambda_layer import Lambda
from pydl.layers.layer import Layer
from pydl.layers.lookup import IntegerLookup, StringLookup
from pydl.layers.mask_value import Masking
from pydl.layers.merge_functions import (
    add,
    average,
    concatenate,
    dot,
    maximum,
    minimum,
    multiply,
    subtract,
)
from pydl.layers.merging import Add, Average, Concatenate, Maximum, Minimum, Multiply, Subtract
from pydl.layers.noise import AlphaDropout, GaussianDropout, GaussianNoise
from pydl.layers.normalization import GroupNormalization, LayerNormalization, RMSNormalization
from pydl.layers.operation import Operation
from pydl.layers.pooling import AveragePooling1D, AveragePooling2D, MaxPooling1D, MaxPooling2D
from pydl.layers.preprocessing import Normalization, Rescaling
from pydl.layers.reshaping import Flatten, Permute, RepeatVector, Reshape
from pydl.layers.spectral_normalization import SpectralNormalization
from pydl.layers.text_vectorization import TextVectorization
from pydl.layers.unit_normalization import UnitNormalization
from pydl.layers.up_sampling import UpSampling1D, UpSampling2D, UpSampling3D
from pydl.layers.wrapper import Wrapper
from pydl.layers.zero_padding import ZeroPadding1D, ZeroPadding2D, ZeroPadding3D

__all__ = [
    "Activation",
    "ActivityRegularization",
    "Add",
    "AlphaDropout",
    "Average",
    "AveragePooling1D",
    "AveragePooling2D",
    "BatchNormalization",
    "CategoryEncoding",
    "Concatenate",
    "Conv1D",
    "Conv2D",
    "Conv2DTranspose",
    "Cropping1D",
    "Cropping2D",
    "Cropping3D",
    "DTypePolicy",
    "Dense",
    "DepthwiseConv2D",
    "Discretization",
    "Dot",
    "Dropout",
    "ELU",
    "EinsumDense",
    "Embedding",
    "Flatten",
    "GaussianDropout",
    "GaussianNoise",
    "GlobalAveragePooling1D",
    "GlobalAveragePooling2D",
    "GlobalMaxPooling1D",
    "GlobalMaxPooling2D",
    "GroupNormalization",
    "HashedCrossing",
    "Hashing",
    "Identity",
    "Input",
    "InputLayer",
    "InputSpec",
    "IntegerLookup",
    "KerasTensor",
    "Lambda",
    "Layer",
    "LayerNormalization",
    "LeakyReLU",
    "Masking",
    "MaxPooling1D",
    "MaxPooling2D",
    "Maximum",
    "Minimum",
    "MultiHeadAttention",
    "Multiply",
    "Normalization",
    "Operation",
    "PReLU",
    "Permute",
    "RMSNormalization",
    "ReLU",
    "RepeatVector",
    "Rescaling",
    "Reshape",
    "Softmax",
    "SpatialDropout1D",
    "SpatialDropout2D",
    "SpatialDropout3D",
    "SpectralNormalization",
    "StringLookup",
    "Subtract",
    "TextVectorization",
    "UnitNormalization",
    "UpSampling1D",
    "UpSampling2D",
    "UpSampling3D",
    "Wrapper",
    "ZeroPadding1D",
    "ZeroPadding2D",
    "ZeroPadding3D",
    "add",
    "average",
    "concatenate",
    "dot",
    "dtype_policy",
    "maximum",
    "minimum",
    "multiply",
    "set_dtype_policy",
    "subtract",
]
