"""Layers, with the names, arguments, defaults and weights of Keras 3."""

from __future__ import annotations

from pydl.layers.activation import ELU, Activation, LeakyReLU, PReLU, ReLU, Softmax
from pydl.layers.adaptive_pooling import (
    AdaptiveAveragePooling1D,
    AdaptiveAveragePooling2D,
    AdaptiveAveragePooling3D,
    AdaptiveMaxPooling1D,
    AdaptiveMaxPooling2D,
    AdaptiveMaxPooling3D,
)
from pydl.layers.aliases import (
    AvgPool1D,
    AvgPool2D,
    AvgPool3D,
    Convolution1D,
    Convolution1DTranspose,
    Convolution2D,
    Convolution2DTranspose,
    Convolution3D,
    Convolution3DTranspose,
    GlobalAvgPool1D,
    GlobalAvgPool2D,
    GlobalAvgPool3D,
    GlobalMaxPool1D,
    GlobalMaxPool2D,
    GlobalMaxPool3D,
    MaxPool1D,
    MaxPool2D,
    MaxPool3D,
    SeparableConvolution1D,
    SeparableConvolution2D,
)
from pydl.layers.attention import MultiHeadAttention
from pydl.layers.batch_normalization import BatchNormalization
from pydl.layers.cached_attention import KeyValueCache
from pydl.layers.categories import CategoryEncoding, Discretization
from pydl.layers.conv import Conv1D, Conv2D, Conv3D
from pydl.layers.conv_transpose import Conv1DTranspose, Conv2DTranspose, Conv3DTranspose
from pydl.layers.cropping import Cropping1D, Cropping2D, Cropping3D
from pydl.layers.dense import Dense
from pydl.layers.depthwise_conv import DepthwiseConv1D, DepthwiseConv2D
from pydl.layers.dot_attention import AdditiveAttention, Attention
from pydl.layers.dot_product import Dot
from pydl.layers.dropout import Dropout, SpatialDropout1D, SpatialDropout2D, SpatialDropout3D
from pydl.layers.dtype_policy import DTypePolicy, dtype_policy, set_dtype_policy
from pydl.layers.einsum_dense import EinsumDense
from pydl.layers.embedding import Embedding
from pydl.layers.global_pooling import (
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    GlobalAveragePooling3D,
    GlobalMaxPooling1D,
    GlobalMaxPooling2D,
    GlobalMaxPooling3D,
)
from pydl.layers.group_query_attention import GroupQueryAttention
from pydl.layers.hashing import HashedCrossing, Hashing
from pydl.layers.identity import ActivityRegularization, Identity
from pydl.layers.image_color import (
    RandomBrightness,
    RandomColorDegeneration,
    RandomContrast,
    RandomGrayscale,
    RandomHue,
    RandomSaturation,
)
from pydl.layers.image_geometry import (
    RandomFlip,
    RandomRotation,
    RandomShear,
    RandomTranslation,
    RandomZoom,
)
from pydl.layers.image_jitter import RandomColorJitter, RandomGaussianBlur
from pydl.layers.image_mixing import CutMix, MixUp, RandomErasing
from pydl.layers.image_size import CenterCrop, RandomCrop, Resizing
from pydl.layers.image_tone import (
    AutoContrast,
    Equalization,
    RandomInvert,
    RandomPosterization,
    RandomSharpness,
    Solarization,
)
from pydl.layers.image_warping import AugMix, RandomElasticTransform, RandomPerspective
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
from pydl.layers.pipeline import MaxNumBoundingBoxes, Pipeline
from pydl.layers.pooling import (
    AveragePooling1D,
    AveragePooling2D,
    AveragePooling3D,
    MaxPooling1D,
    MaxPooling2D,
    MaxPooling3D,
)
from pydl.layers.position import (
    PositionEmbedding,
    RotaryEmbedding,
    SinePositionEncoding,
    TokenAndPositionEmbedding,
)
from pydl.layers.preprocessing import Normalization, Rescaling
from pydl.layers.rand_augment import RandAugment
from pydl.layers.recurrent.bidirectional import Bidirectional
from pydl.layers.recurrent.conv_lstm import ConvLSTM1D, ConvLSTM2D, ConvLSTM3D
from pydl.layers.recurrent.gru import GRU, GRUCell
from pydl.layers.recurrent.lstm import LSTM, LSTMCell
from pydl.layers.recurrent.rnn import RNN
from pydl.layers.recurrent.simple_rnn import SimpleRNN, SimpleRNNCell
from pydl.layers.recurrent.stacked_cells import StackedRNNCells
from pydl.layers.recurrent.time_distributed import TimeDistributed
from pydl.layers.reshaping import Flatten, Permute, RepeatVector, Reshape
from pydl.layers.reversible_embedding import ReversibleEmbedding
from pydl.layers.separable_conv import SeparableConv1D, SeparableConv2D
from pydl.layers.spectrogram import MelSpectrogram, STFTSpectrogram
from pydl.layers.spectral_normalization import SpectralNormalization
from pydl.layers.text_vectorization import TextVectorization
from pydl.layers.transformer import DecoderCache, TransformerDecoder, TransformerEncoder
from pydl.layers.unit_normalization import UnitNormalization
from pydl.layers.up_sampling import UpSampling1D, UpSampling2D, UpSampling3D
from pydl.layers.wrapper import Wrapper
from pydl.layers.zero_padding import ZeroPadding1D, ZeroPadding2D, ZeroPadding3D
from pydl.saving.serialize import deserialize_keras_object as deserialize
from pydl.saving.serialize import serialize_keras_object as serialize

