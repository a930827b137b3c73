"""Normalization of a layer's kernel by its largest singular value."""

from __future__ import annotations

from pydl import initializers, ops
from pydl.autograd import no_grad
from pydl.layers.arguments import positive_int
from pydl.layers.input_spec import InputSpec
from pydl.layers.layer import Layer
from pydl.layers.wrapper import Wrapper

__all__ = ["SpectralNormalization"]


class SpectralNormalization(Wrapper):
    """Divides the kernel of a layer by its largest singular value at every training call.

    The layer can then stretch differences of its inputs no more than by a factor of about 1,
    which steadies the discriminator of a GAN. The singular value is estimated by power iteration
    that goes on from call to call.

    Args:
        layer: A layer with a `kernel` or `embeddings`.
        power_iterations: How many iterations to do at each call.

    Call arguments:
        inputs: What the layer takes.
        training: Whether to normalize the kernel first.

    Returns:
        What the layer returns.

    Raises:
        ValueError: `power_iterations` is not positive, or the layer has no such weight.

    Example:
        >>> import pydl
        >>> layer = pydl.layers.SpectralNormalization(pydl.layers.Dense(3), power_iterations=50)
        >>> y = layer(pydl.ops.ones((1, 4)), training=True)
        >>> float(np.linalg.norm(layer.layer.kernel.numpy(), 2).round(3))
        1.0

    Source: Miyato et al., 2018.
    """

    def __init__(self, layer: Layer, power_iterations: int = 1, **kwargs):
        super().__init__(layer, **kwargs)
        self.power_iterations = positive_int("power_iterations", power_iterations, self.name)

    def build(self, input_shape):
        super().build(input_shape)
        self.input_spec = InputSpec(min_ndim=1, axes={-1: input_shape[-1]})
        self.kernel = getattr(self.layer, "kernel", getattr(self.layer, "embeddings", None))
        if self.kernel is None:
            raise ValueError(
                f"[{self.name}] expected a layer with a kernel or embeddings, got {self.layer}."
            )
        self.vector_u = self.add_weight(
            shape=(1, self.kernel.shape[-1]),
            initializer=initializers.TruncatedNormal(stddev=0.02),
            dtype=self.kernel.dtype,
            trainable=False,
            autocast=False,
            name="vector_u",
        )

    def call(self, inputs, training=False):
        if training:
            self._normalize_kernel()
        return self.layer(inputs)

    def compute_output_shape(self, input_shape):
        return self.layer.compute_output_shape(input_shape)

    @no_grad()
    def _normalize_kernel(self) -> None:
        kernel = getattr(self.layer, "kernel", getattr(self.layer, "embeddings", None))
        matrix = ops.reshape(kernel, (-1, kernel.shape[-1]))
        if not ops.any(matrix):
            return
        u = self.vector_u
        for _ in range(self.power_iterations):
            v = ops.normalize(ops.matmul(u, ops.transpose(matrix)), axis=None)
            u = ops.normalize(ops.matmul(v, matrix), axis=None)
        stretch = ops.sum(ops.matmul(v, matrix) * u)
        self.vector_u.assign(u)
        kernel.assign(kernel / stretch)
