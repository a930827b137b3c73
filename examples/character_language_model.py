"""A small GPT learns to write like Python's documentation, character by character.

    python examples/character_language_model.py            about a minute
    python examples/character_language_model.py --quick    seconds

The text comes with Python itself: what `help()` says about its topics. The network, three layers
of a transformer, sees 256 characters and says what may come next. On a tenth of the text that it
has not seen, it needs at most 2.3 bits for a character (4.2 in the quick form); frequencies alone
need 4.7. The program ends with an error if it needs more. At the end it writes.

Writes character_language_model.png: the training, and what surprised the network in the test text.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from pydoc_data import topics

import numpy as np

import pydl
from pydl import generation, layers

LENGTH = 256  # characters that the network sees
FEATURES, HEADS, BLOCKS = 128, 4, 3
BATCH = 16
STEPS_PER_EPOCH = 25


class Writer(pydl.Model):
    """Logits of the next character, for every character of a text."""

    def __init__(self, characters: int):
        super().__init__()
        self.embedding = layers.Embedding(characters, FEATURES)
        self.blocks = [
            layers.TransformerDecoder(
                4 * FEATURES, HEADS, 0.1, "gelu", normalize_first=True, rotary=True
            )
            for _ in range(BLOCKS)
        ]
        self.normalization = layers.LayerNormalization()
        self.head = layers.Dense(characters)

    def call(self, tokens, cache=None, training=False):
        x = self.embedding(tokens)
        for i, block in enumerate(self.blocks):
            x = block(x, cache=cache[i] if cache else None, training=training)
        return self.head(self.normalization(x))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="train for a few seconds only")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, default=Path("."), help="where the picture goes")
    options = parser.parse_args()
    epochs, goal = (1, 4.2) if options.quick else (16, 2.3)

    pydl.set_random_seed(options.seed)
    text = load_text()
    characters = sorted(set(text))
    codes = np.array([characters.index(c) for c in text], "int32")
    train, test = np.split(codes, [len(codes) * 9 // 10])
    print(f"{len(train)} characters to learn from, {len(test)} to test with")
    print(f"frequencies alone need {frequency_bits(train, test, len(characters)):.2f} bits each")

    model = Writer(len(characters))
    steps = epochs * STEPS_PER_EPOCH
    rate = pydl.optimizers.schedules.CosineDecay(
        0.0, decay_steps=steps, warmup_target=3e-3, warmup_steps=steps // 10
    )
    loss = pydl.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(pydl.optimizers.AdamW(rate, weight_decay=0.1, global_clipnorm=1.0), loss)
    rows = test[: (len(test) - 1) // LENGTH * LENGTH + 1]
    x_test, y_test = rows[:-1].reshape(-1, LENGTH), rows[1:].reshape(-1, LENGTH)
    start = time.perf_counter()
    history = model.fit(
        batches(train, options.seed),
        verbose=2,
        steps_per_epoch=STEPS_PER_EPOCH,
        epochs=epochs,
        validation_data=(x_test, y_test),
    ).history
    print(f"trained in {time.perf_counter() - start:.1f} s")

    print("\nIt writes:\n")
    print(write(model, characters, "   The ", LENGTH, options.seed))
    bits = history["val_loss"][-1] / math.log(2)
    print(f"\nbits per character: {bits:.3f} (expected: at most {goal})")
    passage = slice(len(x_test) // 2, len(x_test) // 2 + 4)
    surprise = bits_of(model, x_test[passage], y_test[passage]).ravel()
    shown = "".join(characters[i] for i in y_test[passage].ravel())
    draw(history, shown, surprise, options.folder / "character_language_model.png")
    if bits > goal:
        sys.exit(f"expected at most {goal} bits per character, got {bits:.3f}")


def load_text() -> str:
    """Returns the topics, each paragraph once: many stand in several topics."""
    paragraphs = "\n\n".join(text for _, text in sorted(topics.topics.items())).split("\n\n")
    text = "\n\n".join(dict.fromkeys(paragraphs))
    return "".join(c for c in text if c.isascii())


def frequency_bits(train: np.ndarray, test: np.ndarray, characters: int) -> float:
    counts = np.bincount(train, minlength=characters) + 1
    return float(-np.log2(counts / counts.sum())[test].mean())


def batches(codes: np.ndarray, seed: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yields pieces of the text from anywhere, and the same moved by one: what comes next."""
    random = np.random.default_rng(seed)
    while True:
        starts = random.integers(0, len(codes) - LENGTH, BATCH)
        pieces = codes[starts[:, None] + np.arange(LENGTH + 1)]
        yield pieces[:, :-1], pieces[:, 1:]


def write(model: Writer, characters: list[str], prompt: str, count: int, seed: int) -> str:
    """Returns the prompt and `count` characters more; the cache keeps what the model has read."""
    tokens = np.array([[characters.index(c) for c in prompt]], "int32")
    cache = [layers.DecoderCache() for _ in model.blocks]
    sampler = generation.TopPSampler(p=0.9, temperature=0.8, seed=seed)
    written = generation.generate(
        lambda tokens, cache: model(tokens, cache=cache), tokens, count, sampler, cache=cache
    )
    return "".join(characters[i] for i in written.numpy()[0])


def bits_of(model: Writer, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Returns how many bits each true next character takes, of the shape of `y`."""
    logits = model.predict(x, verbose=0)
    log_probabilities = pydl.ops.log_softmax(logits).numpy()
    return -np.take_along_axis(log_probabilities, y[..., None], axis=-1)[..., 0] / math.log(2)


def draw(history: dict, text: str, surprise: np.ndarray, path: Path) -> None:
    """Draws bits per character by step, and a text in which dark characters were surprises."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, (left, right) = pyplot.subplots(
        1, 2, figsize=(12, 5), width_ratios=[2, 3], layout="constrained"
    )
    steps = STEPS_PER_EPOCH * np.arange(1, len(history["loss"]) + 1)
    for name, label in (("loss", "training"), ("val_loss", "test")):
        left.plot(steps, np.array(history[name]) / math.log(2), label=label)
    left.set(xlabel="steps", ylabel="bits per character")
    left.grid(color="0.9")
    left.legend()

    columns, lines = 80, 26
    right.set(xlim=(0, columns), ylim=(lines, 0))
    right.set_axis_off()
    right.set_title("text it has not seen; dark: more than 6 bits of surprise", fontsize=10)
    colors = pyplot.get_cmap("YlOrRd")(np.minimum(surprise / 7.5, 0.8))
    column, line = 0, 0
    for character, color in zip(text, colors):
        if character == "\n" or column == columns:
            column, line = 0, line + 1
        if line == lines:
            break
        if character != "\n":
            right.add_patch(pyplot.Rectangle((column, line), 1, 1, color=color, linewidth=0))
            right.text(
                column + 0.5, line + 0.5, character, ha="center", va="center",
                family="monospace", fontsize=7,
            )  # fmt: skip
            column += 1
    figure.savefig(path, dpi=150)
    print(f"wrote {path}")


if __name__ == "__main__":
    main()
