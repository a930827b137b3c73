"""Random numbers: the generator against its definition, distributions against SciPy's."""

import pickle

import numpy as np
import pytest
from scipy import special, stats

import pydl
from pydl import random
from pydl.testing import FLOATS, HALVES, OpSpec, OpTests, Sample

COUNT = 200_000


def philox(seed, counter):
    """One block of Philox4x32-10, from its paper."""
    mask = 2**32 - 1
    x = [counter & mask, counter >> 32, 0, 0]
    key = [seed & mask, seed >> 32]
    for _ in range(10):
        a, b = 0xD2511F53 * x[0], 0xCD9E8D57 * x[2]
        x = [(b >> 32) ^ x[1] ^ key[0], b & mask, (a >> 32) ^ x[3] ^ key[1], a & mask]
        key = [(key[0] + 0x9E3779B9) & mask, (key[1] + 0xBB67AE85) & mask]
    return x


def words(seed, offset, groups):
    """The words of groups of 16 blocks, each group word-major."""
    blocks = np.array([philox(seed, offset + i) for i in range(16 * groups)], dtype="uint64")
    return blocks.reshape(groups, 16, 4).transpose(0, 2, 1).reshape(groups, 64)


@pytest.fixture(params=pydl.config.supported_cpu_isas())
def isa(request):
    before = pydl.config.cpu_isa()
    pydl.config.set_cpu_isa(request.param)
    yield request.param
    pydl.config.set_cpu_isa(before)


def test_philox_known_answer():
    assert philox(0, 0) == [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]  # Random123's test vector


@pytest.mark.parametrize("seed", [0, 1, 2**32 + 7, 2**64 - 1])
def test_words(isa, seed):
    expected = words(seed, 0, 4).reshape(-1)
    got = random.uniform((200,), seed=seed).numpy()
    np.testing.assert_array_equal(got, (expected[:200] >> np.uint64(8)) * np.float64(2.0**-24))
    pairs = words(seed, 0, 4).reshape(4, 2, 32)
    bits = ((pairs[:, 0] << np.uint64(32)) | pairs[:, 1]).reshape(-1)
    got = random.uniform((100,), dtype="float64", seed=seed).numpy()
    np.testing.assert_array_equal(got, (bits[:100] >> np.uint64(11)) * 2.0**-53)
    got = random.randint((100,), -5, 1000, dtype="int64", seed=seed).numpy()
    assert got.tolist() == [-5 + (int(b) * 1005 >> 64) for b in bits[:100]]


def test_counter_carries_into_its_second_word(isa):
    generator = random.SeedGenerator(3)
    generator.state = (3, 2**32 - 16)
    got = random.uniform((128,), seed=generator).numpy()
    expected = words(3, 2**32 - 16, 2).reshape(-1)
    np.testing.assert_array_equal(got, (expected >> np.uint64(8)) * np.float64(2.0**-24))
    assert generator.state == (3, 2**32 + 16)


DRAWS = {
    "uniform": lambda seed: random.uniform((10_001,), -0.3, 0.7, seed=seed),
    "uniform64": lambda seed: random.uniform((10_001,), -0.3, 0.7, "float64", seed=seed),
    "normal": lambda seed: random.normal((10_001,), seed=seed),
    "normal64": lambda seed: random.normal((10_001,), dtype="float64", seed=seed),
    "truncated": lambda seed: random.truncated_normal((10_001,), seed=seed),
    "randint": lambda seed: random.randint((10_001,), 0, 100, seed=seed),
    "bernoulli": lambda seed: random.bernoulli((10_001,), 0.3, seed=seed),
    "dropout": lambda seed: random.dropout(np.ones(10_001, "float32"), 0.3, seed=seed),
    "categorical": lambda seed: random.categorical(np.zeros((300, 7), "float32"), 11, seed=seed),
    "permutation": lambda seed: random.permutation(10_001, seed=seed),
}


@pytest.mark.parametrize("name", DRAWS)
def test_same_for_any_number_of_threads_and_prefix(name):
    before = pydl.get_num_threads()
    results = []
    for threads in (1, 2, 3):
        pydl.set_num_threads(threads)
        results.append(DRAWS[name](5).numpy())
    pydl.set_num_threads(before)
    np.testing.assert_array_equal(results[0], results[1])
    np.testing.assert_array_equal(results[0], results[2])


