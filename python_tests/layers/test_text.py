"""Layers for text and categories: data of every kind, saving, errors."""

import numpy as np
import pytest

import pydl
from pydl import layers
from pydl.data import Dataset

TEXTS = ["the cat sat", "the dog", "a cat"]


def test_texts_of_every_kind_give_the_same():
    layer = layers.TextVectorization()
    layer.adapt(TEXTS)
    expected = layer(TEXTS).tolist()
    assert layer.get_vocabulary() == ["", "[UNK]", "the", "cat", "sat", "dog", "a"]
    assert expected == [[2, 3, 4], [2, 5, 0], [6, 3, 0]]
    for inputs in (
        np.array(TEXTS), np.array(TEXTS, object), np.array(TEXTS)[:, None], [t.encode() for t in TEXTS],
    ):  # fmt: skip
        assert layer(inputs).tolist() == expected
    assert layer("the dog").tolist() == [2, 5]
    pandas = pytest.importorskip("pandas")
    assert layer(pandas.Series(TEXTS)).tolist() == expected


def test_adapt_to_batches_is_adapt_to_all():
    whole, parts, data = (layers.TextVectorization(output_mode="tf_idf") for _ in range(3))
    whole.adapt(TEXTS)
    parts.adapt(iter([np.array(TEXTS[:2]), np.array(TEXTS[2:])]))
    data.adapt(Dataset.from_arrays(np.array(TEXTS)).batch(2))
    assert whole.get_config()["vocabulary"] == parts.get_config()["vocabulary"]
    np.testing.assert_allclose(parts(TEXTS).numpy(), whole(TEXTS).numpy())
    np.testing.assert_allclose(data(TEXTS).numpy(), whole(TEXTS).numpy())


def test_number_of_threads_changes_nothing():
    rng = np.random.default_rng(0)
    texts = [" ".join(f"w{i}" for i in rng.zipf(1.5, 20) % 500) for _ in range(2000)]
    before = pydl.get_num_threads()
    results = []
    try:
        for threads in (1, 2, 3):
            pydl.set_num_threads(threads)
            layer = layers.TextVectorization(ngrams=2, output_mode="count", max_tokens=300)
            layer.adapt(texts)
            results.append((layer.get_vocabulary(), layer(texts).numpy()))
    finally:
        pydl.set_num_threads(before)
    for vocabulary, outputs in results[1:]:
        assert vocabulary == results[0][0]
        np.testing.assert_array_equal(outputs, results[0][1])


def test_functions_for_standardize_and_split():
    layer = layers.TextVectorization(
        standardize=lambda texts: np.char.replace(texts, "-", " "),
        split=lambda texts: [text.split(",") for text in texts],
        ngrams=2,
    )
    layer.adapt(["a-b,c", "c"])
    assert layer.get_vocabulary(include_special_tokens=False) == ["c", "a b c", "a b"]
    assert layer(["c,a-b"]).tolist() == [[2, 4, 1]]


def test_set_vocabulary_and_files(tmp_path):
    path = tmp_path / "words.txt"
    path.write_text("dog\ncat\n")
    layer = layers.TextVectorization(vocabulary=str(path))
    assert layer(["cat dog bird"]).tolist() == [[3, 2, 1]]
    layer.set_vocabulary(["", "[UNK]", "bird"])
    assert layer(["cat dog bird"]).tolist() == [[1, 1, 2]] and layer.vocabulary_size() == 3
    with pytest.raises(ValueError, match="must not make pydl read"):
        layers.TextVectorization.from_config({"vocabulary": str(path)})


def test_string_lookup_there_and_back():
    there = layers.StringLookup(vocabulary=["a", "b"], mask_token="")
    back = layers.StringLookup(vocabulary=["a", "b"], mask_token="", invert=True)
    x = np.array([["a", ""], ["b", "zz"]])
    np.testing.assert_array_equal(back(there(x)), [["a", ""], ["b", "[UNK]"]])
    numbers = layers.IntegerLookup(vocabulary=[7, 9])
    assert layers.IntegerLookup(vocabulary=[7, 9], invert=True)(numbers([[9, 8]])).tolist() == [[9, -1]]


def test_text_in_a_pipeline():
    layer = layers.TextVectorization(output_sequence_length=4)
    layer.adapt(TEXTS)
    data = Dataset.from_arrays((np.array(TEXTS), [0, 1, 0])).batch(2).map(lambda x, y: (layer(x), y))
    model = pydl.Sequential([layers.Embedding(10, 3), layers.GlobalAveragePooling1D(), layers.Dense(2)])
    model.compile("sgd", "sparse_categorical_crossentropy")
    history = model.fit(data, epochs=2, verbose=0)
    assert np.isfinite(history.history["loss"]).all()


