"""The engine: accumulation, modes, errors, functions written in Python."""

import copy
import gc
import pickle
import threading

import numpy as np
import pytest

import pydl


def leaf(value):
    return pydl.tensor(value, dtype="float64", requires_grad=True)


def test_gradients_accumulate_over_paths_and_calls():
    x = leaf([1.0, 2.0])
    y = x * x + x
    pydl.ops.sum(y).backward()
    np.testing.assert_allclose(x.grad.numpy(), [3.0, 5.0])
    pydl.ops.sum(x * 2.0).backward()
    np.testing.assert_allclose(x.grad.numpy(), [5.0, 7.0])


def test_gradient_argument_and_its_errors():
    x = leaf([1.0, 2.0])
    (x * x).backward(np.array([1.0, 10.0]))
    np.testing.assert_allclose(x.grad.numpy(), [2.0, 40.0])
    with pytest.raises(pydl.errors.ShapeError, match=r"\[backward\] expected an output of one element"):
        (x * x).backward()
    with pytest.raises(pydl.errors.ShapeError, match=r"gradient of the output's shape \(2,\), got \(3,\)"):
        (x * x).backward(np.ones(3))
    with pytest.raises(pydl.errors.AutogradError, match="needs no gradient"):
        pydl.tensor(1.0).backward()


def test_backward_twice_is_an_error_unless_the_graph_is_retained():
    x = leaf(3.0)
    y = x * x
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad.item() == 12
    with pytest.raises(pydl.errors.AutogradError, match=r"\[multiply\].*retain_graph=True"):
        y.backward()


def test_gradients_of_gradients():
    x = leaf(2.0)
    y = x * x * x
    (first,) = pydl.grad(y, [x], create_graph=True)
    (second,) = pydl.grad(first, [x], create_graph=True)
    (third,) = pydl.grad(second, [x])
    assert (first.item(), second.item(), third.item()) == (12.0, 12.0, 6.0)
    assert x.grad is None


def test_grad_of_function():
    def cube(x):
        return x * x * x

    assert pydl.grad(cube)(2.0).item() == 12
    assert pydl.grad(pydl.grad(cube))(2.0).item() == 12
    assert pydl.grad(pydl.grad(pydl.grad(cube)))(2.0).item() == 6
    value, (dx, dy) = pydl.value_and_grad(lambda x, y: x * y, argnums=(0, 1))(2.0, 5.0)
    assert (value.item(), dx.item(), dy.item()) == (10, 5, 2)
    (value, aux), slope = pydl.value_and_grad(lambda x: (x * x, "note"), has_aux=True)(3.0)
    assert (value.item(), aux, slope.item()) == (9, "note", 6)


def test_grad_of_unused_input():
    x, y = leaf(1.0), leaf(2.0)
    with pytest.raises(pydl.errors.AutogradError, match="allow_unused=True"):
        pydl.grad(x * x, [y])
    assert pydl.grad(x * x, [x, y], allow_unused=True)[1] is None


def test_no_grad_and_detach():
    x = leaf(2.0)
    with pydl.no_grad():
        assert not (x * x).requires_grad
        with pydl.enable_grad():
            assert (x * x).requires_grad
    assert (x * x).requires_grad and not (x * x).detach().requires_grad

    @pydl.no_grad()
    def square(t):
        return t * t

    assert not square(x).requires_grad and pydl.is_grad_enabled()


def test_writing_in_place_is_noticed():
    x = leaf([1.0, 2.0])
    weights = pydl.tensor([3.0, 4.0], dtype="float64")
    y = pydl.ops.sum(x * weights)
    pydl._core.assign_(weights, [0.0, 0.0])
    with pytest.raises(pydl.errors.AutogradError, match=r"\[multiply\].*changed in place"):
        y.backward()
    with pytest.raises(pydl.errors.AutogradError, match="outside the graph"):
        pydl._core.assign_(x, [0.0, 0.0])


def test_requires_grad_rules():
    with pytest.raises(pydl.errors.DTypeError, match="floating dtype, got int32"):
        pydl.tensor([1], requires_grad=True)
    y = leaf(1.0) * 2.0
    with pytest.raises(pydl.errors.AutogradError, match="leaf"):
        y.requires_grad = True
    assert leaf(1.0).is_leaf and not y.is_leaf


