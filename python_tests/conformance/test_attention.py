"""MultiHeadAttention against Keras."""

import numpy as np
import pytest

import pydl

pytestmark = pytest.mark.conformance
rng = np.random.default_rng(0)


@pytest.fixture
def check(check_layer):
    """Compare two heads; Keras computes its fused attention in float32 whatever the dtype."""

    def run(shapes, call=None, **arguments):
        arrays = [rng.standard_normal(shape) for shape in shapes]
        exact = (call or {}).get("return_attention_scores", False)
        check_layer(
            "MultiHeadAttention",
            arrays,
            call=call,
            several_arguments=True,
            rtol=2e-6 if exact else 1e-4,
            **{"num_heads": 2, "key_dim": 3, **arguments},
        )

    return run


def test_self_and_cross_attention(check):
    check([(2, 5, 8), (2, 5, 8)])
    check([(2, 5, 8), (2, 7, 6)], use_bias=False, output_shape=9)


def test_scores(check):
    check([(2, 5, 8), (2, 7, 6), (2, 7, 4)], {"return_attention_scores": True}, value_dim=4)


@pytest.mark.parametrize("scores", [False, True])
def test_causal(check, scores):
    call = {"use_causal_mask": True, "return_attention_scores": scores}
    check([(2, 5, 8), (2, 5, 8)], call)


@pytest.mark.parametrize("scores", [False, True])
def test_masks(check, scores):
    mask = rng.random((2, 5, 7)) > 0.3
    mask[..., 0] = True
    value_mask = np.arange(7) < np.array([[4], [7]])
    both = [(2, 5, 8), (2, 7, 6)]
    given = {"return_attention_scores": scores}
    check(both, {"attention_mask": mask, **given})
    check(both, {"value_mask": value_mask, "attention_mask": mask, **given})
    mask = np.arange(5) < np.array([[3], [5]])
    check([(2, 5, 8), (2, 5, 8)], {"value_mask": mask, "use_causal_mask": True, **given})


@pytest.mark.parametrize("scores", [False, True])
def test_window_and_gate(check, scores):
    given = {"return_attention_scores": scores}
    check([(2, 6, 8), (2, 6, 8)], given, sliding_window=2, use_gate=True)
    check([(2, 6, 8), (2, 6, 8)], {"use_causal_mask": True, **given}, sliding_window=3)
    mask = rng.random((2, 5, 7)) > 0.3
    mask[:, range(5), range(5)] = True
    check([(2, 5, 8), (2, 7, 6)], {"attention_mask": mask, **given}, sliding_window=2)
    with pytest.raises(ValueError, match="expected sliding_window to be a positive"):
        pydl.layers.MultiHeadAttention(2, 3, sliding_window=0)
    with pytest.raises(ValueError, match="expected one attention axis with sliding_window"):
        pydl.layers.MultiHeadAttention(2, 3, sliding_window=2)(np.ones((2, 3, 4, 5)), np.ones((2, 3, 4, 5)))


def test_mask_of_embedding_reaches_attention(keras):
    tokens = np.array([[3, 1, 0, 0], [2, 4, 5, 0]], "int32")
    table = rng.standard_normal((6, 8))

    def run(library):
        layers = library.layers
        embedding = layers.Embedding(6, 8, mask_zero=True, dtype="float64")
        attention = layers.MultiHeadAttention(2, 3, dtype="float64")
        pooling = layers.GlobalAveragePooling1D(dtype="float64")
        embedding.build((None, 4))
        embedding.set_weights([table])
        attention(embedding(tokens), embedding(tokens))
        generator = np.random.default_rng(1)
        attention.set_weights([generator.standard_normal(w.shape) for w in attention.get_weights()])
        return np.asarray(pooling(attention(embedding(tokens), embedding(tokens))))

    np.testing.assert_allclose(run(pydl), run(keras), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["Attention", "AdditiveAttention"])