@pytest.mark.parametrize("name", DRAWS)
def test_same_on_every_instruction_set(name):
    before = pydl.config.cpu_isa()
    results = []
    for each in pydl.config.supported_cpu_isas():
        pydl.config.set_cpu_isa(each)
        results.append(DRAWS[name](5).numpy())
    pydl.config.set_cpu_isa(before)
    for result in results[1:]:
        if name.startswith(("normal", "truncated")):  # logarithms may differ in the last bits
            tolerance = 1e-14 if name.endswith("64") else 2e-6
            np.testing.assert_allclose(result, results[0], rtol=0, atol=tolerance)
        else:
            np.testing.assert_array_equal(result, results[0])


@pytest.mark.parametrize("dtype", FLOATS)
def test_uniform_distribution(isa, dtype):
    values = random.uniform((COUNT,), -2.0, 3.0, dtype, seed=11).numpy()
    assert values.min() >= -2 and values.max() < 3
    assert stats.kstest(values, stats.uniform(-2, 5).cdf).pvalue > 1e-3
    assert len(np.unique(values)) > 0.97 * COUNT


@pytest.mark.parametrize("dtype", FLOATS)
def test_normal_distribution(isa, dtype):
    values = random.normal((COUNT,), 1.5, 2.0, dtype, seed=12).numpy().astype("float64")
    assert stats.kstest(values, stats.norm(1.5, 2).cdf).pvalue > 1e-3
    z = (values - 1.5) / 2
    assert abs(stats.skew(z)) < 0.03 and abs(stats.kurtosis(z)) < 0.05
    half = z.reshape(-1, 32)  # the two values of a pair are 32 (16) apart
    for step in (1, 16):
        assert abs(np.corrcoef(half[:, :-step].ravel(), half[:, step:].ravel())[0, 1]) < 0.01
    radius = np.abs(random.normal((4_000_000,), seed=1).numpy()).max()
    assert 4.7 < radius < 6.7


@pytest.mark.parametrize("dtype", FLOATS)
def test_truncated_normal_distribution(isa, dtype):
    values = random.truncated_normal((COUNT,), -1.0, 0.5, dtype, seed=13).numpy().astype("float64")
    assert values.min() >= -2 and values.max() <= 0
    assert stats.kstest(values, stats.truncnorm(-2, 2, -1, 0.5).cdf).pvalue > 1e-3


def test_truncated_normal_is_the_inverse_of_the_distribution_function(isa):
    uniform = random.uniform((5000,), dtype="float64", seed=3).numpy()
    values = random.truncated_normal((5000,), dtype="float64", seed=3).numpy()
    low, high = special.ndtr(-2.0), special.ndtr(2.0)
    np.testing.assert_allclose(values, special.ndtri(low + (high - low) * (uniform + 2.0**-54)), atol=2e-15 * 8)


def test_randint_distribution(isa):
    values = random.randint((COUNT,), -3, 8, seed=14).numpy()
    counts = np.bincount(values + 3, minlength=11)
    assert len(counts) == 11
    assert stats.chisquare(counts).pvalue > 1e-3


@pytest.mark.parametrize("dtype, low, high", [("int8", -128, 128), ("uint8", 0, 256), ("int32", -2**31, 2**31),
                                              ("int64", -2**63, 2**63 - 1), ("int64", 2**40, 2**40 + 5)])
def test_randint_ranges(dtype, low, high):
    values = random.randint((COUNT,), low, high, dtype, seed=15).numpy()
    assert values.dtype == dtype
    assert values.min() >= low and int(values.max()) < high
    span = float(high) - float(low)
    assert abs((values.astype("float64") - low).mean() / span - 0.5 + 0.5 / span) < 0.005


@pytest.mark.parametrize("p", [0.0, 0.001, 0.3, 1.0])
def test_bernoulli_distribution(p):
    values = random.bernoulli((COUNT,), p, seed=16)
    assert values.dtype == "bool"
    assert stats.binomtest(int(values.numpy().sum()), COUNT, p).pvalue > 1e-3
    assert random.bernoulli((3,), p, dtype="float32").dtype == "float32"


