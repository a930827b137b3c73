"""Recurrent layers against Keras: same weights, same outputs, states, gradients and masks."""

import inspect

import numpy as np
import pytest

import pydl

pytestmark = pytest.mark.conformance
rng = np.random.default_rng(0)
KINDS = ["SimpleRNN", "LSTM", "GRU"]


@pytest.fixture
def check(check_layer):
    """Compare layers; Keras's SimpleRNN fails in float64 on JAX."""

    def run(kind, *args, **options):
        if kind == "SimpleRNN":
            options.update(dtype="float32", rtol=1e-4)
        check_layer(kind, *args, **options)

    return run


def data(*shape):
    return rng.standard_normal(shape)


def random_mask(batch, steps):
    mask = rng.random((batch, steps)) < 0.6
    mask[0] = True
    return mask


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"return_sequences": True},
        {"return_state": True},
        {"return_sequences": True, "return_state": True, "go_backwards": True},
        {"use_bias": False, "go_backwards": True},
    ],
)
def test_arguments(check, kind, arguments):
    check(kind, data(3, 5, 4), units=6, **arguments)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("activation", ["relu", "elu", None])
def test_activations(check, kind, activation):
    """Those that the kernels lack go step by step."""
    check(kind, data(3, 4, 2), units=3, activation=activation, return_sequences=True)
    if kind != "SimpleRNN":
        options = {"recurrent_activation": "hard_sigmoid", "return_state": True}
        check(kind, data(3, 4, 2), units=3, **options)


@pytest.mark.parametrize("arguments", [{}, {"use_bias": False}, {"activation": "softsign"}])
@pytest.mark.parametrize("reset_after", [True, False])
def test_reset_after(check, arguments, reset_after):
    options = {"return_sequences": True, "return_state": True}
    check("GRU", data(3, 5, 4), units=6, reset_after=reset_after, **options, **arguments)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("go_backwards", [False, True])
@pytest.mark.parametrize("activation", ["tanh", "softsign"])
def test_masks(check, kind, go_backwards, activation):
    mask = random_mask(4, 6)
    mask[1, :2] = mask[2, 4:] = mask[3, :] = False
    options = {"go_backwards": go_backwards, "activation": activation, "return_state": True}
    check(kind, data(4, 6, 3), units=5, call={"mask": mask}, return_sequences=True, **options)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("return_sequences", [False, True])
def test_zero_output_for_mask(check, kind, return_sequences):
    mask = random_mask(4, 6)
    mask[2, -2:] = mask[3, :3] = False
    arguments = {"return_sequences": return_sequences, "go_backwards": return_sequences}
    options = {"zero_output_for_mask": True, **arguments}
    check(kind, data(4, 6, 3), units=5, call={"mask": mask}, **options)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("masked", [False, True])
