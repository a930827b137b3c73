"""Predicts how far a car of the 1970s drives on a gallon from a table of numbers and words.

    python examples/tabular_regression.py            a few seconds
    python examples/tabular_regression.py --quick    a shorter training

The table, 392 cars of the Auto MPG data set, comes with the package mlxtend. The model holds its
own preprocessing: it normalizes numbers, looks words up in vocabularies learned from the training
cars, and so takes raw rows of the table. Early stopping ends its training.

On cars that it has not seen its mean error should be under 0.9 (--quick: under 1) of that of a
linear regression on the same columns; the program ends with an error if it is not.
Writes tabular_regression.png, a picture of the training and of the predictions.
"""

from __future__ import annotations

import argparse
import sys
from importlib import resources
from pathlib import Path

import numpy as np
import pandas
from matplotlib.figure import Figure
from sklearn.linear_model import RidgeCV

import pydl
from pydl import layers

NUMBERS = ["cylinders", "displacement", "horsepower", "weight", "acceleration", "year"]
WORDS = ["origin", "brand"]
ORIGINS = {1: "America", 2: "Europe", 3: "Japan"}
TARGET = "miles per gallon"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="train for fewer epochs")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, default=Path("."), help="where the picture goes")
    options = parser.parse_args()
    epochs, goal = (40, 1.0) if options.quick else (400, 0.9)

    pydl.set_random_seed(options.seed)
    train, validation, test = splits(read_cars(), options.seed)
    model, preprocess = build_model(train[0])
    model.summary()
    history = model.fit(
        *train,
        epochs=epochs,
        validation_data=validation,
        callbacks=[
            pydl.callbacks.ReduceLROnPlateau(patience=15, factor=0.3),
            pydl.callbacks.EarlyStopping(patience=40, restore_best_weights=True),
        ],
        verbose=0,
    ).history
    print(f"trained for {len(history['loss'])} epochs")

    linear = RidgeCV(np.logspace(-3, 3, 13))
    linear.fit(preprocess.predict(train[0], verbose=0), train[1])
    predictions = {
        "network": model.predict(test[0], verbose=0)[:, 0],
        "linear": linear.predict(preprocess.predict(test[0], verbose=0)),
    }
    errors = {name: np.abs(found - test[1]).mean() for name, found in predictions.items()}
    print(f"mean error on {len(test[1])} cars not seen before, in {TARGET}:")
    print(", ".join(f"{name} {error:.2f}" for name, error in errors.items()))
    ratio = errors["network"] / errors["linear"]
    print(f"result: {ratio:.2f} of the error of the linear regression; should be under {goal}")
    draw(history, test[1], predictions, options.folder / "tabular_regression.png")
    if ratio >= goal:
        sys.exit("the network did not reach the result that it should")


def read_cars() -> pandas.DataFrame:
    """The table of cars, one a row; the first word of a car's name is its brand."""
    columns = [*NUMBERS, "origin", "name", TARGET]
    with resources.files("mlxtend.data").joinpath("data/autompg.csv.gz").open("rb") as file:
        cars = pandas.read_csv(file, names=columns, compression="gzip")
    cars["origin"] = cars["origin"].map(ORIGINS)
    cars["brand"] = cars.pop("name").str.split().str[0]
    return cars


def splits(cars: pandas.DataFrame, seed: int) -> list[tuple[dict[str, np.ndarray], np.ndarray]]:
    """Cars to train on, to stop by, and to test with: their columns, and the target."""
    cars = cars.sample(frac=1, random_state=seed)
    parts = cars[:250], cars[250:300], cars[300:]
    return [pydl.data.read_table(part, target=TARGET) for part in parts]


def build_model(table: dict[str, np.ndarray]) -> tuple[pydl.Model, pydl.Model]:
    """A compiled network, and its first part, which makes features of the columns of a table."""
    inputs, features = {}, []
    for name in NUMBERS:
        inputs[name] = pydl.Input((1,), name=name)
        normalize = layers.Normalization()
        normalize.adapt(table[name][:, None])
        features.append(normalize(inputs[name]))
    for name in WORDS:
        inputs[name] = pydl.Input((1,), dtype="string", name=name)
        look_up = layers.StringLookup(output_mode="one_hot")  # unknown words share the first place
        look_up.adapt(table[name])
        features.append(look_up(inputs[name]))
    features = layers.Concatenate()(features)

    x = layers.Dense(64, activation="relu")(features)
    x = layers.Dropout(0.1)(x)
    x = layers.Dense(64, activation="relu")(x)
    model = pydl.Model(inputs, layers.Dense(1)(x))
    model.compile(pydl.optimizers.AdamW(3e-3, weight_decay=1e-2), "mae")
    return model, pydl.Model(inputs, features)


def draw(history: dict, truth: np.ndarray, predictions: dict[str, np.ndarray], path: Path) -> None:
    """Draws the losses by epoch, and what was predicted for each car over what is true."""
    figure = Figure(figsize=(11, 4), layout="constrained")
    left, *others = figure.subplots(1, 3)
    for name, label in (("loss", "training"), ("val_loss", "validation")):
        left.plot(history[name], label=label)
    left.set(xlabel="epoch", ylabel="mean error", ylim=(0, 6))
    left.legend()
    for axes, (name, found) in zip(others, predictions.items()):
        axes.plot([8, 48], [8, 48], color="0.8")
        axes.plot(truth, found, "o", markersize=4, alpha=0.6)
        axes.set(title=name, xlabel=TARGET, ylabel="predicted")
    figure.savefig(path, dpi=120)
    print(f"wrote {path}")


if __name__ == "__main__":
    main()