@pytest.mark.parametrize("use_scale", [False, True])
def test_simple_attention(check_layer, keras, name, use_scale):
    query, value, key = (rng.standard_normal(s) for s in [(2, 3, 4), (2, 5, 6), (2, 5, 4)])
    square = rng.standard_normal((2, 3, 4))
    scores = {"return_attention_scores": True}
    check_layer(name, [query, value, key], use_scale=use_scale)
    check_layer(name, [query, square], use_scale=use_scale, call={"use_causal_mask": True})
    for mode in ("dot", "concat") if name == "Attention" and use_scale else ():
        check_layer(name, [query, key], use_scale=use_scale, score_mode=mode, rtol=1e-4)
    mask = [np.array([[True, True, False]] * 2), np.arange(5) < np.array([[4], [2]])]
    for masks in (mask, [None, mask[1]], [mask[0], None]):
        ours = getattr(pydl.layers, name)(dtype="float64", use_scale=use_scale)
        theirs = getattr(keras.layers, name)(dtype="float64", use_scale=use_scale)
        theirs.build([query.shape, key.shape]), ours.build([query.shape, key.shape])
        ours.set_weights(theirs.get_weights())
        results = (
            ours([query, key], mask=masks, **scores),
            theirs([query, key], mask=masks, **scores),
        )
        for mine, other in zip(*results):
            np.testing.assert_allclose(mine.numpy(), np.asarray(other), rtol=1e-6, atol=1e-6)


def test_simple_attention_errors(check_error):
    x = rng.standard_normal((2, 3, 4))
    check_error("Attention", x)
    check_error("Attention", [x])
    check_error("AdditiveAttention", [x, x, x, x])
    check_error("Attention", [x, x], score_mode="product")
    check_error("Attention", [x, x], call={"mask": x})
    check_error("GroupQueryAttention", x, x, head_dim=2, num_query_heads=3, num_key_value_heads=2)
    heads = {"head_dim": 2, "num_query_heads": 2, "num_key_value_heads": 2}
    check_error("GroupQueryAttention", x, x, sliding_window=0, **heads)


@pytest.mark.parametrize("scores", [False, True])
@pytest.mark.parametrize(
    "arguments",
    [{}, {"num_key_value_heads": 1, "use_gate": True}, {"use_bias": False, "sliding_window": 2}],
)
def test_group_query_attention(check_layer, scores, arguments):
    heads = {"head_dim": 3, "num_query_heads": 4, "num_key_value_heads": 2, **arguments}
    arrays = [rng.standard_normal((2, 5, 6)), rng.standard_normal((2, 5, 4))]
    mask = rng.random((2, 5, 5)) > 0.3
    mask[:, range(5), range(5)] = True
    for call in ({}, {"use_causal_mask": True}, {"attention_mask": mask}):
        call = {"return_attention_scores": scores, **call}
        several = {"several_arguments": True, "rtol": 2e-6 if scores else 1e-4}
        check_layer("GroupQueryAttention", arrays, call=call, **several, **heads)


@pytest.mark.parametrize("scores", [False, True])
@pytest.mark.parametrize("axes", [None, 1, (2,), (1, 2), [-2]], ids=str)
def test_axes(check, axes, scores):
    given = {"return_attention_scores": scores}
    check([(2, 3, 4, 8), (2, 3, 4, 8)], given, attention_axes=axes)


def test_axes_with_a_mask(check):
    mask = rng.random((2, 4, 5)) > 0.3
    mask[..., 0] = True
    call = {"attention_mask": mask, "return_attention_scores": True}
    check([(2, 3, 4, 8), (2, 3, 5, 6)], call, attention_axes=2)
    mask = rng.random((2, 3, 4, 3, 5)) > 0.3
    mask[..., 0] = True
    call = {"attention_mask": mask, "return_attention_scores": True}
    check([(2, 3, 4, 8), (2, 3, 5, 6)], call, attention_axes=(1, 2))
    check([(2, 5, 8), (2, 7, 6)], attention_axes=1)


def test_axes_out_of_range():
    x = np.ones((2, 3, 4))
    with pytest.raises(ValueError, match="expected attention_axes between batch and features, got"):
        pydl.layers.MultiHeadAttention(2, 3, attention_axes=2)(x, x)
    x = np.ones((2, 3, 4, 5))
    with pytest.raises(ValueError, match="expected one attention axis with use_causal_mask"):
        pydl.layers.MultiHeadAttention(2, 3)(x, x, use_causal_mask=True)
