"""Initializers: distributions, fans, seeds, names."""

import numpy as np
import pytest

import pydl
from pydl import initializers

SHAPE = (200, 300)


@pytest.mark.parametrize(
    "name, variance, kind",
    [
        ("glorot_uniform", 2 / 500, "uniform"),
        ("glorot_normal", 2 / 500, "truncated"),
        ("he_uniform", 2 / 200, "uniform"),
        ("he_normal", 2 / 200, "truncated"),
        ("lecun_uniform", 1 / 200, "uniform"),
        ("lecun_normal", 1 / 200, "truncated"),
        ("random_normal", 0.05**2, "normal"),
        ("truncated_normal", (0.05 * 0.8796) ** 2, "truncated"),
        ("random_uniform", 0.1**2 / 12, "uniform"),
    ],
)
def test_distribution(name, variance, kind):
    values = initializers.get(name)(SHAPE).numpy()
    assert abs(values.mean()) < 4 * np.sqrt(variance / values.size)
    assert abs(values.var() / variance - 1) < 0.03
    limit = {"uniform": 3**0.5, "truncated": 2 / 0.8796, "normal": 6.0}[kind] * variance**0.5
    assert abs(values).max() <= limit * 1.0001
    assert abs(values).max() > limit * (0.6 if kind == "normal" else 0.99)


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
def test_dtype(dtype):
    for name in ("zeros", "ones", "glorot_uniform", "he_normal", "orthogonal", "identity"):
        assert initializers.get(name)((3, 3), dtype=dtype).dtype == dtype


def test_constant_values():
    assert initializers.Zeros()((2,)).tolist() == [0, 0] and initializers.Ones()((2,)).tolist() == [
        1,
        1,
    ]
    assert initializers.Constant([1.0, 2.0])((2, 2)).tolist() == [[1, 2], [1, 2]]
    assert initializers.get(3)((2,)).tolist() == [3, 3]
    assert initializers.Identity(2.0)((2, 3)).tolist() == [[2, 0, 0], [0, 2, 0]]
    with pytest.raises(ValueError, match=r"\[Identity\] expected a shape of 2 dimensions"):
        initializers.Identity()((3,))


def test_orthogonal():
    for shape in ((5, 3), (3, 5), (2, 2, 4)):
        matrix = initializers.Orthogonal(gain=2.0, seed=1)(shape, "float64").numpy()
        matrix = matrix.reshape(-1, shape[-1]) / 2
        product = matrix @ matrix.T if matrix.shape[0] < matrix.shape[1] else matrix.T @ matrix
        np.testing.assert_allclose(product, np.eye(len(product)), atol=1e-12)
    with pytest.raises(ValueError, match="2 or more dimensions"):
        initializers.Orthogonal()((3,))


def test_fans_of_convolutions_and_given_axes():
    values = initializers.VarianceScaling(mode="fan_in", seed=1)((3, 3, 20, 50)).numpy()
    assert abs(values.var() * 180 - 1) < 0.1
    values = initializers.VarianceScaling(mode="fan_out", seed=1)((3, 3, 20, 50)).numpy()
    assert abs(values.var() * 450 - 1) < 0.1
    heads = initializers.get("glorot_uniform").with_axes((0,), (1, 2))
    assert abs(heads((60, 4, 30)).numpy().var() / (2 / 180) - 1) < 0.1


def test_seeds():
    seeded = initializers.GlorotUniform(seed=3)
    np.testing.assert_array_equal(seeded((4, 4)).numpy(), seeded((4, 4)).numpy())
    free = initializers.GlorotUniform()
    assert not np.array_equal(free((4, 4)).numpy(), free((4, 4)).numpy())
    draws = []
    for _ in range(2):
        pydl.set_random_seed(5)
        draws.append(free((4, 4)).numpy())
    np.testing.assert_array_equal(*draws)


def test_names():
    assert isinstance(initializers.get("GlorotUniform"), initializers.GlorotUniform)
    assert isinstance(initializers.get(initializers.Zeros), initializers.Zeros)
    assert initializers.get(None) is None
    config = initializers.serialize(initializers.HeNormal(seed=2))
    assert initializers.deserialize(config).seed == 2
    with pytest.raises(
        ValueError, match=r"\[initializers\] expected one of .*glorot_normal.*got 'x'"
    ):
        initializers.get("x")


def test_arguments():
    for arguments, message in (
        ({"scale": 0}, "positive scale"),
        ({"mode": "fan"}, "expected fan_in, fan_out or fan_avg, got 'fan'"),
        ({"distribution": "gamma"}, "expected truncated_normal"),
    ):
        with pytest.raises(ValueError, match=message):
            initializers.VarianceScaling(**arguments)
