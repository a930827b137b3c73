"""Writing sequences token by token with a model: how to choose tokens, and the loop around it.

>>> import pydl
>>> def step(tokens, cache):  # a model that counts: after token n comes n + 1
...     return pydl.ops.one_hot(tokens + 1, 10)
>>> pydl.generation.generate(step, [[3, 4]], max_new_tokens=3).tolist()
[[3, 4, 5, 6, 7]]
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydl import ops, random, tree
from pydl._core import Tensor, as_tensor
from pydl.autograd import no_grad
from pydl.errors import ShapeError

__all__ = [
    "BeamSampler",
    "GreedySampler",
    "RandomSampler",
    "Sampler",
    "TopKSampler",
    "TopPSampler",
    "generate",
]


class Sampler:
    """How the next token is chosen. A subclass defines `choose`."""

    def choose(self, logits: Tensor) -> Tensor:
        """Return an int32 token for each row of `logits`, of shape (batch, vocabulary)."""
        raise NotImplementedError(f"[{type(self).__name__}] expected the class to define choose.")

    def write(self, step: Callable, prompt: Tensor, count: int, end_token, cache) -> Tensor:
        """Return the prompt and up to `count` tokens more; see `generate`."""
        tokens, ended = [prompt], None
        new = prompt
        for _ in range(count):
            chosen = self.choose(_last_logits(step, new, cache))
            if end_token is not None:
                chosen = chosen if ended is None else ops.where(ended, end_token, chosen)
                ended = ops.equal(chosen, end_token)
            new = ops.cast(ops.expand_dims(chosen, 1), prompt.dtype)
            tokens.append(new)
            if ended is not None and bool(ops.all(ended)):
                break
        return ops.concatenate(tokens, axis=1)


class GreedySampler(Sampler):
    """Takes the likeliest token.

    Example:
        >>> import pydl
        >>> pydl.generation.GreedySampler().choose(pydl.tensor([[0.0, 2.0, 1.0]])).tolist()
        [1]
    """

    def choose(self, logits):
        return ops.cast(ops.argmax(logits, axis=-1), "int32")


class RandomSampler(Sampler):
    """Draws tokens by their probabilities.

    Args:
        temperature: What logits are divided by: below 1 likely tokens become likelier.
        seed: None, an integer or a `pydl.random.SeedGenerator`.

    Raises:
        ValueError: a temperature that is not positive.

    Example:
        >>> import pydl
        >>> sampler = pydl.generation.RandomSampler(temperature=0.5, seed=1)
        >>> sampler.choose(pydl.tensor([[0.0, 100.0]])).tolist()
        [1]
    """

    def __init__(self, temperature: float = 1.0, seed: Any = None):
        if temperature <= 0:
            raise ValueError(
                f"[{type(self).__name__}] expected a positive temperature, got {temperature}. "
                "Hint: GreedySampler always takes the likeliest token."
            )
        self.temperature = temperature
        given = isinstance(seed, random.SeedGenerator)
        self.seed_generator = seed if given else random.SeedGenerator(seed)

    def choose(self, logits):
        scaled = ops.cast(logits, "float32") / self.temperature
        return random.categorical(scaled, 1, seed=self.seed_generator)[:, 0]

    def _choose_among(self, logits, tokens):
        """Draw one of `tokens`, whose scaled logits are given."""
        place = random.categorical(logits, 1, seed=self.seed_generator)
        return ops.take_along_axis(tokens, place, axis=1)[:, 0]


class TopKSampler(RandomSampler):
    """Draws one of the `k` likeliest tokens by their probabilities.

    Args:
        k: How many.
        temperature: What logits are divided by: below 1 likely tokens become likelier.
        seed: None, an integer or a `pydl.random.SeedGenerator`.

    Raises:
        ValueError: `k` or the temperature is not positive.

    Example:
        >>> import pydl
        >>> sampler = pydl.generation.TopKSampler(k=1)
        >>> sampler.choose(pydl.tensor([[0.0, 2.0, 1.0]])).tolist()
        [1]

    Source: Fan et al., 2018.
    """

    def __init__(self, k: int = 5, temperature: float = 1.0, seed: Any = None):
        super().__init__(temperature, seed)
        if k < 1:
            raise ValueError(f"[TopKSampler] expected a positive k, got {k}.")
        self.k = k

    def choose(self, logits):
        scaled = ops.cast(logits, "float32") / self.temperature
        return self._choose_among(*ops.top_k(scaled, min(self.k, logits.shape[-1])))


class TopPSampler(RandomSampler):
    """Draws one of the likeliest tokens that together have probability `p`.

    Args:
        p: The probability, above 0 and at most 1. The likeliest token is always among them.
        k: Look at the `k` likeliest tokens only, which saves sorting them all; at all when None.
        temperature: What logits are divided by first.
        seed: None, an integer or a `pydl.random.SeedGenerator`.

    Raises:
        ValueError: an argument outside the values listed.

    Example:
        >>> import pydl
        >>> sampler = pydl.generation.TopPSampler(p=0.5)
        >>> sampler.choose(pydl.tensor([[0.0, 2.0, 1.0]])).tolist()
        [1]

    Source: Holtzman et al., 2020.
    """

    def __init__(
        self, p: float = 0.9, k: int | None = None, temperature: float = 1.0, seed: Any = None
    ):
        super().__init__(temperature, seed)
        if not 0 < p <= 1 or (k is not None and k < 1):
            raise ValueError(f"[TopPSampler] expected 0 < p <= 1 and a positive k, got {p}, {k}.")
        self.p = p
        self.k = k

    def choose(self, logits):
        scaled = ops.cast(logits, "float32") / self.temperature
        vocabulary = logits.shape[-1]
        values, tokens = ops.top_k(scaled, min(self.k or vocabulary, vocabulary))
        probabilities = ops.softmax(values)
        before = ops.cumsum(probabilities, axis=-1) - probabilities
        return self._choose_among(ops.where(before < self.p, values, float("-inf")), tokens)


class BeamSampler(Sampler):
    """Keeps the likeliest sequences of all so far, and returns the likeliest at the end.

    Args:
        num_beams: How many to keep.

    Raises:
        ValueError: `num_beams` is not positive.

    Example:
        >>> import pydl
        >>> def step(tokens, cache):
        ...     return pydl.ops.one_hot(tokens + 1, 10)
        >>> beam = pydl.generation.BeamSampler(num_beams=3)
        >>> pydl.generation.generate(step, [[3]], max_new_tokens=2, sampler=beam).tolist()
        [[3, 4, 5]]
    """

    def __init__(self, num_beams: int = 5):
        if num_beams < 1:
            raise ValueError(f"[BeamSampler] expected a positive num_beams, got {num_beams}.")
        self.num_beams = num_beams

    def write(self, step, prompt, count, end_token, cache):
        batch, beams = prompt.shape[0], self.num_beams
        tokens = new = best = prompt
        scores = ops.zeros((batch, 1))
        for _ in range(count):
            steps = ops.log_softmax(ops.cast(_last_logits(step, new, cache), "float32"))
            steps = self._without_ended(steps, tokens[:, prompt.shape[1] :], end_token)
            vocabulary = steps.shape[-1]
            totals = ops.expand_dims(scores, 2) + ops.reshape(steps, (*scores.shape, vocabulary))
            totals = ops.reshape(totals, (batch, scores.shape[1] * vocabulary))
            first = ops.expand_dims(ops.arange(batch) * scores.shape[1], 1)
            scores, places = ops.top_k(totals, min(beams, totals.shape[1]))
            parents = ops.reshape(first + places // vocabulary, (-1,))
            new = ops.cast(ops.reshape(places % vocabulary, (-1, 1)), prompt.dtype)
            tokens = ops.concatenate([ops.take(tokens, parents, axis=0), new], axis=1)
            for one in tree.flatten(cache):
                one.reorder(parents)
            # Beams come sorted by score, which only falls: none overtakes a first one that has ended.
            best = ops.reshape(tokens, (batch, -1, tokens.shape[1]))[:, 0]
            if end_token is not None and bool(ops.all(_ended(best, prompt, end_token))):
                break
        return best

    @staticmethod
    def _without_ended(steps, written, end_token):
        """Let sequences that have ended go on with `end_token` only, at no cost."""
        if end_token is None or written.shape[1] == 0:
            return steps
        ended = ops.any(ops.equal(written, end_token), axis=1, keepdims=True)
        only_end = ops.where(ops.equal(ops.arange(steps.shape[-1]), end_token), 0.0, float("-inf"))
        return ops.where(ended, only_end, steps)


_SAMPLERS = {
    "greedy": GreedySampler,
    "random": RandomSampler,
    "top_k": TopKSampler,
    "top_p": TopPSampler,
    "beam": BeamSampler,
}


def generate(
    step: Callable,
    prompt: Any,
    max_new_tokens: int,
    sampler: str | Sampler = "greedy",
    end_token: int | None = None,
    cache: Any = None,
) -> Tensor:
    """Continue sequences of tokens with what a model predicts.

    With a cache, `step` gets the whole prompt first and then one new token at a time, so that
    writing a token costs what one more step costs. Without one it gets all tokens each time.

    Args:
        step: A function `step(tokens, cache)` that returns logits of shape `(batch, steps,
            vocabulary)` for tokens of shape `(batch, steps)`. A cache must keep what the steps
            after these tokens need; `pydl.layers.DecoderCache` does for a TransformerDecoder.
        prompt: Integers of shape `(batch, steps)`, at least one step.
        max_new_tokens: How many tokens to write at most.
        sampler: "greedy", "random", "top_k", "top_p", "beam", or a Sampler.
        end_token: The token after which a sequence is over. Sequences that end before others are
            filled with it.
        cache: A cache or a structure of them, one for each layer; new ones.

    Returns:
        The prompts and what was written, integers of shape `(batch, steps + new tokens)`.

    Raises:
        ShapeError: the prompt is not of shape (batch, steps), or the logits of another.
        ValueError: an unknown sampler, or a negative number of tokens.

    Example:
        >>> import pydl
        >>> layers = pydl.layers
        >>> embed = layers.TokenAndPositionEmbedding(20, 50, 8)
        >>> blocks = [layers.TransformerDecoder(16, 2) for _ in range(2)]
        >>> head = layers.Dense(20)
        >>> def step(tokens, cache):
        ...     x = embed(tokens, start_index=cache[0].length)
        ...     for block, kept in zip(blocks, cache):
        ...         x = block(x, cache=kept)
        ...     return head(x)
        >>> cache = [layers.DecoderCache() for _ in blocks]
        >>> text = pydl.generation.generate(step, [[1, 2, 3]], 10, "top_k", cache=cache)
        >>> text.shape, cache[0].length
        ((1, 13), 12)
    """
    sampler = _get_sampler(sampler)
    prompt = as_tensor(prompt)
    if prompt.ndim != 2 or prompt.shape[1] == 0 or "int" not in prompt.dtype:
        raise ShapeError(
            "[generate] expected a prompt of integers of shape (batch, steps) with at least one "
            f"step, got {prompt.dtype} of shape {prompt.shape}."
        )
    if max_new_tokens < 0:
        raise ValueError(f"[generate] expected max_new_tokens >= 0, got {max_new_tokens}.")
    with no_grad():
        if cache is None:
            return sampler.write(_Whole(step), prompt, max_new_tokens, end_token, _Tokens())
        return sampler.write(step, prompt, max_new_tokens, end_token, cache)


class _Tokens:
    """The cache of a model without one: the tokens so far."""

    tokens = None

    def append(self, tokens: Tensor) -> Tensor:
        known = [tokens] if self.tokens is None else [self.tokens, tokens]
        self.tokens = ops.concatenate(known, axis=1)
        return self.tokens

    def reorder(self, samples: Any) -> None:
        self.tokens = ops.take(self.tokens, samples, axis=0)


class _Whole:
    """A step that gives a model without a cache all tokens so far."""

    def __init__(self, step: Callable):
        self.step = step

    def __call__(self, tokens, cache: _Tokens):
        return self.step(cache.append(tokens), None)


def _last_logits(step: Callable, tokens: Tensor, cache: Any) -> Tensor:
    logits = step(tokens, cache)
    if logits.ndim != 3 or logits.shape[0] != tokens.shape[0]:
        raise ShapeError(
            "[generate] expected logits of shape (batch, steps, vocabulary) from step, "
            f"got {logits.shape} for tokens of shape {tokens.shape}."
        )
    return logits[:, -1]


def _ended(tokens: Tensor, prompt: Tensor, end_token: int) -> Tensor:
    return ops.any(ops.equal(tokens[:, prompt.shape[1] :], end_token), axis=1)


def _get_sampler(sampler: str | Sampler) -> Sampler:
    if isinstance(sampler, Sampler):
        return sampler
    if sampler not in _SAMPLERS:
        raise ValueError(
            f"[generate] expected a Sampler or one of {', '.join(_SAMPLERS)}, got {sampler!r}."
        )
    return _SAMPLERS[sampler]()
