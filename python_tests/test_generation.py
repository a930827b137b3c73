"""Writing tokens: samplers against probabilities, beams against all sequences, caches against none."""

import itertools

import numpy as np
import pytest

import pydl
from pydl import generation, layers
from pydl.generation import BeamSampler, GreedySampler, RandomSampler, TopKSampler, TopPSampler

rng = np.random.default_rng(0)
TABLE = rng.standard_normal((6, 6)).astype("float32") * 2  # logits of the token after each token


def markov(tokens, cache):
    return pydl.ops.take(TABLE, tokens, axis=0)


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def shares(sampler, logits, count=20000):
    drawn = sampler.choose(pydl.tensor(np.tile(logits, (count, 1)))).numpy()
    return np.bincount(drawn, minlength=logits.size) / count


def test_random_follows_the_probabilities():
    for temperature in (0.5, 1.0, 2.0):
        expected = softmax(TABLE[0] / temperature)
        got = shares(RandomSampler(temperature, seed=1), TABLE[0])
        np.testing.assert_allclose(got, expected, atol=0.02)


def test_top_k_draws_from_the_likeliest():
    kept = np.argsort(-TABLE[1])[:3]
    expected = np.zeros(6)
    expected[kept] = softmax(TABLE[1][kept])
    np.testing.assert_allclose(shares(TopKSampler(3, seed=2), TABLE[1]), expected, atol=0.02)
    assert shares(TopKSampler(100, seed=2), TABLE[1]).all()


def test_top_p_draws_from_the_fewest_that_have_the_probability():
    logits = np.log(np.array([0.1, 0.4, 0.05, 0.25, 0.2], "float32"))
    cases = [(0.3, [1]), (0.5, [1, 3]), (0.7, [1, 3, 4]), (1.0, [0, 1, 2, 3, 4])]
    for p, kept in cases:
        expected = np.zeros(5)
        expected[kept] = softmax(logits[kept])
        np.testing.assert_allclose(shares(TopPSampler(p, seed=3), logits), expected, atol=0.02)
    got = shares(TopPSampler(1.0, k=2, seed=3), logits)
    assert got[[0, 2, 4]].sum() == 0


def test_greedy_takes_the_likeliest():
    text = generation.generate(markov, [[0], [3]], 5).numpy()
    for row in text:
        assert list(row[1:]) == [int(TABLE[token].argmax()) for token in row[:-1]]


def test_beams_find_the_likeliest_of_all_sequences():
    log = np.log(softmax(TABLE.astype("float64")))
    for start in range(6):
        rows = [(start, *rest) for rest in itertools.product(range(6), repeat=3)]
        best = max(rows, key=lambda row: sum(log[a, b] for a, b in itertools.pairwise(row)))
        text = generation.generate(markov, [[start]], 3, BeamSampler(36))
        assert tuple(text.numpy()[0]) == best
    greedy = generation.generate(markov, [[0], [1]], 6, BeamSampler(1)).numpy()
    np.testing.assert_array_equal(greedy, generation.generate(markov, [[0], [1]], 6).numpy())


@pytest.mark.parametrize("sampler", [GreedySampler(), BeamSampler(3)])
def test_end_token(sampler):
    def count(tokens, cache):
        return pydl.ops.one_hot(pydl.ops.minimum(tokens + 1, 7), 8) * 20.0

    text = generation.generate(count, [[1], [4]], 9, sampler, end_token=6)
    assert text.tolist() == [[1, 2, 3, 4, 5, 6], [4, 5, 6, 6, 6, 6]]


class Writer:
    """A small decoder; counts the positions it computes."""

    def __init__(self):
        pydl.set_random_seed(3)
        self.embed = layers.TokenAndPositionEmbedding(11, 60, 8)
        self.blocks = [layers.TransformerDecoder(16, 2, rotary=True) for _ in range(2)]
        self.head = layers.Dense(11, kernel_initializer="random_normal")
        self.computed = 0

    def __call__(self, tokens, cache):
        self.computed += tokens.shape[1]
        x = self.embed(tokens, start_index=cache[0].length if cache else 0)
        for i, block in enumerate(self.blocks):
            x = block(x, cache=cache[i] if cache else None)
        return self.head(x) * 50.0


@pytest.mark.parametrize(
    "make", [GreedySampler, lambda: TopKSampler(3, seed=5), lambda: BeamSampler(4)]
)
def test_cache_saves_work_and_changes_nothing(make):
    writer, prompt = Writer(), rng.integers(0, 11, (2, 5)).astype("int32")
    expected = generation.generate(writer, prompt, 12, make()).numpy()
    assert writer.computed == sum(range(5, 17))
    writer.computed = 0
    cache = [layers.DecoderCache() for _ in writer.blocks]
    text = generation.generate(writer, prompt, 12, make(), cache=cache).numpy()
    np.testing.assert_array_equal(text, expected)
    assert writer.computed == 5 + 11 and text.shape == (2, 17)


def test_seed_repeats_the_text():
    first, second = (
        generation.generate(markov, [[0]], 30, RandomSampler(seed=4)).tolist() for _ in range(2)
    )
    assert first == second


def test_errors():
    with pytest.raises(ValueError, match=r"\[generate\] expected a Sampler or one of greedy, "):
        generation.generate(markov, [[0]], 1, "best")
    with pytest.raises(pydl.errors.ShapeError, match=r"\[generate\] expected a prompt of integers"):
        generation.generate(markov, [0], 1)
    with pytest.raises(pydl.errors.ShapeError, match=r"\[generate\] expected logits of shape"):
        generation.generate(lambda tokens, cache: tokens, [[0]], 1)
    with pytest.raises(ValueError, match=r"\[TopPSampler\] expected 0 < p <= 1"):
        TopPSampler(0.0)
    with pytest.raises(ValueError, match=r"\[RandomSampler\] expected a positive temperature"):
        RandomSampler(0.0)
    with pytest.raises(ValueError, match=r"\[TopKSampler\] expected a positive k"):
        TopKSampler(0)
    with pytest.raises(ValueError, match=r"\[BeamSampler\] expected a positive num_beams"):
        BeamSampler(0)
    assert generation.generate(markov, [[2]], 0).tolist() == [[2]]