def test_initial_state(keras, kind, masked):
    ours = getattr(pydl.layers, kind)(4, return_sequences=True, return_state=True)
    theirs = getattr(keras.layers, kind)(4, return_sequences=True, return_state=True)
    x, *states = (data(*s).astype("float32") for s in [(3, 5, 2), (3, 4), (3, 4)])
    states = states if kind == "LSTM" else states[:1]
    mask = random_mask(3, 5) if masked else None
    if masked:
        mask[1, :2] = False
    theirs(x)
    ours.build((3, 5, 2))
    ours.set_weights(theirs.get_weights())
    for mine, other in zip(
        ours(x, initial_state=[pydl.tensor(s) for s in states], mask=mask),
        theirs(x, initial_state=[keras.ops.array(s) for s in states], mask=mask),
    ):
        np.testing.assert_allclose(mine.numpy(), np.asarray(other), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_stateful(keras, kind):
    arguments = {"units": 4, "stateful": True, "return_sequences": True}
    ours = getattr(pydl.layers, kind)(**arguments)
    theirs = getattr(keras.layers, kind)(**arguments)
    x = data(3, 5, 2).astype("float32")
    theirs.build((3, 5, 2)), ours.build((3, 5, 2))
    ours.set_weights(theirs.get_weights())
    for batch in (x, x[:, ::-1], x):
        np.testing.assert_allclose(ours(batch).numpy(), np.asarray(theirs(batch)), atol=1e-6)
    ours.reset_state(), theirs.reset_state()
    np.testing.assert_allclose(ours(x).numpy(), np.asarray(theirs(x)), atol=1e-6)
    with pytest.raises(ValueError, match="expected batches of 3 sequences"):
        ours(x[:2])


@pytest.mark.parametrize("kind", KINDS)
def test_weights_and_forget_bias(keras, kind):
    ours, theirs = getattr(pydl.layers, kind)(5), getattr(keras.layers, kind)(5)
    ours.build((None, None, 3)), theirs.build((None, None, 3))
    assert [v.name for v in ours.weights] == [v.name for v in theirs.weights]
    np.testing.assert_array_equal(ours.weights[2].numpy(), np.asarray(theirs.weights[2]))


@pytest.mark.parametrize("name", [f"{k}{c}" for k in KINDS for c in ("", "Cell")] + ["RNN"])
def test_signatures(keras, name):
    """The names of arguments, their order and their defaults."""
    ours, theirs = (
        [(p.name, p.default) for p in inspect.signature(getattr(m, name)).parameters.values()]
        for m in (pydl.layers, keras.layers)
    )
    assert ours == theirs


@pytest.mark.parametrize("kind", KINDS)
def test_cells(keras, kind):
    cell = getattr(pydl.layers, f"{kind}Cell")(4)
    other = getattr(keras.layers, f"{kind}Cell")(4)
    x, *states = (data(*s).astype("float32") for s in [(3, 2), (3, 4), (3, 4)])
    states = states if kind == "LSTM" else states[:1]
    cell.build((3, 2)), other.build((3, 2))
    cell.set_weights(other.get_weights())
    output, new_states = cell(pydl.tensor(x), [pydl.tensor(s) for s in states])
    expected, new_others = other(keras.ops.array(x), [keras.ops.array(s) for s in states])
    for mine, theirs in zip([output, *new_states], [expected, *new_others]):
        np.testing.assert_allclose(mine.numpy(), np.asarray(theirs), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("stack", [["LSTM", "LSTM"], ["GRU", "SimpleRNN"], ["SimpleRNN", "LSTM"]])
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("go_backwards", [False, True])
def test_stacked_cells(keras, stack, masked, go_backwards):
    def layer(module):
        kinds = [getattr(module.layers, f"{kind}Cell") for kind in stack]
        cells = [cell(3 + i) for i, cell in enumerate(kinds)]
        options = {"return_sequences": True, "return_state": True, "go_backwards": go_backwards}
        return module.layers.RNN(cells, **options)

    ours, theirs = layer(pydl), layer(keras)
    x, mask = data(3, 5, 2).astype("float32"), random_mask(3, 5) if masked else None
    theirs(x), ours(x)
    ours.set_weights(theirs.get_weights())
    results = ours(x, mask=mask), theirs(x, mask=mask)
    flat = [pydl.tree.flatten(list(r)) for r in results]
    for mine, other in zip(*flat):
        np.testing.assert_allclose(mine.numpy(), np.asarray(other), rtol=1e-5, atol=1e-6)


def test_cell_of_ones_own(keras):
    """A cell that only has call and state_size."""

    def make(module):
        class Decay(module.layers.Layer):
            state_size = 4

            def call(self, inputs, states):
                state = 0.5 * states[0] + inputs
                return state * 2, [state]

        return module.layers.RNN(Decay(), return_sequences=True, return_state=True)

    x, mask = data(3, 5, 4).astype("float32"), random_mask(3, 5)
    for given in (None, mask):
        for mine, other in zip(make(pydl)(x, mask=given), make(keras)(x, mask=given)):
            np.testing.assert_allclose(mine.numpy(), np.asarray(other), rtol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_mask_of_embedding(keras, kind):
    tokens = np.array([[3, 1, 0, 0], [2, 4, 5, 0], [0, 0, 0, 0]], "int32")

    def model(module):
        layers = module.layers
        return module.Sequential(
            [
                module.Input((4,), dtype="int32"),
                layers.Embedding(6, 3, mask_zero=True),
                getattr(layers, kind)(5, return_sequences=True),
                getattr(layers, kind)(4),
            ]
        )

    ours, theirs = model(pydl), model(keras)
    ours.set_weights(theirs.get_weights())
    np.testing.assert_allclose(ours(tokens).numpy(), np.asarray(theirs(tokens)), atol=1e-6)
