"""Forecasts the number of sunspots with an LSTM, one year ahead.

    python examples/time_series_lstm.py

The counts of the years 1700 to 2008 come with the package statsmodels. The network learns from the
years up to 1929 and is tested on those after. Its mean error there should be under 0.65 of that of
the forecast "as last year"; the program ends with an error if it is not. A few seconds.

Writes time_series_lstm.png, a picture of the forecasts.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np

import pydl
from pydl import layers

WINDOW = 24  # years that a forecast looks at: two cycles of the sun
FIRST_TEST_YEAR = 1930
GOAL = 0.65
BATCH = 32


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--folder", type=Path, default=Path("."), help="where the results go")
    options = parser.parse_args()

    pydl.set_random_seed(0)
    years, counts = load_sunspots()
    values = np.sqrt(counts)  # the noise of counts grows with them; that of their roots does not
    training = years < FIRST_TEST_YEAR
    mean, spread = values[training].mean(), values[training].std()
    scaled = ((values - mean) / spread).astype("float32")
    x, y = windows(scaled)
    is_training = training[WINDOW:]

    batches = -(-is_training.sum() // BATCH)
    model = build_model(steps=options.epochs * int(batches))
    model.summary()
    start = time.perf_counter()
    history = model.fit(
        x[is_training], y[is_training], batch_size=BATCH, epochs=options.epochs, verbose=0
    )
    loss = history.history["loss"]
    print(f"trained in {time.perf_counter() - start:.1f} s, loss {loss[0]:.3f} to {loss[-1]:.3f}")

    forecast = model.predict(x[~is_training], verbose=0)[:, 0] * spread + mean
    forecast = np.square(np.maximum(forecast, 0))
    truth, last_year = counts[~training], counts[np.flatnonzero(~training) - 1]
    error, naive = np.abs(forecast - truth).mean(), np.abs(last_year - truth).mean()
    print(f"mean error: {error:.1f} sunspots; of the forecast 'as last year': {naive:.1f}")
    draw(years, counts, forecast, options.folder / "time_series_lstm.png")
    if error > GOAL * naive:
        sys.exit(f"expected an error under {GOAL} of the naive one, got {error / naive:.2f}")


def load_sunspots() -> tuple[np.ndarray, np.ndarray]:
    """Returns the years and the mean number of sunspots in each."""
    from statsmodels.datasets import sunspots

    data = sunspots.load_pandas().data
    return data["YEAR"].to_numpy().astype(int), data["SUNACTIVITY"].to_numpy()


def windows(series: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns all runs of WINDOW values, shape (runs, WINDOW, 1), and the value after each."""
    runs = np.lib.stride_tricks.sliding_window_view(series, WINDOW)[:-1]
    return runs[..., np.newaxis].copy(), series[WINDOW:, np.newaxis].copy()


def build_model(steps: int) -> pydl.Sequential:
    """Returns a compiled model whose learning rate falls to 0 within so many steps."""
    model = pydl.Sequential(
        [
            pydl.Input((WINDOW, 1)),
            layers.LSTM(32, return_sequences=True),
            layers.LSTM(32, dropout=0.1),
            layers.Dropout(0.1),
            layers.Dense(1),
        ]
    )
    rate = pydl.optimizers.schedules.CosineDecay(0.01, decay_steps=steps)
    model.compile(pydl.optimizers.Adam(rate), loss="mse")
    return model


def draw(years: np.ndarray, counts: np.ndarray, forecast: np.ndarray, path: Path) -> None:
    """Draws the counts and the forecasts of the years they are for."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(10, 4))
    axes.plot(years, counts, color="0.6", label="counted")
    axes.plot(years[-len(forecast) :], forecast, color="tab:red", label="forecast a year before")
    axes.axvline(FIRST_TEST_YEAR, color="0.8", linestyle="--")
    axes.set(xlabel="year", ylabel="sunspots", xlim=(1850, years[-1]))
    axes.legend()
    figure.tight_layout()
    figure.savefig(path, dpi=120)
    print(f"wrote {path}")


if __name__ == "__main__":
    main()
