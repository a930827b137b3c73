"""Forecasts the carbon dioxide in the air half a year ahead with causal, dilated convolutions.

    python examples/time_series_cnn.py            10 seconds on 2 cores
    python examples/time_series_cnn.py --quick    a shorter training

The weekly measurements on Mauna Loa of 1958 to 2001 come with the package statsmodels. Each block
of the network looks twice as far back as the one before it, and no output looks ahead: so one pass
over a series makes a forecast in every week of it.

The network learns from the years before 1990 and is tested on those after. Its mean error there
should be under 0.85 (--quick: under 1) of that of the forecast "as half a year ago, plus the growth
of the last year"; the program ends with an error if it is not.
Writes time_series_cnn.png, a picture of the forecasts.
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

AHEAD = 26  # weeks
YEAR = 52
FIRST_TEST_YEAR = 1990
LENGTH = 256  # weeks of a sample to train on
DILATIONS = (1, 2, 4, 8, 16, 32)  # with kernels of 3: an output sees 127 weeks
BATCH = 16


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="train for fewer epochs")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, default=Path("."), help="where the picture goes")
    options = parser.parse_args()
    epochs, goal = (15, 1.0) if options.quick else (40, 0.85)

    pydl.set_random_seed(options.seed)
    years, values = load_co2()
    tested = int(np.searchsorted(years, FIRST_TEST_YEAR))  # the first week to test with

    # The level grows beyond all that the network has seen; the steps from week to week do not.
    steps = np.diff(values, prepend=values[0])[:, np.newaxis]
    changes = (values[AHEAD:] - values[:-AHEAD])[:, np.newaxis]  # in the next half year
    known = tested - AHEAD  # weeks whose forecast is for a week to train with
    steps_scale, changes_scale = steps[:tested].std(), changes[:known].std()
    steps, changes = steps / steps_scale, changes / changes_scale
    x, y = samples(steps[:known]), samples(changes[:known])

    model = build_model(epochs * -(-len(x) // BATCH))
    model.summary()
    loss = model.fit(x, y, batch_size=BATCH, epochs=epochs, verbose=0).history["loss"]
    print(f"trained on {len(x)} samples: loss {loss[0]:.3f} to {loss[-1]:.3f}")

    forecast = values + model.predict(steps[np.newaxis], verbose=0)[0, :, 0] * changes_scale
    check_causality(model, steps)
    now = np.arange(tested, len(values) - AHEAD)
    truth = values[now + AHEAD]
    naive = values[now + AHEAD - YEAR] + values[now] - values[now - YEAR]
    error, naive_error = np.abs(forecast[now] - truth).mean(), np.abs(naive - truth).mean()
    print(f"mean error: {error:.2f} parts per million; of the naive forecast: {naive_error:.2f}")
    ratio = error / naive_error
    print(f"result: {ratio:.2f} of the error of the naive forecast; should be under {goal}")
    path = options.folder / "time_series_cnn.png"
    draw(years[now + AHEAD], truth, {"network": forecast[now], "naive": naive}, path)
    if ratio >= goal:
        sys.exit("the network did not reach the result that it should")


def load_co2() -> tuple[np.ndarray, np.ndarray]:
    """The times in years and the parts per million of all weeks, gaps filled in."""
    series = co2.load_pandas().data["co2"].interpolate()
    return (series.index.year + series.index.day_of_year / 366).to_numpy(), series.to_numpy()


def samples(series: np.ndarray) -> np.ndarray:
    """Pieces of LENGTH weeks, one starting in every eighth, shape (pieces, LENGTH, 1)."""
    pieces = np.lib.stride_tricks.sliding_window_view(series[:, 0], LENGTH)[::8]
    return pieces[..., np.newaxis].astype("float32")


def build_model(steps: int) -> pydl.Model:
    """A compiled model for series of any length; its learning rate falls to 0 in so many steps."""
    series = pydl.Input((None, 1))
    x = layers.Conv1D(32, 1)(series)
    for dilation in DILATIONS:
        seen = layers.Conv1D(32, 3, padding="causal", dilation_rate=dilation, activation="relu")(x)
        x = layers.Add()([x, layers.SpatialDropout1D(0.1)(seen)])
    model = pydl.Model(series, layers.Dense(1)(layers.LayerNormalization()(x)))
    rate = pydl.optimizers.schedules.CosineDecay(5e-3, decay_steps=steps)
    model.compile(pydl.optimizers.AdamW(rate, weight_decay=1e-3), "mse")
    return model


def check_causality(model: pydl.Model, steps: np.ndarray) -> None:
    """Ends the program if what comes later changes a forecast."""
    today = len(steps) // 2
    without_future = model.predict(steps[np.newaxis, :today], verbose=0)
    with_future = model.predict(steps[np.newaxis], verbose=0)[:, :today]
    if not np.allclose(with_future, without_future, atol=1e-4):
        sys.exit("expected forecasts that do not depend on the future")


def draw(
    years: np.ndarray, truth: np.ndarray, forecasts: dict[str, np.ndarray], path: Path
) -> None:
    """Draws what was measured and forecast, and below it the errors."""
    figure = Figure(figsize=(10, 6), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True)
    upper.plot(years, truth, color="0.6", label="measured")
    for color, (name, forecast) in zip(("tab:red", "tab:blue"), forecasts.items()):
        if name == "network":
            upper.plot(years, forecast, color=color, label="forecast half a year before")
        lower.plot(years, forecast - truth, color=color, label=name)
    upper.set(ylabel="carbon dioxide, parts per million")
    lower.set(xlabel="year", ylabel="error, parts per million")
    upper.legend()
    lower.legend()
    figure.savefig(path, dpi=120)
    print(f"wrote {path}")


if __name__ == "__main__":
    main()
