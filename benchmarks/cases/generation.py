"""Tokens written one by one by a small transformer that keeps keys and values."""

from __future__ import annotations

from benchmarks.case import Case

SIZE, HEADS, BLOCKS, VOCABULARY = 256, 4, 4, 5000
PROMPT, TOKENS = 16, 64


def _pydl(pydl, prompt):
    layers = pydl.layers
    embed = layers.TokenAndPositionEmbedding(VOCABULARY, PROMPT + TOKENS, SIZE)
    blocks = [
        layers.TransformerDecoder(4 * SIZE, HEADS, normalize_first=True) for _ in range(BLOCKS)
    ]
    head = layers.Dense(VOCABULARY)

    def step(tokens, cache):
        x = embed(tokens, start_index=cache[0].length)
        for block, kept in zip(blocks, cache):
            x = block(x, cache=kept)
        return head(x)

    def run():
        cache = [layers.DecoderCache() for _ in blocks]
        return pydl.generation.generate(step, prompt, TOKENS, cache=cache)

    return run


def _torch(torch, prompt):
    nn = torch.nn
    blocks = [
        {
            "norms": (nn.LayerNorm(SIZE), nn.LayerNorm(SIZE)),
            "heads": nn.Linear(SIZE, 3 * SIZE),
            "joined": nn.Linear(SIZE, SIZE),
            "inner": nn.Linear(SIZE, 4 * SIZE),
            "outer": nn.Linear(4 * SIZE, SIZE),
        }
        for _ in range(BLOCKS)
    ]
    tokens_table, places = nn.Embedding(VOCABULARY, SIZE), nn.Embedding(PROMPT + TOKENS, SIZE)
    head = nn.Linear(SIZE, VOCABULARY)

    def block(parts, x, kept):
        batch, steps, _ = x.shape
        heads = parts["heads"](parts["norms"][0](x)).view(batch, steps, 3, HEADS, SIZE // HEADS)
        query, key, value = heads.permute(2, 0, 3, 1, 4)
        if kept:
            key, value = torch.cat([kept[0], key], 2), torch.cat([kept[1], value], 2)
        kept[:] = [key, value]
        attended = nn.functional.scaled_dot_product_attention(
            query, key, value, is_causal=steps > 1
        )
        x = x + parts["joined"](attended.transpose(1, 2).reshape(batch, steps, SIZE))
        return x + parts["outer"](torch.relu(parts["inner"](parts["norms"][1](x))))

    def run():
        cache, new, text = [[] for _ in blocks], prompt.long(), prompt.long()
        with torch.inference_mode():
            for _ in range(TOKENS):
                start = text.shape[1] - new.shape[1]
                x = tokens_table(new) + places(torch.arange(start, text.shape[1]))
                for parts, kept in zip(blocks, cache):
                    x = block(parts, x, kept)
                new = head(x)[:, -1].argmax(-1, keepdim=True)
                text = torch.cat([text, new], 1)
        return text

    return run


def _case(batch: int) -> Case:
    weights = BLOCKS * 12 * SIZE**2 + SIZE * VOCABULARY
    return Case(
        "generation",
        f"token of a transformer of {BLOCKS} blocks of {SIZE}, batch {batch}",
        lambda random: (random.integers(0, VOCABULARY, (batch, PROMPT)).astype("int32"),),
        prepare={"pydl": _pydl, "torch": _torch},
        flops=2 * batch * weights,
        bytes=4 * weights,
        calls=TOKENS,
    )


CASES = [_case(1), _case(8)]
