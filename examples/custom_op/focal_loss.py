"""A loss of one's own as a C++ kernel: focal loss, for classes that are rare.

Compiles `focal_loss.cpp`, checks it against the same made of pydl's ops, compares their speed, and
trains a detector of one handwritten digit that one image in fifty shows. Writes `focal_loss.png`.
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path

import numpy as np

import pydl
from pydl import layers, ops

focal = pydl.extension.load("focal", [Path(__file__).parent / "focal_loss.cpp"])


def focal_loss(labels, logits, alpha=0.25, gamma=2.0):
    """The fused loss, as `compile` wants it: the labels first."""
    return focal.focal_loss(logits, ops.cast(labels, logits.dtype), alpha, gamma)[0]


def composed_focal_loss(labels, logits, alpha=0.25, gamma=2.0):
    """The same made of built-in ops."""
    labels = ops.cast(labels, logits.dtype)
    signed = ops.where(labels > 0.5, logits, -logits)
    weight = labels * alpha + (1 - labels) * (1 - alpha)
    return weight * ops.exp(gamma * ops.log_sigmoid(-signed)) * -ops.log_sigmoid(signed)


def check() -> None:
    """Equal values and gradients, in float64."""
    generator = np.random.default_rng(0)
    labels = pydl.tensor((generator.random(1000) < 0.3).astype("float64"))
    values = generator.normal(scale=5, size=1000)
    results = []
    for loss in (focal_loss, composed_focal_loss):
        logits = pydl.tensor(values)
        logits.requires_grad = True
        total = loss(labels, logits)
        ops.sum(total).backward()
        results.append((total.detach().numpy(), logits.grad.numpy()))
    for fused, composed in zip(*results):
        np.testing.assert_allclose(fused, composed, rtol=1e-10, atol=1e-12)


def measure(count: int = 1_000_000, rounds: int = 15) -> dict[str, float]:
    """Median milliseconds of forward and backward, interleaved."""
    generator = np.random.default_rng(0)
    labels = pydl.tensor((generator.random(count) < 0.02).astype("float32"))
    logits = pydl.tensor(generator.normal(size=count).astype("float32"))
    logits.requires_grad = True
    times: dict[str, list[float]] = {"fused": [], "composed": []}
    for _ in range(rounds):
        for name, loss in (("fused", focal_loss), ("composed", composed_focal_loss)):
            logits.grad = None
            start = time.perf_counter()
            ops.sum(loss(labels, logits)).backward()
            times[name].append(1e3 * (time.perf_counter() - start))
    return {name: statistics.median(each) for name, each in times.items()}


def rare_digit(digit: int = 8, share: float = 0.02):
    """Scikit-learn's digits, of which `digit` is thinned out to a share of the training images."""
    (x_train, y_train), (x_test, y_test) = pydl.datasets.digits.load_data()
    x_train, x_test = (x.reshape(len(x), -1).astype("float32") / 16 for x in (x_train, x_test))
    others = np.flatnonzero(y_train != digit)
    few = np.flatnonzero(y_train == digit)[: int(share * len(others))]
    chosen = np.random.default_rng(0).permutation(np.concatenate([others, few]))
    return (x_train[chosen], y_train[chosen] == digit), (x_test, y_test == digit)


def train(loss, data, epochs: int) -> np.ndarray:
    """Scores of the test images after training with a loss."""
    (x_train, y_train), (x_test, _) = data
    pydl.set_random_seed(0)
    model = pydl.Sequential(
        [pydl.Input((x_train.shape[1],)), layers.Dense(64, activation="relu"), layers.Dense(1)]
    )
    model.compile(pydl.optimizers.Adam(3e-3), loss)
    model.fit(x_train, y_train[:, None].astype("float32"), epochs=epochs, batch_size=64, verbose=0)
    return model.predict(x_test, verbose=0)[:, 0]


def average_precision(labels: np.ndarray, scores: np.ndarray) -> float:
    """The mean, over the positives, of the precision down to each."""
    hits = labels[np.argsort(-scores)]
    precision = np.cumsum(hits) / np.arange(1, len(hits) + 1)
    return float(precision[hits].mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=30)
    epochs = parser.parse_args().epochs
    check()
    print("fused and composed agree")
    times = measure()
    print(
        f"forward and backward of 1M logits: fused {times['fused']:.2f} ms, "
        f"composed {times['composed']:.2f} ms"
    )
    print(f"speed-up: {times['composed'] / times['fused']:.1f}")
    data = rare_digit()
    labels = data[1][1]
    cross_entropy = pydl.losses.BinaryCrossentropy(from_logits=True)
    scores = {
        "cross entropy": train(cross_entropy, data, epochs),
        "focal loss": train(focal_loss, data, epochs),
    }
    for name, each in scores.items():
        print(f"average precision with {name}: {average_precision(labels, each):.3f}")
    draw(labels, scores, Path("focal_loss.png"))


def draw(labels: np.ndarray, scores: dict[str, np.ndarray], path: Path) -> None:
    """Precision over recall for each loss."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(6, 4))
    for name, each in scores.items():
        hits = labels[np.argsort(-each)]
        axes.plot(
            np.cumsum(hits) / hits.sum(), np.cumsum(hits) / np.arange(1, len(hits) + 1), label=name
        )
    axes.set(xlabel="recall", ylabel="precision", title="A digit that one image in fifty shows")
    axes.legend()
    figure.savefig(path, dpi=120, bbox_inches="tight")
    print(f"wrote {path}")


if __name__ == "__main__":
    main()
