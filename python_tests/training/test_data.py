"""fit on generators, iterables and sequences of batches."""

import numpy as np
import pytest
from training_problems import data, mlp, weights_equal

from pydl.models.convert_data import Converter
from pydl.models.data import make_data, split_validation

X, Y = data(40)


def batches(size=10, n=40):
    for i in range(0, n, size):
        yield X[i : i + size], Y[i : i + size]


def endless(size=10):
    while True:
        yield from batches(size)


class Repeatable:
    """An iterable that can start again, without a length."""

    def __iter__(self):
        return batches()


class Sequence:
    """Indexed batches, as keras.utils.PyDataset has them."""

    def __init__(self):
        self.ended = 0
        self.asked = []

    def __len__(self):
        return 4

    def __getitem__(self, i):
        self.asked.append(i)
        return X[10 * i : 10 * i + 10], Y[10 * i : 10 * i + 10]

    def on_epoch_end(self):
        self.ended += 1


def trained_on_arrays(epochs=2, **arguments):
    model = mlp()
    history = model.fit(X, Y, batch_size=10, epochs=epochs, shuffle=False, verbose=0, **arguments)
    return model, history.history


@pytest.mark.parametrize(
    "source, arguments",
    [
        (endless, {"steps_per_epoch": 4}),
        (Repeatable, {}),
        (Sequence, {}),
    ],
    ids=["generator", "iterable", "sequence"],
)
def test_sources_train_as_arrays_do(source, arguments):
    expected, history = trained_on_arrays()
    model = mlp()
    got = model.fit(source(), epochs=2, shuffle=False, verbose=0, **arguments)
    assert weights_equal(model, expected)
    assert got.history == history


def test_sequences_are_shuffled_by_batch_and_told_when_an_epoch_ends():
    source = Sequence()
    mlp().fit(source, epochs=3, verbose=0)
    assert source.ended == 3 and sorted(source.asked) == sorted(list(range(4)) * 3)


def test_evaluate_and_predict_on_sources():
    model = mlp()
    assert model.evaluate(batches(), verbose=0) == model.evaluate(X, Y, batch_size=10, verbose=0)
    assert model.evaluate(endless(), steps=4, verbose=0) == model.evaluate(
        X, Y, batch_size=10, verbose=0
    )
    np.testing.assert_array_equal(
        model.predict(batches(), verbose=0), model.predict(X, batch_size=10, verbose=0)
    )


def test_validation_on_a_source():
    history = mlp().fit(X, Y, validation_data=Repeatable(), epochs=2, verbose=0).history
    assert len(history["val_loss"]) == 2
    history = mlp().fit(
        endless(), steps_per_epoch=2, validation_data=endless(), validation_steps=2, verbose=0
    )
    assert "val_loss" in history.history


def test_steps_per_epoch_go_on_where_the_last_epoch_ended():
    model = mlp()
    model.fit(X, Y, batch_size=10, steps_per_epoch=2, epochs=4, shuffle=False, verbose=0)
    assert weights_equal(model, trained_on_arrays()[0])


def test_weights_from_a_generator():
    def weighted():
        for x, y in batches():
            yield x, y, np.array([2.0, 1.0, 0.5])[y]

    by_batch, by_class = mlp(), mlp()
    by_batch.fit(weighted(), verbose=0)
    by_class.fit(batches(), class_weight={0: 2.0, 2: 0.5}, verbose=0)
    assert weights_equal(by_batch, by_class)


def test_an_exhausted_generator():
    with pytest.raises(ValueError, match=r"\[fit\] expected at least one batch, got none.*endless"):
        mlp().fit(batches(), epochs=2, verbose=0)
    with pytest.warns(UserWarning, match=r"\[fit\] expected 10 batches, got 4"):
        mlp().fit(batches(), steps_per_epoch=10, verbose=0)


def test_torch_loaders():
    torch = pytest.importorskip("torch")
    dataset = torch.utils.data.TensorDataset(torch.tensor(X), torch.tensor(Y))
    loader = torch.utils.data.DataLoader(dataset, batch_size=10)
    model = mlp()
    model.fit(loader, epochs=2, verbose=0)
    assert weights_equal(model, trained_on_arrays()[0])


@pytest.mark.parametrize("call, kind, message", [
    (lambda m: m.fit(batches(), Y), ValueError, r"\[fit\] expected no y beside generator data"),
    (lambda m: m.fit(batches(), batch_size=3), ValueError, r"expected no batch_size beside"),
    (lambda m: m.fit(batches(), validation_split=0.5), ValueError,
     r"expected arrays with validation_split"),
    (lambda m: m.fit(b + (1, 2) for b in batches()), ValueError, r"got a tuple of 4"),
    (lambda m: m.fit(iter([next(batches()), (X[:0], Y[:0])])), ValueError,
     r"\[data\] expected batches of at least one sample, got an empty one"),
    (lambda m: m.train_on_batch(X[:0], Y[:0]), ValueError, r"expected batches of at least one sample"),
    (lambda m: m.fit(5j + 1 for _ in range(2)), (TypeError, ValueError), r"expected"),
])  # fmt: skip
def test_errors(call, kind, message):
    with pytest.raises(kind, match=message):
        call(mlp())


def test_arrays_are_not_copied_where_they_fit():
    source = make_data("fit", X, Y, converter=Converter("float32"))
    batch = next(iter(source))
    assert np.shares_memory(batch[0].numpy(), X)


def test_validation_split_of_lists_is_that_of_arrays():
    x, y = [[0.0, 1.0], [2.0, 3.0], [4.0, 5.0], [6.0, 7.0]], [0.0, 1.0, 2.0, 3.0]
    train, validation = split_validation("fit", (x, y, None), 0.25)
    np.testing.assert_array_equal(train[0], np.array(x)[:3])
    np.testing.assert_array_equal(validation[1], [3.0])
    assert train[2] is None
