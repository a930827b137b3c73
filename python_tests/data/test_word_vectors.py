"""Word vectors: files of every form, and vectors trained on texts with a known structure."""

import numpy as np
import pytest

import pydl
from pydl.data import Word2Vec, WordVectors, read_word_vectors

WORDS = ["the", "größe", "a b", "3.5"]
VECTORS = np.random.default_rng(0).normal(size=(4, 5)).astype("float32")


def lines():
    return [f"{w} {' '.join(map(str, v))}\n" for w, v in zip(WORDS, VECTORS.tolist())]


@pytest.mark.parametrize("header", ["", "4 5\n"])
def test_text_files(tmp_path, header):
    path = tmp_path / "vectors.txt"
    path.write_text(header + "".join(lines()), encoding="utf-8")
    read = read_word_vectors(path)
    assert read.words == WORDS and "the" in read and "cow" not in read
    np.testing.assert_array_equal(read.vectors, VECTORS)
    assert len(read_word_vectors(path, limit=2)) == 2


def test_binary_files(tmp_path):
    path = tmp_path / "vectors.bin"
    names = [word.replace(" ", "_") for word in WORDS]
    parts = [n.encode() + b" " + v.tobytes() + b"\n" for n, v in zip(names, VECTORS)]
    path.write_bytes(b"4 5\n" + b"".join(parts))
    read = read_word_vectors(path, binary=True)
    assert read.words == names
    np.testing.assert_array_equal(read.vectors, VECTORS)
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(ValueError, match="expected 4 words, got 3 .*cut short"):
        read_word_vectors(path, binary=True)
    path.write_bytes(b"the 1 2 3\n")
    with pytest.raises(ValueError, match="number of words and their size"):
        read_word_vectors(path, binary=True)


def test_damaged_lines_are_named(tmp_path):
    path = tmp_path / "v.txt"
    path.write_text("cat 1 2\ndog 1\n")
    with pytest.raises(ValueError, match="a word and 2 numbers, got 'dog 1.*line 2 of .*v.txt"):
        read_word_vectors(path)
    path.write_text("cat 1 2\ndog 1 x\n")
    with pytest.raises(ValueError, match="line 2"):
        read_word_vectors(path)
    path.write_text("")
    with pytest.raises(ValueError, match="expected words, got none"):
        read_word_vectors(path)


def test_saving_and_embedding(tmp_path):
    vectors = WordVectors(["cat", "dog", "car"], [[1.0, 0.1], [1.0, 0.25], [0.0, 1.0]])
    vectors.save(tmp_path / "v.vec")
    np.testing.assert_array_equal(read_word_vectors(tmp_path / "v.vec").vectors, vectors.vectors)
    (word, cosine), _ = vectors.most_similar("cat", 2)
    expected = vectors["cat"] @ vectors["dog"]
    expected /= np.linalg.norm(vectors["cat"]) * np.linalg.norm(vectors["dog"])
    assert word == "dog" and abs(cosine - expected) < 1e-6
    text = pydl.layers.TextVectorization(vocabulary=["dog", "cow"])
    matrix = vectors.embedding_matrix(text.get_vocabulary())
    np.testing.assert_array_equal(matrix, [[0, 0], [0, 0], [1, 0.25], [0, 0]])
    assert (vectors.embedding_matrix(["cow"], seed=1) != 0).all()
    with pytest.raises(KeyError, match="cow"):
        vectors["cow"]
    with pytest.raises(ValueError, match="every word once"):
        WordVectors(["a", "a"], np.ones((2, 2)))
    with pytest.raises(ValueError, match=r"each of 1 words, got shape \(2, 2\)"):
        WordVectors(["a"], np.ones((2, 2)))


def texts_of_topics(count=3000):
    """Sentences of words of one topic each: words of a topic are neighbours, others never."""
    rng = np.random.default_rng(0)
    return [
        " ".join(f"t{topic}w{i}" for i in rng.integers(0, 6, 8)) for topic in rng.integers(0, 5, count)
    ]


@pytest.mark.parametrize("architecture", ["skip_gram", "cbow"])
@pytest.mark.parametrize("threads", [1, 2])
def test_words_of_a_topic_become_alike(architecture, threads):
    before = pydl.get_num_threads()
    try:
        pydl.set_num_threads(threads)
        vectors = Word2Vec(24, 3, 1, architecture, sample=0, epochs=10, seed=3).fit(texts_of_topics())
    finally:
        pydl.set_num_threads(before)
    assert len(vectors) == 30
    hits = [
        other[:2] == word[:2] for word in vectors.words for other, _ in vectors.most_similar(word, 5)
    ]
    assert np.mean(hits) > 0.95


def test_one_thread_and_one_seed_give_the_same_vectors():
    before = pydl.get_num_threads()
    try:
        pydl.set_num_threads(1)
        runs = [Word2Vec(8, min_count=1, seed=s).fit(texts_of_topics(50)).vectors for s in (1, 1, 2)]
    finally:
        pydl.set_num_threads(before)
    np.testing.assert_array_equal(runs[0], runs[1])
    assert not np.array_equal(runs[0], runs[2])


def test_rare_words_and_empty_sentences():
    vectors = Word2Vec(4, min_count=3, seed=1).fit([["a", "b", "a"], [], ["a", "c"], "", ["b", "b"]])
    assert vectors.words == ["b", "a"]  # of equals, the one that sorts last
    assert np.isfinite(vectors.vectors).all()
    with pytest.raises(ValueError, match="at least min_count=9 times, got none"):
        Word2Vec(min_count=9).fit(["a b"])


@pytest.mark.parametrize(
    "arguments", [{"vector_size": 0}, {"architecture": "glove"}, {"negative": 0}, {"sample": -1}]
)
def test_bad_arguments(arguments):
    with pytest.raises(ValueError, match="expected"):
        Word2Vec(**arguments)
