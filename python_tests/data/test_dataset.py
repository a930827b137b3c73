"""Dataset: every method against what plain Python makes of the same elements."""

import itertools
import os
import threading
import time

import numpy as np
import pytest

import pydl
from pydl.data import AUTOTUNE, Dataset
from pydl.errors import ShapeError


def values(dataset):
    return [np.asarray(x).tolist() for x in dataset]


def lines(*lists):
    return Dataset.from_generator(lambda: iter(lists))


def test_rows_of_arrays_of_every_kind():
    pandas = pytest.importorskip("pandas")
    x = np.arange(6.0).reshape(3, 2)
    data = Dataset.from_arrays({"x": x, "t": pydl.tensor([1, 2, 3]), "s": pandas.Series([7, 8, 9])})
    rows = list(data)
    assert [row["t"].item() for row in rows] == [1, 2, 3]
    np.testing.assert_array_equal(rows[1]["x"], x[1])
    (batch,) = data.batch(3)
    np.testing.assert_array_equal(batch["s"], [7, 8, 9])


def test_unequal_lengths_are_refused():
    with pytest.raises(ValueError, match=r"one length.*got lengths \[3, 2\]"):
        Dataset.from_arrays(([1, 2, 3], [1, 2]))
    with pytest.raises(ValueError, match="single number"):
        Dataset.from_arrays((np.zeros(3), 5))


@pytest.mark.parametrize("drop", [False, True])
@pytest.mark.parametrize("size", [1, 3, 7, 9])
def test_batch(size, drop):
    data = Dataset.range(7)
    expected = [list(range(7))[i : i + size] for i in range(0, 7, size)]
    expected = [rows for rows in expected if len(rows) == size or not drop]
    for each in (data.batch(size, drop), data.map(lambda x: x).batch(size, drop)):
        assert values(each) == expected
        assert len(each) == len(expected)


def test_batch_names_the_row_that_does_not_fit():
    with pytest.raises(ShapeError, match=r"shape \(2,\), got \(3,\) in row 1"):
        list(lines([1, 2], [1, 2, 3]).batch(2))
    mixed = Dataset.from_generator(lambda: iter([{"a": 1}, {"b": 1}]))
    with pytest.raises(ValueError, match="one form.*row 1"):
        list(mixed.batch(2))


def test_padded_batch():
    assert values(lines([1], [2, 3], [4, 5, 6]).padded_batch(2)) == [[[1, 0], [2, 3]], [[4, 5, 6]]]
    assert values(lines([1], [2]).padded_batch(2, (3,), -1)) == [[[1, -1, -1], [2, -1, -1]]]
    pairs = Dataset.from_generator(lambda: iter([([1], 5), ([2, 3], 6)]))
    ((x, y),) = pairs.padded_batch(2, padded_shapes=((None,), ()))
    assert x.tolist() == [[1, 0], [2, 3]] and y.tolist() == [5, 6]
    with pytest.raises(ShapeError, match=r"at most \(1,\), got \(2,\) in row 1"):
        list(lines([1], [2, 3]).padded_batch(2, (1,)))


def test_map_passes_tuples_as_arguments():
    data = Dataset.from_arrays(([1, 2], [3, 4])).map(lambda x, y: x + y)
    assert values(data) == [4, 6]


@pytest.mark.parametrize("workers", [None, 1, 3, AUTOTUNE])
@pytest.mark.parametrize("processes", [False, True])
def test_map_keeps_the_order(workers, processes):
    data = Dataset.range(20).map(lambda x: x * x, workers, use_processes=processes)
    assert values(data) == [x * x for x in range(20)]


def test_map_in_processes_runs_elsewhere():
    data = Dataset.range(4).map(lambda x: os.getpid(), 2, use_processes=True)
    assert os.getpid() not in values(data)


def test_map_in_threads_overlaps():
    data = Dataset.range(8).map(lambda x: time.sleep(0.05), num_parallel_calls=8)
    start = time.perf_counter()
    list(data)
    assert time.perf_counter() - start < 0.35  # one after the other they take 0.4 s