def test_saved_model_keeps_the_vocabulary(tmp_path):
    text = layers.TextVectorization(output_sequence_length=4)
    text.adapt(TEXTS)
    model = pydl.Sequential([text, layers.Embedding(10, 3), layers.Flatten(), layers.Dense(2)])
    expected = model(np.array(TEXTS)).tolist()
    path = tmp_path / "model.pydl"
    model.save(path)
    assert pydl.models.load_model(path)(np.array(TEXTS)).tolist() == expected


@pytest.mark.parametrize(
    "make,message",
    [
        (lambda: layers.TextVectorization(max_tokens=1), "max_tokens of at least 2"),
        (lambda: layers.TextVectorization(pad_to_max_tokens=True), "expected max_tokens with"),
        (lambda: layers.TextVectorization(split="comma"), "expected split"),
        (lambda: layers.TextVectorization(standardize="upper"), "expected standardize"),
        (lambda: layers.TextVectorization(ngrams=0), "expected ngrams"),
        (lambda: layers.TextVectorization(output_mode="sum"), "expected output_mode"),
        (lambda: layers.TextVectorization(output_mode="count", output_sequence_length=3), "with output_mode 'int'"),
        (lambda: layers.TextVectorization(ragged=True), "ragged=False"),
        (lambda: layers.StringLookup(sparse=True), "sparse=False"),
        (lambda: layers.StringLookup(invert=True, output_mode="count"), "with invert=True"),
        (lambda: layers.StringLookup(vocabulary=["a", "a"]), r"got again: \['a'\]"),
        (lambda: layers.StringLookup(vocabulary=[]), "got an empty one"),
        (lambda: layers.StringLookup(max_tokens=2, vocabulary=["a", "b"]), "at most max_tokens=2 tokens.*got 3"),
        (lambda: layers.StringLookup(vocabulary="/nowhere"), "vocabulary file"),
        (lambda: layers.StringLookup(mask_token="", vocabulary=["a", ""]), "mask token '' at the start only"),
        (lambda: layers.StringLookup(output_mode="tf_idf", vocabulary=["a"]), "expected idf_weights"),
        (lambda: layers.StringLookup(num_oov_indices=-1), "num_oov_indices of at least 0"),
        (lambda: layers.IntegerLookup(salt=3), "oov_method 'farmhash' only"),
        (lambda: layers.Hashing(num_bins=0), "num_bins of at least 1"),
        (lambda: layers.Hashing(num_bins=3, salt="x"), "one or two integers"),
        (lambda: layers.Hashing(num_bins=3, dtype="float32"), "expected dtype int32 or int64"),
        (lambda: layers.Hashing(num_bins=3, output_mode="tf_idf"), "expected output_mode"),
        (lambda: layers.HashedCrossing(num_bins=3)(["a"]), "at least two features"),
        (lambda: layers.HashedCrossing(num_bins=3)([["a"], [1, 2]]), "of one shape"),
        (lambda: layers.HashedCrossing(num_bins=3)([["a"], [0.5]]), "got floats"),
        (lambda: layers.CategoryEncoding(), "num_tokens of at least 1, got None"),
        (lambda: layers.CategoryEncoding(3)([[0, 1], [2, 3]]), "from 0 to 2, got 3 in row 1"),
        (lambda: layers.CategoryEncoding(3)([1], count_weights=[1.0]), "with output_mode 'count' only"),
        (lambda: layers.Discretization(), "one of bin_boundaries and num_bins"),
        (lambda: layers.Discretization(num_bins=3)([1.0]), "call adapt"),
        (lambda: layers.Discretization(bin_boundaries=[1.0]).adapt([1.0]), "got bin_boundaries"),
        (lambda: layers.TextVectorization()([["a", "b"]]), r"expected texts of shape .* got \(1, 2\)"),
    ],
)  # fmt: skip
def test_bad_values(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_unknown_tokens_can_be_refused():
    layer = layers.StringLookup(num_oov_indices=0, vocabulary=["a"])
    assert layer(["a", "a"]).tolist() == [0, 0]
    with pytest.raises(ValueError, match=r"\[string_lookup.*got 'q' in element 1"):
        layer(["a", "q"])


def test_other_types_are_named():
    with pytest.raises(TypeError, match="expected strings, got None of type NoneType in element 1"):
        layers.StringLookup(vocabulary=["a"])(["a", None])
    with pytest.raises(TypeError, match="expected integers, got an array of float64"):
        layers.IntegerLookup(vocabulary=[1])([0.5])
    with pytest.raises(RuntimeError, match="expected a vocabulary"):
        layers.StringLookup(output_mode="count")(["a"])
