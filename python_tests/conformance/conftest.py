"""Compares layers with the Keras layers of the same name: outputs, gradients, shapes, weights.

Keras runs on JAX here, in float64 where asked for it.
"""

import functools
import os
import sys
from pathlib import Path

import numpy as np
import pytest

import pydl

sys.path.insert(0, str(Path(__file__).parent))  # for what the tests share
os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("JAX_ENABLE_X64", "1")
os.environ.setdefault("JAX_PLATFORMS", "cpu")


@pytest.fixture(scope="session")
def keras():
    pytest.importorskip("jax", reason="runs Keras on JAX, which is not installed")
    return pytest.importorskip("keras", reason="compares with Keras, which is not installed")


@pytest.fixture(scope="session")
def check_layer(keras):
    return functools.partial(compare, keras)


@pytest.fixture(scope="session")
def check_error(keras):
    return functools.partial(compare_errors, keras)


# Arguments of Keras that pydl leaves out: quantization and batch renormalization,
# a choice of implementation, and what only distributed training needs. The last two are arguments of
# both that only one of them describes, and that only when it is given.
LEFT_OUT = {
    "quantization_config", "gptq_unpacked_column_size",
    "renorm", "renorm_clipping", "renorm_momentum", "synchronized",
    "flash_attention",
    "rms_scaling", "activity_regularizer", "weights", "seed",
}  # fmt: skip


def compare_errors(keras, name, *inputs, call=None, **arguments):
    """Check that the layers of both raise an error of the same class, ours with a proper message."""
    with pytest.raises((ValueError, TypeError, IndexError)) as theirs:
        getattr(keras.layers, name)(**arguments)(*inputs, **(call or {}))
    expected = next(c for c in (TypeError, IndexError, ValueError) if theirs.errisinstance(c))
    with pytest.raises(expected, match=r"^\[\w+\] expected "):
        getattr(pydl.layers, name)(**arguments)(*inputs, **(call or {}))


def compare(
    keras,
    name,
    inputs,
    *,
    call=None,
    rtol=1e-5,
    several_arguments=False,
    dtype="float64",
    **arguments,
):
    """Compare `pydl.layers.<name>` with `keras.layers.<name>`, in float64 unless asked otherwise.

    Args:
        keras: The module.
        name: The class.
        inputs: An array or a list of arrays.
        call: Keyword arguments of the call.
        rtol: Tolerance; Keras computes some layers in float32 whatever the dtype.
        several_arguments: Whether the inputs are arguments of their own, not one list.
        dtype: What to compute in; not every layer of Keras works in float64.
        arguments: Arguments of both constructors.

    Returns:
        The pydl layer.
    """
    call = call or {}
    arrays = inputs if isinstance(inputs, list) else [inputs]
    arrays = [a.astype(dtype) if a.dtype == np.float64 else a for a in arrays]
    theirs = getattr(keras.layers, name)(dtype=dtype, **arguments)
    ours = getattr(pydl.layers, name)(dtype=dtype, **arguments)
    assert type(ours).from_config(ours.get_config()).get_config() == ours.get_config()
    assert set(ours.get_config()) ^ set(theirs.get_config()) <= LEFT_OUT

    def as_arguments(values):
        values = list(values)
        return values if several_arguments or not isinstance(inputs, list) else [values]

    our_x = [pydl.tensor(a, requires_grad=a.dtype == dtype) for a in arrays]
    theirs(*as_arguments(arrays), **call), ours(*as_arguments(our_x), **call)
    _check_structure(ours, theirs)
    if not several_arguments:
        shapes = as_arguments((None, *a.shape[1:]) for a in arrays)
        assert ours.compute_output_shape(*shapes) == tuple(theirs.compute_output_shape(*shapes))
    rng = np.random.default_rng(7)
    weights = [rng.uniform(0.2, 1.0, v.shape) for v in theirs.weights]
    theirs.set_weights(weights), ours.set_weights(weights)

    expected, updated, pull_back = _run_keras(theirs, as_arguments, arrays, call)
    results = ours(*as_arguments(our_x), **call)
    results = results if isinstance(results, tuple) else (results,)
    for mine, other in zip(results, expected):
        assert mine.dtype == dtype
        _check_close(mine, other, rtol)
    for mine, other in zip(ours.non_trainable_weights, updated):
        _check_close(mine, other, rtol)
    seed = rng.standard_normal(expected[0].shape)
    results[0].backward(pydl.tensor(seed.astype(dtype)))
    of_weights, of_inputs = pull_back(seed.astype(expected[0].dtype))
    for mine, other in zip([*ours.trainable_weights, *our_x], [*of_weights, *of_inputs]):
        if mine.requires_grad:
            _check_close(mine.grad, other, rtol)
    return ours


def _run_keras(layer, as_arguments, arrays, call):
    """Return the results, the updated state and the function from gradients to gradients."""
    import jax

    state = [v.value for v in layer.non_trainable_variables]

    def run(weights, values):
        results, new_state = layer.stateless_call(weights, state, *as_arguments(values), **call)
        results = results if isinstance(results, tuple) else (results,)
        return results[0], (results, new_state[: len(layer.non_trainable_weights)])

    values = [jax.numpy.asarray(a) for a in arrays]
    weights = [v.value for v in layer.trainable_variables]
    _, pull_back, (results, updated) = jax.vjp(run, weights, values, has_aux=True)
    return results, updated, pull_back


def _check_structure(ours, theirs):
    assert [v.name for v in ours.weights] == [v.name for v in theirs.weights]
    assert [v.shape for v in ours.weights] == [tuple(v.shape) for v in theirs.weights]
    assert len(ours.trainable_weights) == len(theirs.trainable_weights)
    assert ours.count_params() == theirs.count_params()


def _check_close(mine, other, rtol):
    other = np.asarray(other)
    assert mine.shape == other.shape
    np.testing.assert_allclose(mine.numpy(), other, rtol=rtol, atol=rtol)
