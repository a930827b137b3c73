"""Transformer blocks against PyTorch's, positions against their formulas, caches against no cache."""

import numpy as np
import pytest

import pydl
from pydl import layers

rng = np.random.default_rng(0)
FEATURES, HEADS, INNER = 8, 2, 16


def data(*shape):
    return rng.standard_normal(shape).astype("float32")


def copy_attention(torch, theirs, ours):
    """Set our projections, (features, heads, size), from PyTorch's joined (out, in) matrices."""
    w, b = (p.detach().numpy() for p in (theirs.in_proj_weight, theirs.in_proj_bias))
    size = FEATURES // HEADS
    values = {}
    for i, name in enumerate(("query_dense", "key_dense", "value_dense")):
        rows = slice(i * FEATURES, (i + 1) * FEATURES)
        values[name] = [w[rows].T.reshape(FEATURES, HEADS, size), b[rows].reshape(HEADS, size)]
    out = theirs.out_proj
    kernel = out.weight.detach().numpy().T.reshape(HEADS, size, FEATURES)
    values["output_dense"] = [kernel, out.bias.detach().numpy()]
    for name, weights in values.items():
        getattr(ours, name).set_weights(weights)


def copy_dense(theirs, ours):
    weights = [theirs.weight.detach().numpy(), theirs.bias.detach().numpy()]
    ours.set_weights([weights[0].T, weights[1]])


def copy_norm(theirs, ours):
    ours.set_weights([theirs.weight.detach().numpy(), theirs.bias.detach().numpy()])


def randomize(torch, module):
    for p in module.parameters():
        torch.nn.init.normal_(p, std=0.3)