@pytest.mark.cpu
def test_long_chain_neither_overflows_nor_leaks():
    gc.collect()
    before = pydl.memory_stats()["allocated_bytes"]
    x = leaf(1.0)
    y = x
    for _ in range(100_000):
        y = y + 1.0
    y.backward()
    assert x.grad.item() == 1
    y = x
    for _ in range(100_000):
        y = y * 1.0
    del y, x  # never differentiated
    gc.collect()
    assert pydl.memory_stats()["allocated_bytes"] == before


def test_training_loop_keeps_memory_flat():
    rng = np.random.default_rng(0)
    x = pydl.tensor(rng.normal(size=(8, 4)).astype("float32"))
    w = pydl.tensor(rng.normal(size=(4, 3)).astype("float32"), requires_grad=True)

    def step():
        out = pydl.ops.softmax(x @ w)
        pydl.ops.sum(out * out).backward()
        pydl._core.assign_(w.detach(), w.detach() - w.grad * 0.01)
        w.grad = None

    for _ in range(10):
        step()
    before = pydl.memory_stats()
    for _ in range(10_000):
        step()
    after = pydl.memory_stats()
    assert after["allocated_bytes"] == before["allocated_bytes"]
    assert after["system_allocation_count"] == before["system_allocation_count"]


class Cube(pydl.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save(x)
        return x * x * x

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved
        return grad * 3.0 * x * x


def test_function_in_python():
    x = leaf(2.0)
    y = Cube.apply(x)
    (first,) = pydl.grad(y, [x], create_graph=True)
    (second,) = pydl.grad(first, [x])
    assert (first.item(), second.item()) == (12, 12)
    with pytest.raises(pydl.errors.AutogradError, match="retain_graph"):
        y.backward()
        y.backward()


def test_function_with_bad_backward():
    class Bad(Cube):
        @staticmethod
        def backward(ctx, grad):
            return grad, grad

    with pytest.raises(pydl.errors.AutogradError, match="expected backward to return 1 gradients.*got 2"):
        Bad.apply(leaf(1.0)).backward()

    class WrongShape(Cube):
        @staticmethod
        def backward(ctx, grad):
            return pydl.tensor(np.ones(3))

    with pytest.raises(pydl.errors.ShapeError, match=r"gradient to have shape \(\), got \(3,\)"):
        WrongShape.apply(leaf(1.0)).backward()
    x = leaf(1.0)
    with pytest.raises(pydl.errors.ShapeError, match=r"gradient to have shape \(\), got \(3,\)"):
        pydl.grad(WrongShape.apply(x), x)

    class Raises(Cube):
        @staticmethod
        def backward(ctx, grad):
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        Raises.apply(leaf(1.0)).backward()


def test_copies_and_pickles():
    x = leaf([1.0, 2.0])
    twin = copy.deepcopy(x)
    assert twin.requires_grad and twin.is_leaf
    pydl._core.assign_(twin.detach(), [0.0, 0.0])
    assert x.tolist() == [1.0, 2.0]
    back = pickle.loads(pickle.dumps(x))
    assert back.tolist() == [1.0, 2.0] and back.dtype == "float64" and back.requires_grad
    half = pydl.tensor([1.5], dtype="bfloat16")
    assert pickle.loads(pickle.dumps(half)).dtype == "bfloat16"


def test_gradients_through_an_inner_gradient():
    """d/da of a * d/db (a b^2) at a = 2, b = 3: the inner gradient sees a from outside."""
    slope = pydl.grad(lambda a: a * pydl.grad(lambda b: a * b * b)(3.0))
    assert slope(2.0).item() == 4 * 2.0 * 3.0
    value, third = pydl.value_and_grad(pydl.grad(pydl.grad(lambda x: x * x * x * x)))(2.0)
    assert (value.item(), third.item()) == (12 * 4.0, 24 * 2.0)


def test_one_grad_mode_object_can_be_entered_twice():
    off = pydl.no_grad()
    with off:
        with off:
            pass
        assert not pydl.is_grad_enabled()
    assert pydl.is_grad_enabled()


def test_threads_may_add_to_one_gradient():
    w = leaf(np.ones(8))

    def work():
        for _ in range(300):
            pydl.ops.sum(w * 2.0).backward()

    threads = [threading.Thread(target=work) for _ in range(4)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    np.testing.assert_array_equal(w.grad.numpy(), np.full(8, 2 * 4 * 300))
