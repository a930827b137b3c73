"""Searches the settings of a network with Optuna, and ends trials early that look bad.

    python examples/tune.py                20 trials on scikit-learn's diabetes data, under a minute
    python examples/tune.py --trials 100

The best network explains about a third of the variance of patients that it has not seen (R2 above
0.25, or the program ends with an error; linear regression comes to 0.34).
Writes tune.png, a picture of all trials.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import optuna
from matplotlib.figure import Figure
from sklearn.datasets import load_diabetes

import pydl
from pydl import layers

EPOCHS = 40
GOAL = 0.25


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--folder", type=Path, default=Path("."), help="where the picture goes")
    options = parser.parse_args()

    train, validation, test = splits()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        sampler=optuna.samplers.TPESampler(seed=0),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=5, n_warmup_steps=5),
    )

    def objective(trial: optuna.Trial) -> float:
        model = suggested(trial)
        history = fit(model, train, validation, pydl.callbacks.OptunaPruning(trial))
        return min(history.history["val_loss"])

    study.optimize(objective, n_trials=options.trials)
    pruned = sum(trial.state.name == "PRUNED" for trial in study.trials)
    print(f"{len(study.trials)} trials, {pruned} of them ended early")
    print(f"best: {study.best_params}, validation loss {study.best_value:.3f}")

    model = suggested(study.best_trial)
    stop = pydl.callbacks.EarlyStopping(patience=10, restore_best_weights=True)
    fit(model, train, validation, stop)
    score = model.evaluate(*test, verbose=0, return_dict=True)["r2_score"]
    print(f"R2 of {len(test[0])} patients not seen before: {score:.2f}")
    draw(study, options.folder / "tune.png")
    if score < GOAL:
        sys.exit(f"expected an R2 of at least {GOAL}")


def splits() -> list[tuple[np.ndarray, np.ndarray]]:
    """Samples to train on, to choose by, and to test with; targets with mean 0 and variance 1."""
    x, y = load_diabetes(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(x))
    x = (x / x.std(axis=0))[order].astype("float32")
    y = ((y - y.mean()) / y.std())[order, None].astype("float32")
    return [(x[a:b], y[a:b]) for a, b in ((0, 260), (260, 350), (350, len(x)))]


def suggested(trial: optuna.trial.BaseTrial) -> pydl.Model:
    """A compiled network with the settings of a trial."""
    pydl.set_random_seed(0)
    units = trial.suggest_int("units", 4, 128, log=True)
    activation = trial.suggest_categorical("activation", ["relu", "tanh", "gelu"])
    model = pydl.Sequential([layers.Input((10,))])
    for _ in range(trial.suggest_int("layers", 1, 3)):
        model.add(layers.Dense(units, activation))
        model.add(layers.Dropout(trial.suggest_float("dropout", 0.0, 0.5)))
    model.add(layers.Dense(1))
    rate = trial.suggest_float("learning_rate", 1e-4, 0.1, log=True)
    decay = trial.suggest_float("weight_decay", 1e-4, 1.0, log=True)
    optimizer = pydl.optimizers.AdamW(rate, weight_decay=decay)
    model.compile(optimizer, "mse", metrics=[pydl.metrics.R2Score()])
    return model


def fit(model: pydl.Model, train: tuple, validation: tuple, callback: pydl.callbacks.Callback):
    return model.fit(
        *train, epochs=EPOCHS, validation_data=validation, callbacks=[callback], verbose=0
    )


def draw(study: optuna.Study, path: Path) -> None:
    """Saves the validation loss of every trial by epoch, the best in colour."""
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    for trial in study.trials:
        epochs, losses = zip(*sorted(trial.intermediate_values.items()))
        best = trial.number == study.best_trial.number
        axes.plot(epochs, losses, color="C1" if best else "0.7", zorder=1 + best)
    axes.set(xlabel="epoch", ylabel="validation loss", ylim=(0.3, 1.5), title="Trials")
    figure.savefig(path, dpi=150)
    print(f"wrote {path}")


if __name__ == "__main__":
    main()