@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize("causal", [False, True])
def test_encoder(first, causal):
    torch = pytest.importorskip("torch")
    theirs = torch.nn.TransformerEncoderLayer(
        FEATURES, HEADS, INNER, dropout=0.0, batch_first=True, norm_first=first
    )
    randomize(torch, theirs)
    ours = layers.TransformerEncoder(INNER, HEADS, normalize_first=first)
    x, kept = data(2, 5, FEATURES), np.arange(5) < np.array([[5], [3]])
    ours(x)
    copy_attention(torch, theirs.self_attn, ours.attention)
    copy_norm(theirs.norm1, ours.attention_norm), copy_norm(theirs.norm2, ours.feedforward_norm)
    copy_dense(theirs.linear1, ours.intermediate), copy_dense(theirs.linear2, ours.output_dense)
    mine = pydl.tensor(x, requires_grad=True)
    other = torch.tensor(x, requires_grad=True)
    y = ours(mine, padding_mask=kept, use_causal_mask=causal)
    hidden = torch.triu(torch.ones(5, 5, dtype=torch.bool), 1) if causal else None
    z = theirs(other, src_mask=hidden, src_key_padding_mask=torch.tensor(~kept))
    np.testing.assert_allclose(y.detach().numpy(), z.detach().numpy(), rtol=1e-4, atol=1e-5)
    pydl.ops.sum(y * y).backward(), (z * z).sum().backward()
    np.testing.assert_allclose(mine.grad.numpy(), other.grad.numpy(), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("first", [False, True])
def test_decoder(first):
    torch = pytest.importorskip("torch")
    theirs = torch.nn.TransformerDecoderLayer(
        FEATURES, HEADS, INNER, dropout=0.0, batch_first=True, norm_first=first, activation="gelu"
    )
    randomize(torch, theirs)
    ours = layers.TransformerDecoder(INNER, HEADS, normalize_first=first, activation="gelu")
    x, encoded = data(2, 5, FEATURES), data(2, 7, FEATURES)
    kept = np.arange(7) < np.array([[7], [4]])
    ours(x, encoded)
    copy_attention(torch, theirs.self_attn, ours.self_attention)
    copy_attention(torch, theirs.multihead_attn, ours.cross_attention)
    copy_norm(theirs.norm1, ours.self_attention_norm)
    copy_norm(theirs.norm2, ours.cross_attention_norm)
    copy_norm(theirs.norm3, ours.feedforward_norm)
    copy_dense(theirs.linear1, ours.intermediate), copy_dense(theirs.linear2, ours.output_dense)
    hidden = torch.triu(torch.ones(5, 5, dtype=torch.bool), 1)
    z = theirs(
        torch.tensor(x),
        torch.tensor(encoded),
        tgt_mask=hidden,
        memory_key_padding_mask=torch.tensor(~kept),
    )
    y = ours(x, encoded, encoder_padding_mask=kept)
    np.testing.assert_allclose(y.detach().numpy(), z.detach().numpy(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("rotary", [False, True])
@pytest.mark.parametrize("crossed", [False, True])
def test_cache_changes_nothing(rotary, crossed):
    decoder = layers.TransformerDecoder(INNER, HEADS, rotary=rotary)
    x = data(2, 9, FEATURES)
    encoded = (data(2, 4, FEATURES),) if crossed else ()
    whole = decoder(x, *encoded).detach().numpy()
    cache, parts = layers.DecoderCache(), []
    with pydl.no_grad():
        for start, end in [(0, 3), (3, 4), (4, 5), (5, 8), (8, 9)]:
            parts.append(decoder(x[:, start:end], *encoded, cache=cache).numpy())
            assert cache.length == end
    np.testing.assert_allclose(np.concatenate(parts, 1), whole, rtol=1e-4, atol=1e-5)


def test_cache_reorders_samples():
    decoder, cache = layers.TransformerDecoder(INNER, HEADS), layers.DecoderCache()
    x = data(2, 4, FEATURES)
    whole = decoder(x[[1, 0, 1]]).detach().numpy()
    with pydl.no_grad():
        decoder(x[:, :3], cache=cache)
        cache.reorder([1, 0, 1])
        last = decoder(x[[1, 0, 1], 3:], cache=cache).numpy()
    np.testing.assert_allclose(last, whole[:, 3:], rtol=1e-4, atol=1e-5)


def test_masks_come_with_the_tensors():
    tokens = np.array([[1, 2, 3, 0, 0], [4, 1, 2, 3, 2]], "int32")
    embedding = layers.TokenAndPositionEmbedding(5, 6, FEATURES, mask_zero=True)
    encoder = layers.TransformerEncoder(INNER, HEADS)
    y = encoder(embedding(tokens))
    assert layers.masking.get_mask(y).tolist() == (tokens != 0).tolist()
    short = encoder(embedding(tokens[:1, :3]))
    np.testing.assert_allclose(
        y.detach().numpy()[:1, :3], short.detach().numpy(), rtol=1e-4, atol=1e-5
    )


def test_dropout_only_while_training():
    encoder, x = layers.TransformerEncoder(INNER, HEADS, dropout=0.5), data(1, 4, FEATURES)
    still = [encoder(x).detach().numpy() for _ in range(2)]
    np.testing.assert_array_equal(*still)
    assert not np.allclose(encoder(x, training=True).detach().numpy(), still[0])


def test_sine_positions():
    x = np.zeros((2, 7, 6))
    table = layers.SinePositionEncoding(100.0, dtype="float64")(x, start_index=2).numpy()
    for position in range(7):
        for i in range(3):
            angle = (position + 2) / 100.0 ** (2 * i / 6)
            assert table[1, position, 2 * i] == pytest.approx(np.sin(angle))
            assert table[1, position, 2 * i + 1] == pytest.approx(np.cos(angle))


@pytest.mark.parametrize("heads", [(), (3,)])
def test_rotary_positions_turn_complex_numbers(heads):
    x = rng.standard_normal((2, 5, *heads, 8))
    turned = layers.RotaryEmbedding(50.0, 2.0, dtype="float64")(x, start_index=3).numpy()
    angles = (np.arange(5) + 3)[:, None] / 2.0 * 50.0 ** (-np.arange(4) / 4)
    z = (x[..., :4] + 1j * x[..., 4:]) * np.exp(1j * angles).reshape(5, *(1 for _ in heads), 4)
    np.testing.assert_allclose(turned, np.concatenate([z.real, z.imag], -1), rtol=1e-10)


def test_learned_positions():
    layer = layers.PositionEmbedding(6)
    x = data(2, 4, 3)
    y = layer(x, start_index=1)
    np.testing.assert_array_equal(y.detach().numpy()[1], layer.embeddings.numpy()[1:5])
    pydl.ops.sum(y).backward()
    assert layer.embeddings.grad.numpy().sum(1).tolist() == [0, 6, 6, 6, 6, 0]
    with pytest.raises(pydl.errors.ShapeError, match=r"expected at most 6 positions, got 7"):
        layer(data(2, 7, 3))


def test_errors():
    x = data(1, 3, FEATURES)
    with pytest.raises(
        ValueError, match=r"expected the features to be a multiple of num_heads = 3"
    ):
        layers.TransformerEncoder(INNER, 3)(x)
    decoder = layers.TransformerDecoder(INNER, HEADS)
    decoder(x)
    with pytest.raises(ValueError, match=r"expected an encoder_sequence in every call or in none"):
        decoder(x, x)
    with pytest.raises(RuntimeError, match=r"\[KeyValueCache\] expected keys without gradients"):
        decoder(x, cache=layers.DecoderCache())
    with pytest.raises(pydl.errors.ShapeError, match="expected an even number of features"):
        layers.RotaryEmbedding()(data(1, 3, 5))


def test_blocks_in_functional_models():
    inputs = pydl.Input((None,), dtype="int32")
    x = layers.TokenAndPositionEmbedding(10, 20, FEATURES)(inputs)
    x = layers.TransformerEncoder(INNER, HEADS)(x)
    x = layers.TransformerDecoder(INNER, HEADS)(x, x)
    model = pydl.Model(inputs, layers.Dense(10)(x))
    assert model.output_shape == (None, None, 10)
    assert model(np.ones((2, 7), "int32")).shape == (2, 7, 10)
