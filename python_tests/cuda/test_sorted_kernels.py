"""Random numbers, sorting, indexing and optimizers on a GPU at sizes where their kernels change course."""

import numpy as np
import pytest

import pydl
from pydl import ops, random

RNG = np.random.default_rng(0)


def on_cpu(call):
    with pydl.device("cpu"):
        return call()


DRAWS = {
    "uniform": lambda n: random.uniform((n,), -0.3, 0.7, seed=3),
    "uniform64": lambda n: random.uniform((n,), -0.3, 0.7, "float64", seed=3),
    "randint": lambda n: random.randint((n,), -7, 2**40, "int64", seed=3),
    "bernoulli": lambda n: random.bernoulli((n,), 0.3, seed=3),
    "dropout": lambda n: random.dropout(np.ones(n, "float32"), 0.3, seed=3),
    "permutation": lambda n: random.permutation(n, seed=3),
    "categorical": lambda n: random.categorical(np.sin(np.arange(2 * n)).reshape(2, n), 33, seed=3),
}


@pytest.mark.parametrize("count", [1, 127, 5003])
@pytest.mark.parametrize("draw", DRAWS.values(), ids=list(DRAWS))
def test_random_numbers_are_those_of_the_cpu(draw, count):
    np.testing.assert_array_equal(draw(count).numpy(), on_cpu(lambda: draw(count)).numpy())


@pytest.mark.parametrize("truncated", [False, True])
def test_normal_numbers_are_nearly_those_of_the_cpu(truncated):
    draw = random.truncated_normal if truncated else random.normal
    got = draw((5003,), seed=4).numpy()
    expected = on_cpu(lambda: draw((5003,), seed=4)).numpy()
    np.testing.assert_allclose(got, expected, rtol=5e-7, atol=5e-7)


@pytest.mark.parametrize("shape", [(1, 2048), (2, 2049), (3, 9001), (700, 3)])
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "int8", "int64"])
def test_sorts_are_stable(shape, dtype):
    x = RNG.integers(-40, 40, shape).astype(dtype)
    if dtype.startswith("float"):
        x[..., ::7] = np.nan
    t = pydl.tensor(x)
    np.testing.assert_array_equal(ops.sort(t).numpy(), np.sort(x, -1))
    np.testing.assert_array_equal(ops.argsort(t).numpy(), np.argsort(x, -1, kind="stable"))


@pytest.mark.parametrize("columns, k", [(2048, 2048), (5000, 7), (9001, 512), (5000, 600)])
def test_top_k_by_rounds_and_by_sorting(columns, k):
    x = RNG.integers(-500, 500, (2, columns)).astype("float32")
    values, positions = ops.top_k(pydl.tensor(x), k)
    expected = np.argsort(-x, -1, kind="stable")[:, :k]
    np.testing.assert_array_equal(positions.numpy(), expected)
    np.testing.assert_array_equal(values.numpy(), np.take_along_axis(x, expected, -1))


@pytest.mark.parametrize("features", [1, 8, 33])
def test_gradient_of_rows_taken_many_times(features):
    at = RNG.integers(0, 11, 3001)
    x = pydl.tensor(RNG.normal(size=(13, features)))
    weights = RNG.normal(size=(3001, features))
    x.requires_grad = True
    (ops.take(x, at, 0) * weights).sum().backward()
    expected = np.zeros((13, features))
    np.add.at(expected, at, weights)
    np.testing.assert_allclose(x.grad.numpy(), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("dtype", ["float32", "int8", "int64"])
def test_scatter_add_in_order(dtype):
    at = RNG.integers(0, 9, (2501, 3))
    updates = RNG.integers(-9, 9, (2501, 3)).astype(dtype)
    got = ops.scatter_add(pydl.tensor(np.ones((9, 3), dtype)), at, pydl.tensor(updates), 0)
    expected = np.ones((9, 3), dtype)
    np.add.at(expected, (at, np.arange(3)), updates)
    np.testing.assert_array_equal(got.numpy(), expected)


def test_of_equal_indices_the_last_is_written():
    at, values = RNG.integers(0, 50, 4000), RNG.normal(size=(4000, 5))
    x, expected = pydl.tensor(np.zeros((60, 5))), np.zeros((60, 5))
    x[at] = values
    expected[at] = values
    np.testing.assert_array_equal(x.numpy(), expected)


@pytest.mark.parametrize("count", [1, 4096, 4097, 20_000])
def test_masks_over_many_chunks(count):
    mask = RNG.random(count) < 0.3
    np.testing.assert_array_equal(pydl.tensor(np.arange(count))[mask].numpy(), np.flatnonzero(mask))


def test_steps_of_more_tensors_than_fit_in_a_launch():
    counts = [1 + 37 * i % 101 for i in range(130)] + [9001, 0]
    arrays = [RNG.normal(size=n) for n in counts]
    params, grads = [pydl.tensor(a) for a in arrays], [pydl.tensor(a * 2) for a in arrays]
    ops.sgd_step(params, grads, None, 0.25)
    for p, a in zip(params, arrays):
        np.testing.assert_allclose(p.numpy(), a * 0.5, rtol=1e-14)
    norm = np.sqrt(sum((a**2).sum() for a in arrays)) * 2
    assert ops.global_norm(grads).item() == pytest.approx(norm, rel=1e-12)