@pytest.mark.parametrize("processes", [False, True])
@pytest.mark.parametrize("workers", [None, 2])
def test_errors_name_the_element(workers, processes):
    data = Dataset.from_arrays([1, 2, 0, 4]).map(lambda x: 1 // int(x), workers, None, processes)
    with pytest.raises(RuntimeError, match=r"\[Dataset.map\] element 2: ZeroDivisionError"):
        list(data)
    data = Dataset.range(3).map(lambda x: np.zeros(2)[[3]], workers, None, processes)
    with pytest.raises(IndexError, match=r"\[Dataset.map\] element 0"):
        list(data)


def test_filter_enumerate_flat_map_concatenate_shard():
    data = Dataset.range(10)
    assert values(data.filter(lambda x: x > 7)) == [8, 9]
    assert [(i, int(x)) for i, x in data.skip(8).enumerate(5)] == [(5, 8), (6, 9)]
    assert values(Dataset.range(4).flat_map(Dataset.range)) == [0, 0, 1, 0, 1, 2]
    assert values(Dataset.range(2).concatenate(Dataset.range(1))) == [0, 1, 0]
    assert values(data.shard(3, 1)) == [1, 4, 7] and len(data.shard(3, 1)) == 3
    assert values(data.batch(4).unbatch()) == list(range(10))


def test_take_skip_and_lengths():
    data = Dataset.range(5)
    assert values(data.take(2)) == [0, 1] and len(data.take(2)) == 2
    assert values(data.take(-1)) == [0, 1, 2, 3, 4] and len(data.take(-1)) == 5
    assert values(data.skip(3)) == [3, 4] and len(data.skip(9)) == 0
    assert data.repeat().cardinality() == -1 and data.filter(bool).cardinality() == -2
    assert len(data.repeat(3)) == 15 and len(data.repeat().take(7).batch(2)) == 4
    with pytest.raises(TypeError, match="is endless"):
        len(data.repeat())
    with pytest.raises(TypeError, match="does not know its length"):
        len(data.filter(bool))


def test_shuffle_is_a_permutation_that_a_seed_fixes():
    data = Dataset.range(50).shuffle(50, seed=3)
    first, second = values(data), values(data)
    assert sorted(first) == sorted(second) == list(range(50))
    assert first != second and first != list(range(50))
    again = Dataset.range(50).shuffle(50, seed=3)
    assert [values(again), values(again)] == [first, second]
    fixed = Dataset.range(50).shuffle(50, seed=3, reshuffle_each_iteration=False)
    assert values(fixed) == values(fixed)


def test_shuffle_follows_the_global_seed():
    pydl.set_random_seed(9)
    first = values(Dataset.range(20).shuffle(20))
    pydl.set_random_seed(9)
    assert values(Dataset.range(20).shuffle(20)) == first


def test_shuffle_with_a_small_buffer_stays_near():
    order = values(Dataset.range(10000).shuffle(10, seed=1))
    assert sorted(order) == list(range(10000)) and order != sorted(order)
    assert all(value <= place + 9 for place, value in enumerate(order))


def test_shuffle_is_even():
    data = Dataset.range(4).shuffle(4, seed=5)
    firsts = [int(next(iter(data))) for _ in range(2000)]
    counts = np.bincount(firsts, minlength=4)
    assert counts.min() > 420 and counts.max() < 580  # 500 each; 4 standard deviations are 77


def test_repeat_reshuffles_and_ends_when_empty():
    data = values(Dataset.range(30).shuffle(30, seed=2).repeat(2))
    assert sorted(data[:30]) == sorted(data[30:]) == list(range(30)) and data[:30] != data[30:]
    assert values(Dataset.range(0).repeat()) == []


def test_zip_and_interleave():
    pairs = Dataset.zip(Dataset.range(3), Dataset.range(10, 12))
    assert [(int(a), int(b)) for a, b in pairs] == [(0, 10), (1, 11)] and len(pairs) == 2
    data = Dataset.range(1, 6).interleave(
        lambda x: Dataset.from_arrays(np.repeat(x, 6)), cycle_length=2, block_length=4
    )  # the example of tf.data's documentation
    expected = [1] * 4 + [2] * 4 + [1] * 2 + [2] * 2 + [3] * 4 + [4] * 4 + [3] * 2 + [4] * 2
    assert values(data) == expected + [5] * 6


@pytest.mark.parametrize("size,shift,stride", [(3, None, 1), (2, 1, 2), (2, 5, 1), (4, 3, 1)])
@pytest.mark.parametrize("drop", [False, True])
def test_window(size, shift, stride, drop):
    numbers = list(range(11))
    starts = range(0, 11, shift or size)
    expected = [numbers[s::stride][:size] for s in starts]
    expected = [w for w in expected if w and (len(w) == size or not drop)]
    windows = Dataset.range(11).window(size, shift, stride, drop)
    assert [values(w) for w in windows] == expected


def test_window_of_pairs():
    data = Dataset.from_arrays(([1, 2, 3], [4, 5, 6])).window(2, shift=1, drop_remainder=True)
    assert [(values(x), values(y)) for x, y in data] == [([1, 2], [4, 5]), ([2, 3], [5, 6])]


def test_cache_keeps_only_whole_iterations():
    calls = []
    data = Dataset.range(3).map(lambda x: calls.append(x) or x).cache()
    assert int(next(iter(data))) == 0
    assert values(data) == values(data) == [0, 1, 2]
    assert len(calls) == 4  # one before the first whole iteration, three in it


def test_prefetch_works_ahead_and_passes_errors_on():
    assert values(Dataset.range(5).prefetch(2)) == [0, 1, 2, 3, 4]

    def broken():
        yield 1
        raise ValueError("no more")

    with pytest.raises(ValueError, match="no more"):
        list(Dataset.from_generator(broken).prefetch(1))


def test_prefetch_of_endless_data_stops_its_thread():
    before = threading.active_count()
    iterator = iter(Dataset.range(3).repeat().prefetch(4))
    assert [int(next(iterator)) for _ in range(4)] == [0, 1, 2, 0]
    iterator.close()
    assert threading.active_count() == before


def test_from_generator_starts_anew():
    data = Dataset.from_generator(lambda n: iter(range(n)), args=(3,))
    assert values(data) == values(data) == [0, 1, 2]
    with pytest.raises(TypeError, match="pass the function"):
        Dataset.from_generator(iter([1]))
    with pytest.raises(TypeError, match="returned int"):
        list(Dataset.from_generator(lambda: 3))


@pytest.mark.parametrize(
    "call",
    [
        lambda d: d.batch(0), lambda d: d.shuffle(0), lambda d: d.window(0), lambda d: d.prefetch(0),
        lambda d: d.interleave(Dataset.range, 0), lambda d: d.map(abs, 0), lambda d: d.shard(0, 0),
    ],
)  # fmt: skip
def test_sizes_below_one_are_refused(call):
    with pytest.raises(ValueError, match="at least 1"):
        call(Dataset.range(3))


def regression():
    x = np.random.default_rng(0).standard_normal((64, 3)).astype("float32")
    return x, (x @ [[1.0], [-2.0], [0.5]]).astype("float32")


def model():
    pydl.set_random_seed(1)
    model = pydl.Sequential([pydl.Input((3,)), pydl.layers.Dense(1)])
    model.compile("sgd", "mse")
    return model


def test_fit_evaluate_and_predict_take_batches():
    x, y = regression()
    of_arrays, of_data = model(), model()
    data = Dataset.from_arrays((x, y)).batch(16).prefetch(2)
    expected = of_arrays.fit(x, y, batch_size=16, epochs=3, shuffle=False, verbose=0)
    history = of_data.fit(data, epochs=3, verbose=0, validation_data=data)
    np.testing.assert_allclose(history.history["loss"], expected.history["loss"], rtol=1e-6)
    assert len(history.history["val_loss"]) == 3
    np.testing.assert_allclose(
        of_data.evaluate(data, verbose=0), of_arrays.evaluate(x, y, verbose=0), rtol=1e-6
    )
    np.testing.assert_allclose(
        of_data.predict(data, verbose=0), of_arrays.predict(x, verbose=0), rtol=1e-6
    )


def test_fit_with_endless_data_and_steps():
    data = Dataset.from_arrays(regression()).shuffle(64, seed=1).repeat().batch(16)
    history = model().fit(data, epochs=2, steps_per_epoch=3, verbose=0)
    assert len(history.history["loss"]) == 2


def test_batches_share_memory_with_the_arrays():
    x = np.arange(8.0)
    first = next(iter(Dataset.from_arrays(x).batch(4)))
    assert np.shares_memory(first, x)


def test_interleaved_iterations_do_not_disturb_each_other():
    data = Dataset.range(4).map(lambda x: x + 1)
    pairs = [(int(a), int(b)) for a, b in itertools.product(data, data)]
    assert pairs == list(itertools.product(range(1, 5), repeat=2))
