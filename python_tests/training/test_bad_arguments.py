"""Odd arguments of compile, fit, evaluate, predict, save and load: errors say what was expected."""

import numpy as np
import pytest
from training_problems import data, mlp

import pydl
from pydl import layers

X, Y = data(10)


def compiled(**arguments):
    model = pydl.Sequential([pydl.Input((5,)), layers.Dense(3)])
    model.compile(**{"optimizer": "sgd", "loss": "mse", **arguments})
    return model


@pytest.mark.parametrize("call, kind, message", [
    (lambda m: m.fit(X, Y, epochs="many"), ValueError,
     r"\[fit\] expected epochs to be an integer of at least 0, got 'many'"),
    (lambda m: m.fit(X, Y, epochs=1.5), ValueError, r"epochs to be an integer of at least 0, got 1.5"),
    (lambda m: m.fit(X, Y, initial_epoch=-1), ValueError, r"initial_epoch to be an integer of at least 0"),
    (lambda m: m.fit(X, Y, validation_freq=0), ValueError, r"validation_freq to be a positive integer .* got 0"),
    (lambda m: m.fit(X, Y, validation_freq=None), ValueError, r"validation_freq .* got None"),
    (lambda m: m.fit(X, Y, validation_split="a"), ValueError, r"validation_split in \(0, 1\), got 'a'"),
    (lambda m: m.fit(X, Y, class_weight=[1.0, 2.0]), TypeError,
     r"\[class_weight\] expected a dict of weights by class number, got \[1.0, 2.0\]"),
    (lambda m: m.fit(X, Y, class_weight={"dog": 1.0}), TypeError,
     r"\[class_weight\] expected a dict of weights by class number, got .*dog"),
    (lambda m: m.fit(X, Y * np.nan, class_weight={0: 1.0}), ValueError,
     r"\[class_weight\] expected class numbers as targets y, got NaN"),
    (lambda m: m.fit(X, Y, validation_data=(X, Y), validation_batch_size=0), ValueError,
     r"batch_size .* got 0"),
    (lambda m: m.fit(i for i in range(3)), ValueError, r"\[data\] expected batches of shape \(samples, ...\)"),
    (lambda m: m.fit(X, np.where(Y > 1, np.nan, Y)), ValueError, r"expected integer labels, got NaN. Hint"),
    (lambda m: pydl.Input((-1,)), ValueError, r"\[InputLayer\] expected sizes .*, got \(None, -1\)"),
    (lambda m: pydl.Input((2.5,)), ValueError, r"\[InputLayer\] expected sizes .*, got \(None, 2.5\)"),
    (lambda m: m.fit(X, Y, callbacks=3), TypeError, r"\[callbacks\] expected a callback or a list of them, got 3"),
    (lambda m: m.fit([[1.0, 2.0], [3.0]], Y), ValueError, r"\[data\] expected nested lists .* got ragged ones"),
    (lambda m: m.fit({}, Y), ValueError, r"\[\w+\] expected .*got"),
    (lambda m: m.train_on_batch({}, Y), ValueError, r"\[data\] expected at least one array of inputs, got {}"),
    (lambda m: m.predict(None), ValueError, r"\[predict\] expected data x, got None"),
    (lambda m: m.predict(np.array([object()])), TypeError, r"\[data\] expected arrays of numbers, got dtype object"),
    (lambda m: m.compile(optimizer=len), ValueError,
     r"\[compile\] expected an optimizer or its name, got builtin_function_or_method"),
    (lambda m: m.compile(optimizer="fast"), ValueError, r"\[optimizers\] expected .*got 'fast'"),
    (lambda m: compiled(loss_weights="a").fit(X, X[:, :3]), TypeError,
     r"\[compile\] expected a number as loss weight of .*, got 'a'.*metrics=\["),
    (lambda m: compiled(optimizer=None).fit(X, X[:, :3]), ValueError, "compiled with an optimizer, got none"),
    (lambda m: m.save(None), TypeError, r"\[save\] expected the path of a file, got None"),
    (lambda m: m.load_weights(3), TypeError, r"\[load_weights\] expected the path of a file, got 3"),
    (lambda m: pydl.models.load_model([]), TypeError, r"\[load_model\] expected the path of a file, got \[\]"),
    (lambda m: m.summary(line_length="a"), ValueError, r"\[summary\] expected line_length .*, got 'a'"),
    (lambda m: pydl.Sequential([layers.Dense(1)]).build(3), ValueError, "build expected the shape of .* got 3"),
])  # fmt: skip
def test_errors(call, kind, message):
    with pytest.raises(kind, match=message):
        call(mlp())


@pytest.mark.parametrize("call, kind, message", [
    (lambda: pydl.grad(lambda x: x, argnums="a"), TypeError, r"\[grad\] expected a function and the position"),
    (lambda: pydl.grad(lambda x: x, argnums=1)(2.0), IndexError, r"positions among 1 arguments, got 1"),
    (lambda: pydl.grad(pydl.tensor(1.0), 3), TypeError, r"\[autograd\] expected tensors, got 3"),
    (lambda: pydl.tensor([1.0]).reshape("a"), TypeError, r"\[shape\] expected an int or a sequence of ints"),
    (lambda: pydl.tensor([1.0]).astype(None), TypeError, r"\[cast\] expected \(x: ArrayLike, dtype: DTypeLike\)"),
    (lambda: setattr(pydl.tensor([1.0]), "requires_grad", "a"), TypeError,
     r"\[requires_grad\] expected True or False, got str"),
    (lambda: (pydl.tensor([1.0], requires_grad=True) * 2).backward("a"), TypeError,
     r"\[tensor\] expected numbers, nested lists or an array, got str"),
    (lambda: setattr(pydl.random.SeedGenerator(1), "state", None), ValueError,
     r"\[SeedGenerator\] expected a state \(seed, offset\), got None"),
    (lambda: pydl.Variable("zeros", shape=3.5), ValueError, r"\[Variable\] expected a shape"),
])  # fmt: skip
def test_errors_of_tensors_and_gradients(call, kind, message):
    with pytest.raises(kind, match=message):
        call()
