"""Forecasts the carbon dioxide in the air month by month for a year with an encoder and a decoder.

    python examples/time_series_seq2seq.py            10 seconds on 2 cores
    python examples/time_series_seq2seq.py --quick    a shorter training

The measurements on Mauna Loa of 1958 to 2001 come with the package statsmodels. The encoder, an
LSTM, reads three years; its states start the decoder, another LSTM, which turns each month into the
next. In training the decoder is given the true months (teacher forcing); to forecast, it is given
what it said itself, one month after the other.

The network learns from the years before 1990 and is tested on those after. Its mean error there
should be under 0.9 (--quick: under 1) of that of the forecast "as last year, plus the growth of
the last year"; the program ends with an error if it is not.
Writes time_series_seq2seq.png, a picture of forecasts and of how their errors grow.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from statsmodels.datasets import co2

import pydl
from pydl import layers

PAST, AHEAD = 36, 12  # months that the encoder reads and the decoder forecasts
FIRST_TEST_YEAR = 1990
UNITS = 64
BATCH = 32


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="train for fewer epochs")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, default=Path("."), help="where the picture goes")
    options = parser.parse_args()
    epochs, goal = (30, 1.0) if options.quick else (80, 0.9)

    pydl.set_random_seed(options.seed)
    months, values = load_co2()
    windows = np.lib.stride_tricks.sliding_window_view(values, PAST + AHEAD)
    first_months, last_months = months[PAST:][: len(windows)], months[PAST + AHEAD - 1 :]
    training, testing = last_months < FIRST_TEST_YEAR, first_months >= FIRST_TEST_YEAR

    # The level grows beyond all that the network has seen: count from the last month known.
    levels = windows[:, PAST - 1 : PAST]
    scale = (windows - levels)[training].std()
    scaled = ((windows - levels) / scale).astype("float32")[..., np.newaxis]
    past, future, before = scaled[:, :PAST], scaled[:, PAST:], scaled[:, PAST - 1 : -1]

    batches = -(-training.sum() // BATCH)
    model, encoder, decoder = build_models(steps=epochs * int(batches))
    model.summary()
    history = model.fit(
        [past[training], before[training]], future[training],
        batch_size=BATCH, epochs=epochs, verbose=0,
    ).history  # fmt: skip
    loss = history["loss"]
    print(f"trained on {training.sum()} samples: loss {loss[0]:.3f} to {loss[-1]:.3f}")

    said = decode(encoder, decoder, past[testing])[..., 0] * scale + levels[testing]
    truth = windows[testing, PAST:]
    growth = windows[testing, PAST - 1] - windows[testing, PAST - 13]
    naive = windows[testing, PAST - 12 : PAST] + growth[:, np.newaxis]
    errors = {"network": np.abs(said - truth), "naive forecast": np.abs(naive - truth)}
    for name, error in errors.items():
        near, far = error[:, 0].mean(), error[:, -1].mean()
        print(f"mean error of the {name}, parts per million: {error.mean():.2f}", end=" ")
        print(f"({near:.2f} a month ahead, {far:.2f} a year ahead)")
    ratio = errors["network"].mean() / errors["naive forecast"].mean()
    print(f"result: {ratio:.2f} of the error of the naive forecast; should be under {goal}")
    path = options.folder / "time_series_seq2seq.png"
    draw(months, values, first_months[testing], said, errors, path)
    if ratio >= goal:
        sys.exit("the network did not reach the result that it should")


def load_co2() -> tuple[np.ndarray, np.ndarray]:
    """The months, as fractions of years, and their mean parts per million, gaps filled in."""
    series = co2.load_pandas().data["co2"].interpolate().resample("MS").mean()
    return (series.index.year + (series.index.month - 1) / 12).to_numpy(), series.to_numpy()


def build_models(steps: int) -> tuple[pydl.Model, pydl.Model, pydl.Model]:
    """The model to train, whose learning rate falls to 0 in so many steps, and its two parts.

    All three share their layers. The encoder turns the past into states; the decoder turns a month
    and states into the next month and new states.
    """
    encode = layers.LSTM(UNITS, return_state=True)
    decode_lstm = layers.LSTM(UNITS, return_sequences=True, return_state=True)
    to_value = layers.Dense(1)

    past, before = pydl.Input((PAST, 1), name="past"), pydl.Input((None, 1), name="before")
    _, *states = encode(layers.GaussianNoise(0.1)(past))
    # Noise, since the decoder's own words, which it reads later, are not quite right either.
    decoded, *_ = decode_lstm(layers.GaussianNoise(0.1)(before), initial_state=states)
    model = pydl.Model([past, before], to_value(layers.Dropout(0.1)(decoded)))
    rate = pydl.optimizers.schedules.CosineDecay(5e-3, decay_steps=steps)
    model.compile(pydl.optimizers.Adam(rate, clipnorm=1.0), "mse")

    encoder = pydl.Model(past, states)
    given = [pydl.Input((UNITS,)), pydl.Input((UNITS,))]
    decoded, *states = decode_lstm(before, initial_state=given)
    return model, encoder, pydl.Model([before, *given], [to_value(decoded), *states])


def decode(encoder: pydl.Model, decoder: pydl.Model, past: np.ndarray) -> np.ndarray:
    """The months after `past`, shape (samples, AHEAD, 1), each from the one said before it."""
    states = encoder.predict(past, verbose=0)
    month, said = past[:, -1:], []
    for _ in range(AHEAD):
        month, *states = decoder.predict([month, *states], verbose=0)
        said.append(month)
    return np.concatenate(said, axis=1)


def draw(
    months: np.ndarray,
    values: np.ndarray,
    starts: np.ndarray,
    forecasts: np.ndarray,
    errors: dict[str, np.ndarray],
    path: Path,
) -> None:
    """Draws a forecast for every other year, and the mean error by months ahead."""
    figure = Figure(figsize=(11, 4), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=[2, 1])
    shown = months >= FIRST_TEST_YEAR - 1
    left.plot(months[shown], values[shown], color="0.7", label="measured")
    for i in range(0, len(starts), 24):
        label = "forecast from one point" if i == 0 else None
        time = starts[i] + np.arange(AHEAD) / 12
        left.plot(time, forecasts[i], ".-", color="tab:red", label=label)
    left.set(xlabel="year", ylabel="carbon dioxide, parts per million")
    left.legend()
    for name, error in errors.items():
        color = "tab:red" if name == "network" else "tab:blue"
        right.plot(np.arange(1, AHEAD + 1), error.mean(axis=0), ".-", color=color, label=name)
    right.set(xlabel="months ahead", ylabel="mean error", ylim=(0, None))
    right.legend()
    figure.savefig(path, dpi=120)
    print(f"wrote {path}")


if __name__ == "__main__":
    main()
