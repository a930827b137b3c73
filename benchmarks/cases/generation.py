"""Tokens written one by one by a small transformer that keeps keys and values."""

from __future__ import annotations

import functools
from dataclasses import dataclass

from benchmarks.case import Case

PROMPT = 16


@dataclass(frozen=True)
class Decoder:
    """What a transformer that writes consists of; heads are 64 wide."""

    size: int
    blocks: int
    vocabulary: int
    tokens: int  # that one call writes

    @property
    def weights(self) -> int:
        """How many of its weights take part in every token."""
        return self.blocks * 12 * self.size**2 + self.size * self.vocabulary


SMALL = Decoder(size=256, blocks=4, vocabulary=5000, tokens=64)
GPT2 = Decoder(size=768, blocks=12, vocabulary=50257, tokens=16)


def _pydl(net, pydl, prompt):
    layers = pydl.layers
    embed = layers.TokenAndPositionEmbedding(net.vocabulary, PROMPT + net.tokens, net.size)
    blocks = [
        layers.TransformerDecoder(4 * net.size, net.size // 64, normalize_first=True)
        for _ in range(net.blocks)
    ]
    head = layers.Dense(net.vocabulary)

    def step(tokens, cache):
        x = embed(tokens, start_index=cache[0].length)
        for block, kept in zip(blocks, cache):
            x = block(x, cache=kept)
        return head(x)

    def run():
        cache = [layers.DecoderCache() for _ in blocks]
        return pydl.generation.generate(step, prompt, net.tokens, cache=cache)

    return run


def _torch(net, torch, prompt):
    nn = torch.nn
    blocks = [
        {
            "norms": (nn.LayerNorm(net.size), nn.LayerNorm(net.size)),
            "heads": nn.Linear(net.size, 3 * net.size),
            "joined": nn.Linear(net.size, net.size),
            "inner": nn.Linear(net.size, 4 * net.size),
            "outer": nn.Linear(4 * net.size, net.size),
        }
        for _ in range(net.blocks)
    ]
    tokens_table = nn.Embedding(net.vocabulary, net.size)
    places = nn.Embedding(PROMPT + net.tokens, net.size)
    head = nn.Linear(net.size, net.vocabulary)

    def block(parts, x, kept):
        batch, steps, _ = x.shape
        heads = parts["heads"](parts["norms"][0](x)).view(batch, steps, 3, net.size // 64, 64)
        query, key, value = heads.permute(2, 0, 3, 1, 4)
        if kept:
            key, value = torch.cat([kept[0], key], 2), torch.cat([kept[1], value], 2)
        kept[:] = [key, value]
        attended = nn.functional.scaled_dot_product_attention(
            query, key, value, is_causal=steps > 1
        )
        x = x + parts["joined"](attended.transpose(1, 2).reshape(batch, steps, net.size))
        return x + parts["outer"](torch.relu(parts["inner"](parts["norms"][1](x))))

    def run():
        cache, new, text = [[] for _ in blocks], prompt.long(), prompt.long()
        with torch.inference_mode():
            for _ in range(net.tokens):
                start = text.shape[1] - new.shape[1]
                x = tokens_table(new) + places(torch.arange(start, text.shape[1]))
                for parts, kept in zip(blocks, cache):
                    x = block(parts, x, kept)
                new = head(x)[:, -1].argmax(-1, keepdim=True)
                text = torch.cat([text, new], 1)
        return text

    return run


def _case(name: str, net: Decoder, batch: int) -> Case:
    return Case(
        "generation",
        f"token of {name}, batch {batch}",
        lambda random: (random.integers(0, net.vocabulary, (batch, PROMPT)).astype("int32"),),
        prepare={
            "pydl": functools.partial(_pydl, net),
            "torch": functools.partial(_torch, net),
        },
        rotate=False,
        flops=2 * batch * net.weights,
        bytes=4 * net.weights,
        calls=net.tokens,
    )


CASES = [
    _case("a transformer of 4 blocks of 256", SMALL, 1),
    _case("a transformer of 4 blocks of 256", SMALL, 8),
    _case("GPT-2 (12 blocks of 768)", GPT2, 1),
]