__all__ = [
    "Activation",
    "ActivityRegularization",
    "AdaptiveAveragePooling1D",
    "AdaptiveAveragePooling2D",
    "AdaptiveAveragePooling3D",
    "AdaptiveMaxPooling1D",
    "AdaptiveMaxPooling2D",
    "AdaptiveMaxPooling3D",
    "Add",
    "AdditiveAttention",
    "AlphaDropout",
    "Attention",
    "AugMix",
    "AutoContrast",
    "Average",
    "AveragePooling1D",
    "AveragePooling2D",
    "AveragePooling3D",
    "AvgPool1D",
    "AvgPool2D",
    "AvgPool3D",
    "BatchNormalization",
    "Bidirectional",
    "CategoryEncoding",
    "CenterCrop",
    "Concatenate",
    "Conv1D",
    "Conv1DTranspose",
    "Conv2D",
    "Conv2DTranspose",
    "Conv3D",
    "Conv3DTranspose",
    "ConvLSTM1D",
    "ConvLSTM2D",
    "ConvLSTM3D",
    "Convolution1D",
    "Convolution1DTranspose",
    "Convolution2D",
    "Convolution2DTranspose",
    "Convolution3D",
    "Convolution3DTranspose",
    "Cropping1D",
    "Cropping2D",
    "Cropping3D",
    "CutMix",
    "DTypePolicy",
    "DecoderCache",
    "Dense",
    "DepthwiseConv1D",
    "DepthwiseConv2D",
    "Discretization",
    "Dot",
    "Dropout",
    "ELU",
    "EinsumDense",
    "Embedding",
    "Equalization",
    "Flatten",
    "GRU",
    "GRUCell",
    "GaussianDropout",
    "GaussianNoise",
    "GlobalAveragePooling1D",
    "GlobalAveragePooling2D",
    "GlobalAveragePooling3D",
    "GlobalAvgPool1D",
    "GlobalAvgPool2D",
    "GlobalAvgPool3D",
    "GlobalMaxPool1D",
    "GlobalMaxPool2D",
    "GlobalMaxPool3D",
    "GlobalMaxPooling1D",
    "GlobalMaxPooling2D",
    "GlobalMaxPooling3D",
    "GroupNormalization",
    "GroupQueryAttention",
    "HashedCrossing",
    "Hashing",
    "Identity",
    "Input",
    "InputLayer",
    "InputSpec",
    "IntegerLookup",
    "KerasTensor",
    "KeyValueCache",
    "LSTM",
    "LSTMCell",
    "Lambda",
    "Layer",
    "LayerNormalization",
    "LeakyReLU",
    "Masking",
    "MaxNumBoundingBoxes",
    "MaxPool1D",
    "MaxPool2D",
    "MaxPool3D",
    "MaxPooling1D",
    "MaxPooling2D",
    "MaxPooling3D",
    "Maximum",
    "MelSpectrogram",
    "Minimum",
    "MixUp",
    "MultiHeadAttention",
    "Multiply",
    "Normalization",
    "Operation",
    "PReLU",
    "Permute",
    "Pipeline",
    "PositionEmbedding",
    "RMSNormalization",
    "RNN",
    "RandAugment",
    "RandomBrightness",
    "RandomColorDegeneration",
    "RandomColorJitter",
    "RandomContrast",
    "RandomCrop",
    "RandomElasticTransform",
    "RandomErasing",
    "RandomFlip",
    "RandomGaussianBlur",
    "RandomGrayscale",
    "RandomHue",
    "RandomInvert",
    "RandomPerspective",
    "RandomPosterization",
    "RandomRotation",
    "RandomSaturation",
    "RandomSharpness",
    "RandomShear",
    "RandomTranslation",
    "RandomZoom",
    "ReLU",
    "RepeatVector",
    "Rescaling",
    "Reshape",
    "Resizing",
    "ReversibleEmbedding",
    "RotaryEmbedding",
    "STFTSpectrogram",
    "SeparableConv1D",
    "SeparableConv2D",
    "SeparableConvolution1D",
    "SeparableConvolution2D",
    "SimpleRNN",
    "SimpleRNNCell",
    "SinePositionEncoding",
    "Softmax",
    "Solarization",
    "SpatialDropout1D",
    "SpatialDropout2D",
    "SpatialDropout3D",
    "SpectralNormalization",
    "StackedRNNCells",
    "StringLookup",
    "Subtract",
    "TextVectorization",
    "TimeDistributed",
    "TokenAndPositionEmbedding",
    "TransformerDecoder",
    "TransformerEncoder",
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
    "deserialize",
    "dot",
    "dtype_policy",
    "maximum",
    "minimum",
    "multiply",
    "serialize",
    "set_dtype_policy",
    "subtract",
]