def test_permutation_is_uniform():
    generator = random.SeedGenerator(17)
    seen = np.zeros((4, 4, 4, 4))
    for _ in range(4800):
        seen[tuple(random.permutation(4, generator).numpy())] += 1
    counts = seen[seen > 0]
    assert len(counts) == 24
    assert stats.chisquare(counts).pvalue > 1e-3
    large = random.permutation(100_003, seed=1).numpy()
    np.testing.assert_array_equal(np.sort(large), np.arange(100_003))
    assert abs(np.corrcoef(large, np.arange(100_003))[0, 1]) < 0.02
    assert random.permutation(0).shape == (0,) and random.permutation(1).tolist() == [0]


def test_categorical_distribution():
    logits = np.log(np.array([[0.1, 0.2, 0.0, 0.7], [0.25, 0.25, 0.25, 0.25]]) + 1e-300)
    logits[0, 2] = -np.inf
    for dtype in FLOATS + HALVES:
        drawn = random.categorical(pydl.tensor(logits).astype(dtype), COUNT // 4, seed=18)
        assert drawn.shape == (2, COUNT // 4) and drawn.dtype == "int32"
        counts = [np.bincount(row, minlength=4) for row in drawn.numpy()]
        assert counts[0][2] == 0
        tolerance = 1e-3 if dtype in FLOATS else 1e-6  # 16-bit logits are other probabilities
        assert stats.chisquare(counts[0][[0, 1, 3]], COUNT // 4 * np.array([0.1, 0.2, 0.7])).pvalue > tolerance
        assert stats.chisquare(counts[1]).pvalue > 1e-3


@pytest.mark.parametrize("dtype", FLOATS + HALVES)
@pytest.mark.parametrize("rate", [0.0, 0.1, 0.5, 0.9, 1.0])
def test_dropout_distribution(isa, dtype, rate):
    x = pydl.tensor(np.full(COUNT, 3.0)).astype(dtype)
    y = random.dropout(x, rate, seed=19).numpy().astype("float64")
    kept = y != 0
    assert stats.binomtest(int(kept.sum()), COUNT, 1 - round(rate * 2**16) / 2**16).pvalue > 1e-3
    if rate < 1:
        np.testing.assert_allclose(y[kept], 3 / (1 - rate), rtol=1e-2 if dtype in HALVES else 1e-4)
    if 0 < rate < 1:  # neighbours are independent
        assert abs(np.corrcoef(kept[1:], kept[:-1])[0, 1]) < 0.01
        assert abs(np.corrcoef(kept[64:], kept[:-64])[0, 1]) < 0.01


def test_dropout_drops_infinities():
    y = random.dropout(np.full(1000, np.inf, "float32"), 0.5, seed=1).numpy()
    assert np.isfinite(y).any() and not np.isnan(y).any()


def test_dropout_noise_shape():
    x = pydl.tensor(np.ones((50, 4, 6)), requires_grad=True)
    y = random.dropout(x, 0.5, noise_shape=(50, 1, 6), seed=2)
    kept = y.detach().numpy() != 0
    assert (kept == kept[:, :1, :]).all() and 0 < kept.mean() < 1
    y.sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), y.detach().numpy())


def test_dropout_gradient_uses_the_same_mask():
    x = pydl.tensor(np.random.default_rng(0).normal(size=5000), requires_grad=True)
    y = random.dropout(x, 0.4)
    y.sum().backward()
    factor = x.grad.numpy()
    np.testing.assert_allclose(y.detach().numpy(), factor * x.detach().numpy(), rtol=1e-15)
    assert 0.5 < (factor != 0).mean() < 0.7


def draws(seed, shape, dtype):
    """The random bits of each element of a tensor, and how many they are."""
    count = int(np.prod(shape))
    if dtype == "float32":
        return words(seed, 0, -(-count // 64)).reshape(-1)[:count].reshape(shape), 32
    pairs = words(seed, 0, -(-count // 32)).reshape(-1, 2, 32)
    return ((pairs[:, 0] << np.uint64(32)) | pairs[:, 1]).reshape(-1)[:count].reshape(shape), 64


def open_unit(bits, width):
    kept = {32: 31, 64: 53}[width]
    return ((bits >> np.uint64(width - kept)) + 0.5) * 2.0**-kept


def uniform_reference(shape, dtype):
    bits, width = draws(5, shape, dtype)
    kept = {32: 24, 64: 53}[width]
    return (bits >> np.uint64(width - kept)) * 2.0**-kept * 5 - 2


def normal_reference(shape, dtype):
    """Box and Muller's method on the halves of each group of 64 words."""
    count = int(np.prod(shape))
    per_group = 64 if dtype == "float32" else 32
    bits, width = draws(5, (-(-count // per_group) * per_group,), dtype)
    radius, angle = bits.reshape(-1, 2, per_group // 2).transpose(1, 0, 2)
    radius = np.sqrt(-2 * np.log(open_unit(radius, width)))
    turn = 2 * np.pi * angle.astype("float64") / 2.0**width
    values = np.stack([radius * np.cos(turn), radius * np.sin(turn)], axis=1)
    return values.reshape(-1)[:count].reshape(shape) * 2.0 + 1.5


def truncated_reference(shape, dtype):
    low, high = special.ndtr(-2.0), special.ndtr(2.0)
    return special.ndtri(low + (high - low) * open_unit(*draws(5, shape, dtype))) * 2.0 + 1.5


def random_row(name, op, reference, shapes=((3, 5), (), (0, 4), (1000,)), errors=(), dtypes=FLOATS, **options):
    return OpSpec(name, op, reference, lambda rng: [Sample(shape) for shape in shapes], dtypes=dtypes,
                  gradient=False, errors=errors, **options)


def float_rows(name, op, reference, **options):
    bad = (lambda: getattr(random, name)((-1,)), ValueError, "at least 0, got shape")
    return [
        random_row(name, lambda shape, dtype=dtype: op(shape, dtype), lambda shape, dtype=dtype: reference(shape, dtype),
                   dtypes=(dtype,), errors=[bad], **options)
        for dtype in FLOATS
    ]


class TestRandom(OpTests):
    specs = [
        *float_rows("uniform", lambda shape, dtype: random.uniform(shape, -2.0, 3.0, dtype, 5), uniform_reference),
        *float_rows("normal", lambda shape, dtype: random.normal(shape, 1.5, 2.0, dtype, 5), normal_reference,
                    tolerance=10),
        *float_rows("truncated_normal", lambda shape, dtype: random.truncated_normal(shape, 1.5, 2.0, dtype, 5),
                    truncated_reference, tolerance=10),
        random_row("randint", lambda shape: random.randint(shape, -5, 1000, "int64", seed=5),
                   lambda shape: np.vectorize(lambda b: -5 + (int(b) * 1005 >> 64), otypes=["int64"])(
                       draws(5, shape, "float64")[0]),
                   errors=[(lambda: random.randint((2,), 3, 3), ValueError, r"\[randint\] expected")]),
        random_row("bernoulli", lambda shape: random.bernoulli(shape, 0.3, seed=5),
                   lambda shape: (draws(5, shape, "float32")[0] >> np.uint64(1)) < round(0.3 * 2**31),
                   errors=[(lambda: random.bernoulli((2,), 1.5), ValueError, r"\[bernoulli\] expected")]),
        random_row("permutation", lambda n: pydl.ops.sort(random.permutation(n, seed=5)), np.arange, (0, 1, 5, 1000),
                   errors=[(lambda: random.permutation(-1), ValueError, r"\[\w+\] expected")]),
        OpSpec("shuffle", lambda x: pydl.ops.sort(random.shuffle(x, seed=5), axis=0), lambda x: np.sort(x, axis=0),
               lambda rng: [Sample(rng.normal(size=30)), Sample(np.zeros((0,)))], dtypes=FLOATS + HALVES, gradient=False,
               errors=[(lambda: random.shuffle([1.0], axis=1), ValueError, r"\[shuffle\] expected an axis")]),
        OpSpec("categorical", lambda x: random.categorical(x, 4, seed=5),
               lambda x: np.repeat(x.argmax(-1)[:, None], 4, axis=1).astype("int32"),
               lambda rng: [Sample(np.where(np.eye(7)[rng.integers(0, 7, 50)] == 1, 0.0, -np.inf))],
               dtypes=FLOATS + HALVES, gradient=False,
               errors=[(lambda: random.categorical([1.0], 2), ValueError, r"\[categorical\] expected")]),
    ]


class TestDropout(OpTests):
    specs = [
        OpSpec(
            "dropout",
            lambda x, rate: random.dropout(x, rate, seed=1),
            lambda x, rate: x * random.dropout(np.ones(x.shape), rate, seed=1).numpy(),
            lambda rng: [Sample(rng.normal(size=(5, 7)), 0.3), Sample(rng.normal(size=(0, 3)), 0.3),
                         Sample(np.array(2.0), 0.5), Sample(rng.normal(size=(40, 50)), 0.5)],
            dtypes=FLOATS + HALVES,
            gradient_samples=lambda rng: [Sample(rng.normal(size=(5, 7)), 0.3)],
            errors=[
                (lambda: random.dropout([1, 2], 0.5), pydl.errors.DTypeError,
                 r"\[dropout\] expected a floating dtype, got int32"),
                (lambda: random.dropout([1.0], 1.5), ValueError, r"\[dropout\] expected a rate in \[0, 1\], got 1.5"),
                (lambda: random.dropout([1.0], float("nan")), ValueError, r"\[dropout\] expected a rate in \[0, 1\]"),
                (lambda: random.dropout(np.ones((2, 3)), 0.5, noise_shape=(4, 1)), pydl.errors.ShapeError,
                 r"expected .*, got"),
            ],
        )
    ]


def test_seeds():
    def draw(seed=None):
        return random.uniform((5,), seed=seed).tolist()

    assert draw(3) == draw(3) != draw(4)
    assert draw(-1) == draw(2**64 - 1)
    assert draw(np.int64(3)) == draw(3)
    generator = random.SeedGenerator(3)
    first, second = draw(generator), draw(generator)
    assert first == draw(3) and first != second
    copied = pickle.loads(pickle.dumps(generator))
    assert copied.state == generator.state and draw(copied) == draw(generator)
    assert draw(random.SeedGenerator()) != draw(random.SeedGenerator())


def test_global_seed():
    pydl.set_random_seed(42)
    a, b, n = random.normal((4,)).tolist(), random.normal((4,)).tolist(), np.random.rand()
    pydl.set_random_seed(42)
    assert a == random.normal((4,)).tolist()
    state = random.global_generator().state
    assert b == random.normal((4,)).tolist() and n == np.random.rand()
    random.global_generator().state = state
    assert b == random.normal((4,)).tolist()


def test_calls_use_different_numbers():
    generator = random.SeedGenerator(0)
    drawn = [random.uniform((70,), seed=generator), random.uniform((3,), dtype="float64", seed=generator),
             random.dropout(np.ones(129, "float32"), 0.5, seed=generator), random.permutation(33, generator)]
    assert generator.state == (0, 16 * (2 + 1 + 2 + 2))
    assert len(drawn) == 4


def test_shapes_and_dtypes():
    assert random.normal(()).shape == ()
    assert random.normal(3).shape == (3,)
    assert random.uniform((0, 4)).shape == (0, 4)
    assert random.randint((2, 0), 0, 5).dtype == "int32"
    for dtype in HALVES:
        assert random.normal((3,), dtype=dtype).dtype == dtype


@pytest.mark.parametrize("dtype", HALVES)
@pytest.mark.parametrize("low, high", [(0.0, 1.0), (-2.0, -1.0), (-1.0, 0.0), (1.0, 1.3)])
def test_rounding_does_not_reach_the_upper_bound(dtype, low, high):
    x = random.uniform((100_000,), low, high, dtype, seed=1).astype("float64").numpy()
    assert low <= x.min() and x.max() < high and x.max() > high - 0.01 * max(1, abs(high))
    assert random.uniform((3,), 2.0, 2.0, dtype).tolist() == [2.0] * 3


@pytest.mark.parametrize("call, kind, text", [
    (lambda: random.uniform((2,), 1.0, 0.0), ValueError, r"\[uniform\] expected finite minval <= maxval, got 1 and 0"),
    (lambda: random.uniform((2,), 0.0, float("inf")), ValueError, r"\[uniform\] expected finite"),
    (lambda: random.uniform((2,), dtype="int32"), pydl.errors.DTypeError, r"\[uniform\] expected a floating dtype"),
    (lambda: random.normal((-1,)), ValueError, r"expected extents of at least 0"),
    (lambda: random.normal((2**40, 2**40)), ValueError, r"2\^63"),
    (lambda: random.normal((2**61,)), ValueError, r"2\^63 bytes"),
    (lambda: random.normal((2,), stddev=-1.0), ValueError, r"\[normal\] expected a stddev of at least 0, got -1"),
    (lambda: random.truncated_normal((2,), stddev=-1.0), ValueError, r"\[truncated_normal\] expected a stddev"),
    (lambda: random.randint((2,), 5, 5), ValueError, r"\[randint\] expected minval < maxval, got 5 and 5"),
    (lambda: random.randint((2,), 0, 300, "uint8"), ValueError, r"\[randint\] expected numbers that fit uint8"),
    (lambda: random.randint((2,), 0, 3, "float32"), pydl.errors.DTypeError, r"\[randint\] expected an integer dtype"),
    (lambda: random.bernoulli((2,), 1.5), ValueError, r"\[bernoulli\] expected a probability in \[0, 1\], got 1.5"),
    (lambda: random.permutation(-1), ValueError, r"\[permutation\] expected a count of at least 0"),
    (lambda: random.categorical([0.0], 1), pydl.errors.ShapeError, r"\[categorical\] expected logits of shape"),
    (lambda: random.categorical(np.zeros((2, 0)), 1), pydl.errors.ShapeError, r"at least one class"),
    (lambda: random.normal((2,), seed="a"), TypeError, r"expected a seed that is None, an integer"),
    (lambda: random.normal((2,), seed=True), TypeError, r"expected a seed"),
])
def test_errors(call, kind, text):
    with pytest.raises(kind, match=text):
        call()


@pytest.mark.parametrize("alpha", [0.3, 1.0, 4.5])
def test_gamma_and_beta_have_their_distributions(alpha):
    stats = pytest.importorskip("scipy.stats")
    drawn = pydl.random.gamma((20000,), alpha, seed=5).numpy()
    assert stats.kstest(drawn, "gamma", args=(alpha,)).pvalue > 1e-3
    drawn = pydl.random.beta((20000,), alpha, 2.0, seed=6).numpy()
    assert stats.kstest(drawn, "beta", args=(alpha, 2.0)).pvalue > 1e-3


def test_binomial_has_its_distribution():
    stats = pytest.importorskip("scipy.stats")
    drawn = pydl.random.binomial((20000,), 6, 0.3, seed=7).numpy().astype(int)
    expected = 20000 * stats.binom.pmf(np.arange(7), 6, 0.3)
    assert stats.chisquare(np.bincount(drawn, minlength=7), expected).pvalue > 1e-3


def test_gamma_beta_and_binomial_follow_the_seed_and_their_parameters():
    generator = pydl.random.SeedGenerator(3)
    first, second = (pydl.random.gamma((5,), 2.0, seed=generator).numpy() for _ in range(2))
    assert (first != second).all()
    generator.state = (3, 0)
    np.testing.assert_array_equal(pydl.random.gamma((5,), 2.0, seed=generator).numpy(), first)
    means = pydl.random.gamma((4000, 2), [1.0, 9.0], seed=1).numpy().mean(0)
    np.testing.assert_allclose(means, [1.0, 9.0], rtol=0.05)
    assert pydl.random.binomial((2, 3), 4, 0.5, dtype="int32", seed=1).dtype == "int32"
    for call in (
        lambda: pydl.random.gamma((2,), 0.0),
        lambda: pydl.random.beta((2,), 1.0, -1.0),
        lambda: pydl.random.binomial((2,), -1, 0.5),
        lambda: pydl.random.binomial((2,), 3, 1.5),
        lambda: pydl.random.gamma((2,), [1.0, 2.0, 3.0]),
    ):
        with pytest.raises(ValueError, match=r"^\[\w+\] expected "):
            call()
