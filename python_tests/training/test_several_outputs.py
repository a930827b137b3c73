"""Models with several inputs and outputs: losses, weights and metrics by output."""

import numpy as np
import pytest

import pydl
from pydl import layers

RNG = np.random.default_rng(0)
A, B = RNG.normal(size=(20, 3)).astype("float32"), RNG.normal(size=(20, 2)).astype("float32")
P, Q = RNG.normal(size=(20, 1)).astype("float32"), RNG.normal(size=(20, 2)).astype("float32")


def model(as_dict=False, **compile_arguments):
    a, b = layers.Input((3,), name="a"), layers.Input((2,), name="b")
    p = layers.Dense(1, name="p")(a)
    q = layers.Dense(2, name="q")(layers.Concatenate()([a, b]))
    if as_dict:
        made = pydl.models.Model({"a": a, "b": b}, {"p": p, "q": q})
    else:
        made = pydl.models.Model([a, b], [p, q])
    rng = np.random.default_rng(1)
    made.set_weights([rng.normal(size=w.shape) for w in made.get_weights()])
    made.compile(**{"optimizer": "sgd", "loss": "mse", **compile_arguments})
    return made


def errors(m):
    p, q = (v.astype("float64") for v in m.predict([A, B], verbose=0))
    return ((p - P) ** 2).mean(), ((q - Q) ** 2).mean(), np.abs(p - P).mean(), np.abs(q - Q).mean()


def test_one_loss_for_every_output():
    m = model()
    p, q, *_ = errors(m)
    got = m.evaluate([A, B], [P, Q], verbose=0, return_dict=True)
    assert got == pytest.approx({"loss": p + q, "p_loss": p, "q_loss": q}, rel=1e-5)
    assert m.evaluate([A, B], [P, Q], batch_size=7, verbose=0) == pytest.approx(
        [p + q, p, q], rel=1e-5
    )


@pytest.mark.parametrize("arguments", [
    {"loss": {"p": "mse", "q": "mae"}, "loss_weights": {"q": 0.5},
     "metrics": {"p": ["mae"], "q": "mse"}},
    {"loss": ["mse", "mae"], "loss_weights": [1.0, 0.5], "metrics": [["mae"], ["mse"]]},
], ids=["dicts", "lists"])  # fmt: skip
def test_losses_weights_and_metrics_by_output(arguments):
    m = model(**arguments)
    p_mse, q_mse, p_mae, q_mae = errors(m)
    expected = {
        "loss": p_mse + 0.5 * q_mae, "p_loss": p_mse, "q_loss": q_mae,
        "p_mae": p_mae, "q_mse": q_mse,
    }  # fmt: skip
    got = m.evaluate([A, B], [P, Q], verbose=0, return_dict=True)
    assert list(got) == list(expected) and got == pytest.approx(expected, rel=1e-5)
    assert list(m.fit([A, B], [P, Q], verbose=0).history) == list(expected)


def test_outputs_without_a_loss():
    m = model(loss={"q": "mse"})
    before = m.get_layer("p").get_weights()
    got = m.evaluate([A, B], {"q": Q}, verbose=0, return_dict=True)
    assert got == pytest.approx({"loss": errors(m)[1]}, rel=1e-5)
    m.fit([A, B], {"q": Q}, verbose=0)
    assert np.array_equal(before[0], m.get_layer("p").get_weights()[0])
    assert list(
        model(loss=["mse", None]).evaluate([A, B], [P, Q], verbose=0, return_dict=True)
    ) == ["loss"]


def test_dicts_in_and_out():
    m = model(as_dict=True, loss={"p": "mse", "q": "mse"}, metrics={"q": ["mae"]})
    inputs, targets = {"b": B, "a": A}, {"q": Q, "p": P}
    history = m.fit(inputs, targets, epochs=2, validation_split=0.2, verbose=0).history
    assert {"p_loss", "q_loss", "q_mae", "val_q_mae"} <= set(history)
    predictions = m.predict(inputs, verbose=0)
    assert predictions["p"].shape == (20, 1) and predictions["q"].shape == (20, 2)


def test_sample_weights_by_output():
    m = model()
    p, q = m.predict([A, B], verbose=0)
    weights = np.linspace(0, 1, 20).astype("float32")
    got = m.evaluate([A, B], [P, Q], sample_weight=[weights, np.ones(20)], verbose=0)
    expected = (((p - P) ** 2).mean(-1) * weights).mean()
    assert got[1] == pytest.approx(expected, rel=1e-5)
    both = m.evaluate([A, B], [P, Q], sample_weight=weights, verbose=0)
    assert both[1] == pytest.approx(expected, rel=1e-5) and both[2] < got[2]


def test_generators_of_several_arrays():
    def batches():
        for i in range(0, 20, 5):
            yield [A[i : i + 5], B[i : i + 5]], [P[i : i + 5], Q[i : i + 5]]

    m, other = model(), model()
    m.fit(batches(), verbose=0)
    other.fit([A, B], [P, Q], batch_size=5, shuffle=False, verbose=0)
    np.testing.assert_array_equal(m.get_weights()[0], other.get_weights()[0])


@pytest.mark.parametrize("call, message", [
    (lambda: model().fit([A, B[:5]], [P, Q]),
     r"got x: \[20, 5\], y: \[20, 20\]"),
    (lambda: model().fit([A, B], [P]),
     r"\[y\] expected one item for each of the outputs \['p', 'q'\], got 1"),
    (lambda: model(loss=["mse"]).fit([A, B], [P, Q]),
     r"expected one item of loss for each of the outputs"),
    (lambda: model(loss={"r": "mse"}).fit([A, B], [P, Q]),
     r"expected keys of loss among the outputs"),
    (lambda: model(metrics=["mae"]).fit([A, B], [P, Q]),
     r"expected one list of metrics for each"),
    (lambda: model(metrics={"r": "mae"}).fit([A, B], [P, Q]),
     r"keys of metrics among the outputs"),
    (lambda: model(metrics="mae").fit([A, B], [P, Q]),
     r"expected metrics as a list or a dict, got 'mae'"),
    (lambda: model(loss={"p": "mse", "q": "mse"}).fit([A, B], {"p": P}),
     r"expected targets for output 'q'"),
])  # fmt: skip
def test_errors(call, message):
    with pytest.raises(ValueError, match=message):
        call()
