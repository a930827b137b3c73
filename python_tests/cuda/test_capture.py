"""Steps as CUDA graphs: what is launched again gives what running again would give."""

from __future__ import annotations

import numpy as np
import pytest

import pydl
from pydl import cuda, ops


def test_a_replay_computes_with_new_values():
    step = cuda.capture(lambda x: ops.tanh(x) * 2 + 1)
    for i in range(6):
        x = np.array([0.1 * i, 1.0 + i], "float32")
        np.testing.assert_allclose(step(pydl.tensor(x)).numpy(), np.tanh(x) * 2 + 1, rtol=1e-6)


def test_other_shapes_are_recorded_anew():
    calls = []

    def double(x):
        calls.append(x.shape)
        return x + x

    step = cuda.capture(double)
    for shape in ((2,), (3,), (2,), (2,), (2,), (3,), (3,), (3,)):
        np.testing.assert_array_equal(step(ops.ones(shape)).numpy(), np.full(shape, 2.0))
    assert calls.count((2,)) == 3 and calls.count((3,)) == 3  # two as usual, one recorded


def test_state_is_changed_at_every_replay():
    total = pydl.Variable(np.zeros(3, "float32"), trainable=False)
    step = cuda.capture(lambda x: total.assign_add(x))
    for i in range(1, 7):
        step(ops.ones(3))
        assert total.tolist() == [i] * 3


def test_memory_of_a_graph_is_its_own():
    step = cuda.capture(lambda x: ops.exp(x) - ops.exp(x * 2))
    x = ops.ones(1000)
    for _ in range(3):
        step(x)
    noise = [ops.full((1000,), 7.0) for _ in range(10)]
    result = step(x).numpy()
    np.testing.assert_allclose(result, np.full(1000, np.exp(1) - np.exp(2)), rtol=1e-5)
    assert all((n.numpy() == 7).all() for n in noise)


def test_the_same_random_numbers_as_without():
    def numbers(step):
        pydl.set_random_seed(5)
        return [step(ops.ones(64)).numpy().copy() for _ in range(6)]

    def step(x):
        return x + pydl.random.uniform((64,))

    np.testing.assert_array_equal(numbers(cuda.capture(step)), numbers(step))


def test_what_cannot_be_captured():
    def reads(x):
        return x * x.item()

    def uploads(x):
        return x + np.ones(1, "float32")

    for function, pattern in ((reads, "no values to be read while"), (uploads, "no data from the host while")):
        step = cuda.capture(function)
        step(pydl.tensor([2.0]))
        step(pydl.tensor([2.0]))
        for _ in range(2):  # it can be tried again
            with pytest.raises(pydl.errors.DeviceError, match=pattern):
                step(pydl.tensor([2.0]))
    assert (pydl.tensor([1.0]) + 1).item() == 2  # and other work goes on


def test_arguments_must_be_on_one_gpu():
    step = cuda.capture(lambda x, y: x)
    with pytest.raises(pydl.errors.DeviceError, match="expected arguments on one GPU"):
        step(pydl.tensor([1.0]), pydl.tensor([1.0], device="cpu"))


def steps_of(captured: bool, make_optimizer) -> list[float]:
    weights = pydl.Variable(np.linspace(-1, 1, 8).astype("float32").reshape(4, 2))
    optimizer = make_optimizer()

    def step(x, y):
        loss = ops.mean(ops.square(ops.matmul(x, weights) - y))
        optimizer.apply([pydl.grad(loss, [weights])[0]], [weights])
        return loss

    run = cuda.capture(step) if captured else step
    generator = np.random.default_rng(0)
    losses = []
    for _ in range(16):
        x, y = generator.normal(size=(16, 4)), generator.normal(size=(16, 2))
        losses.append(run(pydl.tensor(x, "float32"), pydl.tensor(y, "float32")).item())
    assert optimizer.iterations.item() == 16 // (optimizer.gradient_accumulation_steps or 1)
    return losses + weights.numpy().ravel().tolist()


SCHEDULE = pydl.optimizers.schedules.ExponentialDecay(0.1, 2, 0.5)


@pytest.mark.parametrize(
    "make_optimizer",
    [
        lambda: pydl.optimizers.SGD(0.1, momentum=0.9),
        lambda: pydl.optimizers.Adam(SCHEDULE),
        lambda: pydl.optimizers.AdamW(0.05),
        lambda: pydl.optimizers.RMSprop(SCHEDULE),
        lambda: pydl.optimizers.SGD(0.1, global_clipnorm=0.5),
        lambda: pydl.optimizers.SGD(0.1, clipnorm=2.0),
        lambda: pydl.optimizers.Adam(0.1, clipnorm=100.0),
        lambda: pydl.optimizers.SGD(0.1, gradient_accumulation_steps=2),
        lambda: pydl.optimizers.Adam(SCHEDULE, gradient_accumulation_steps=3, global_clipnorm=0.5),
    ],
    ids=[
        "SGD", "Adam", "AdamW", "RMSprop", "global_clipnorm", "clipnorm", "high_clipnorm", "accumulation",
        "accumulation_and_clipnorm",
    ],
)
def test_training_as_without(make_optimizer):
    np.testing.assert_allclose(steps_of(True, make_optimizer), steps_of(False, make_optimizer), rtol=1e-5)


def test_optimizers_that_cannot_be_captured():
    for make in (
        lambda: pydl.optimizers.Lamb(0.1),
    ):
        with pytest.raises(pydl.errors.DeviceError, match=r"\[capture\] expected an optimizer|no values to be read"):
            steps_of(True, make)
