"""Optimizers: learning rates, clipping, state, errors. Steps against Keras are in conformance."""

import numpy as np
import pytest

import pydl
from pydl import optimizers
from pydl.variable import Variable

ALL = [
    lambda: optimizers.SGD(0.1, momentum=0.9, nesterov=True),
    lambda: optimizers.RMSprop(0.01, momentum=0.5, centered=True),
    lambda: optimizers.Adam(0.01, amsgrad=True),
    lambda: optimizers.AdamW(0.01),
    lambda: optimizers.Adagrad(0.1),
    lambda: optimizers.Adadelta(1.0, epsilon=1e-3),
    lambda: optimizers.Adafactor(0.01),
    lambda: optimizers.Adamax(0.01),
    lambda: optimizers.Nadam(0.01),
    lambda: optimizers.Lion(0.01),
    lambda: optimizers.Ftrl(0.1, l1_regularization_strength=0.01),
    lambda: optimizers.Lamb(0.01),
    lambda: optimizers.Muon(0.1),
    lambda: optimizers.ScheduleFreeAdamW(0.01, warmup_steps=4),
    lambda: optimizers.SGD(0.1, momentum=0.9, gradient_accumulation_steps=2, use_ema=True),
    lambda: optimizers.LossScaleOptimizer(optimizers.Adam(0.01), initial_scale=4.0),
    lambda: optimizers.MultiOptimizer(
        optimizers.OptimizerMap(
            optimizers.Adam(0.05), {"kernel": optimizers.SGD(0.1, gradient_accumulation_steps=2)}
        )
    ),
    lambda: optimizers.Adam(optimizers.schedules.CosineDecayRestarts(0.1, 20)),
]


def variables():
    return [Variable(np.ones((2, 3), "float32"), name="kernel"), Variable(np.ones(3, "float32"))]


def gradients(seed):
    rng = np.random.default_rng(seed)
    return [pydl.tensor(rng.normal(size=s).astype("float32")) for s in ((2, 3), (3,))]


def test_learning_rates():
    optimizer = optimizers.SGD(0.5)
    assert float(optimizer.learning_rate) == 0.5
    optimizer.learning_rate = 0.25
    assert float(optimizer.learning_rate) == 0.25
    optimizer.learning_rate.assign(0.125)
    assert float(optimizer.learning_rate) == 0.125
    with pytest.raises(ValueError, match=r"finite learning rate, got nan"):
        optimizer.learning_rate = float("nan")


def test_functions_as_learning_rates():
    by_step = optimizers.SGD(lambda step: 1.0 / (1 + step))
    constant = optimizers.SGD(lambda: 0.5)
    v = Variable([0.0])
    for expected in (1.0, 0.5, 1 / 3):
        assert float(by_step.learning_rate) == pytest.approx(expected)
        by_step.apply([pydl.tensor([1.0])], [v])
    assert v.item() == pytest.approx(-(1 + 1 / 2 + 1 / 3))
    assert constant.learning_rate == 0.5


@pytest.mark.parametrize("make", ALL)
def test_saved_state_goes_on_bit_for_bit(make):
    whole, v_whole = make(), variables()
    first, v_first = make(), variables()
    for step in range(3):
        whole.apply(gradients(step), v_whole)
        first.apply(gradients(step), v_first)
    store = {}
    first.save_own_variables(store)
    second = optimizers.deserialize(optimizers.serialize(first))
    v_second = [Variable(v.numpy().copy(), name=v.name) for v in v_first]
    second.build(v_second)
    second.load_own_variables(store)
    for step in range(3, 6):
        whole.apply(gradients(step), v_whole)
        second.apply(gradients(step), v_second)
    for a, b in zip([*v_whole, *whole.variables], [*v_second, *second.variables]):
        assert a.numpy().tobytes() == b.numpy().tobytes()


def test_state_of_another_model_is_refused():
    optimizer = optimizers.Adam()
    optimizer.build(variables())
    with pytest.raises(ValueError, match=r"\[Adam\] expected 6 arrays of state, got 1"):
        optimizer.load_own_variables({"0": np.zeros(())})


@pytest.mark.parametrize("make", ALL)
def test_serialization(make):
    optimizer = make()
    again = optimizers.deserialize(optimizers.serialize(optimizer))
    assert type(again) is type(optimizer) and again.get_config() == optimizer.get_config()


def test_serialization_of_schedules():
    schedule = optimizers.schedules.CosineDecay(0.1, 100, warmup_target=0.5, warmup_steps=3)
    again = optimizers.deserialize(optimizers.serialize(optimizers.SGD(schedule)))
    assert again.learning_rate == schedule(0)
    assert (
        optimizers.schedules.deserialize(optimizers.schedules.serialize(schedule)).get_config()
        == schedule.get_config()
    )


def test_variables_without_gradients_stay():
    v = variables()
    optimizers.SGD(0.1).apply([None, gradients(0)[1]], v)
    np.testing.assert_array_equal(v[0].numpy(), 1)
    assert (v[1].numpy() != 1).all()


def test_some_of_the_variables():
    optimizer, v = optimizers.Adam(0.1), variables()
    optimizer.build(v)
    optimizer.apply([gradients(0)[1]], [v[1]])
    np.testing.assert_array_equal(v[0].numpy(), 1)
    optimizer.apply(gradients(1))
    assert (v[0].numpy() != 1).all() and int(optimizer.iterations) == 2


def test_the_order_of_variables_does_not_matter():
    forward, backward = optimizers.Adam(0.1), optimizers.Adam(0.1)
    v, w = variables(), variables()
    backward.build(w)
    for step in range(3):
        g = gradients(step)
        forward.apply(g, v)
        backward.apply(g[::-1], w[::-1])
    for a, b in zip(v, w):
        np.testing.assert_array_equal(a.numpy(), b.numpy())


def test_apply_gradients():
    v = variables()
    optimizers.SGD(1.0).apply_gradients(zip(gradients(0), v))
    np.testing.assert_allclose(v[0].numpy(), 1 - gradients(0)[0].numpy(), rtol=1e-6)


def test_accumulated_gradients_make_the_step_of_their_mean():
    whole, parts = optimizers.Adam(0.1), optimizers.Adam(0.1, gradient_accumulation_steps=2)
    v, w = variables(), variables()
    for step in range(3):
        a, b = gradients(2 * step), gradients(2 * step + 1)
        whole.apply([(x + y) / 2 for x, y in zip(a, b)], v)
        before = w[0].numpy().copy()
        parts.apply(a, w)
        np.testing.assert_array_equal(w[0].numpy(), before)
        parts.apply(b, w)
        assert int(whole.iterations) == int(parts.iterations) == step + 1
    for a, b in zip(v, w):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-6)


def test_an_overflow_halves_the_scale_and_changes_nothing_else():
    inner = optimizers.Adam(0.1)
    optimizer, v = optimizers.LossScaleOptimizer(inner, 8.0, dynamic_growth_steps=2), variables()
    optimizer.apply(gradients(0), v)
    before = [x.numpy().copy() for x in (*v, *inner.variables)]
    bad = gradients(1)
    bad[1] = bad[1] * float("inf")
    optimizer.apply(bad, v)
    for old, new in zip(before, (*v, *inner.variables)):
        np.testing.assert_array_equal(old, new.numpy())
    assert optimizer.scale_loss(1.0) == 4.0
    optimizer.apply(gradients(2), v)
    optimizer.apply(gradients(3), v)
    assert optimizer.scale_loss(1.0) == 8.0
    optimizer.learning_rate = 0.5
    assert float(inner.learning_rate) == 0.5 and int(optimizer.iterations) == 3


def test_large_finite_gradients_do_not_count_as_overflow():
    v = [Variable(np.ones(3, "float32"))]
    optimizer = optimizers.LossScaleOptimizer(optimizers.Lion(0.5), 1.0)
    optimizer.apply([pydl.tensor(np.full(3, 1e30, "float32"))], v)
    np.testing.assert_array_equal(v[0].numpy(), 0.5)


@pytest.mark.parametrize("make", ALL)
def test_every_optimizer_finds_the_minimum_of_a_bowl(make):
    optimizer, goal = make(), pydl.tensor([[0.3, -0.2], [0.1, 0.4]])
    v = Variable(np.ones((2, 2), "float32"))
    start = float(pydl.ops.sum(pydl.ops.square(v - goal)))
    for _ in range(60):
        scale = optimizer.scale_loss(1.0)
        optimizer.apply([2 * (v.detach() - goal) * scale], [v])
    assert float(pydl.ops.sum(pydl.ops.square(v - goal))) < 0.7 * start


def test_several_optimizers_in_fit():
    chosen = optimizers.OptimizerMap(
        optimizers.SGD(1e-9, name="rest"), {".*head.*": optimizers.SGD(0.1, name="head")}
    )
    model = pydl.Sequential(
        [pydl.Input((3,)), pydl.layers.Dense(4), pydl.layers.Dense(1, name="head")]
    )
    model.compile(optimizers.MultiOptimizer(chosen), "mse")
    before = model.get_weights()
    plateau = pydl.callbacks.ReduceLROnPlateau("loss", factor=0.5, patience=1, min_delta=1e9)
    history = model.fit(np.ones((8, 3)), np.ones((8, 1)), epochs=3, verbose=0, callbacks=plateau)
    after = model.get_weights()
    np.testing.assert_allclose(after[0], before[0], atol=1e-6)
    assert np.abs(after[2] - before[2]).max() > 1e-3
    assert history.history["learning_rate_head"] == pytest.approx([0.1, 0.1, 0.05])
    with pytest.raises(AttributeError, match=r"learning_rate of one of its optimizers"):
        model.optimizer.learning_rate
    with pytest.raises(ValueError, match=r"expected one expression for 'head'"):
        optimizers.OptimizerMap(
            optimizers.SGD(), {"h.*": optimizers.SGD(), ".*d": optimizers.SGD()}
        )["head"]
    with pytest.raises(ValueError, match=r"expected a plain Optimizer"):
        chosen["x"] = optimizers.MultiOptimizer(chosen)


def test_errors():
    v = variables()
    optimizer = optimizers.SGD()
    optimizer.build(v)
    with pytest.raises(ValueError, match=r"\[sgd\] expected a gradient for at least one variable"):
        optimizer.apply([None, None], v)
    with pytest.raises(ValueError, match=r"a gradient for each of 2 variables, got 1"):
        optimizer.apply(gradients(0)[:1], v)
    with pytest.raises(ValueError, match=r"expected variables that the optimizer was built with"):
        optimizer.apply(gradients(0), variables())
    with pytest.raises(ValueError, match=r"at most one of clipnorm, clipvalue, global_clipnorm"):
        optimizers.SGD(clipnorm=1.0, clipvalue=1.0)
    with pytest.raises(ValueError, match=r"expected clipnorm above 0, got -1"):
        optimizers.SGD(clipnorm=-1.0)
    with pytest.raises(ValueError, match=r"expected momentum in \[0, 1\], got 2"):
        optimizers.SGD(momentum=2)
    with pytest.raises(ValueError, match=r"gradient_accumulation_steps of at least 2, got 1"):
        optimizers.SGD(gradient_accumulation_steps=1)
    with pytest.raises(ValueError, match=r"ema_momentum in \[0, 1\], got 2"):
        optimizers.SGD(use_ema=True, ema_momentum=2)
    with pytest.raises(ValueError, match=r"ema_overwrite_frequency of at least 1 or None, got 0"):
        optimizers.SGD(use_ema=True, ema_overwrite_frequency=0)
    with pytest.raises(ValueError, match=r"beta_1 in \(0, 1\], got 0"):
        optimizers.Lion(beta_1=0)
    with pytest.raises(ValueError, match=r"expected beta of at least 0|at least 0, got -1"):
        optimizers.Ftrl(l1_regularization_strength=-1)
    with pytest.raises(ValueError, match=r"learning_rate_power of at most 0, got 1"):
        optimizers.Ftrl(learning_rate_power=1)
    with pytest.raises(TypeError, match=r"momentum"):
        optimizers.Adam(momentum=0.9)
    with pytest.raises(ValueError, match=r"before the optimizer is built"):
        optimizer.exclude_from_weight_decay(var_names=["bias"])
    with pytest.raises(ValueError, match=r"\[optimizers\].*'nothing'"):
        optimizers.get("nothing")


def test_an_optimizer_of_ones_own():
    class SignDescent(optimizers.Optimizer):
        def update_step(self, gradient, variable, learning_rate):
            variable.assign_sub(learning_rate * pydl.ops.sign(gradient))

    v = [Variable([1.0, 2.0])]
    SignDescent(0.5, weight_decay=0.1).apply([pydl.tensor([3.0, -4.0])], v)
    np.testing.assert_allclose(v[0].numpy(), [0.95 - 0.5, 1.9 + 0.5], rtol=1e-6)


def test_constraints_hold_after_the_step():
    v = Variable([1.0, -1.0])
    v.constraint = lambda w: pydl.ops.maximum(w, 0.0)
    optimizers.SGD(0.1).apply([pydl.tensor([0.0, 0.0])], [v])
    assert v.tolist() == [1.0, 0.0]


def test_clipping_leaves_gradients_as_they_are():
    g = pydl.tensor([3.0, 4.0])
    v = Variable([0.0, 0.0])
    optimizers.SGD(1.0, global_clipnorm=1.0).apply([g], [v])
    assert g.tolist() == [3.0, 4.0]
    np.testing.assert_allclose(v.numpy(), [-0.6, -0.8], rtol=1e-6)


@pytest.mark.parametrize("schedule, message", [
    (lambda: optimizers.schedules.ExponentialDecay(0.1, 0, 0.5), r"decay_steps above 0"),
    (lambda: optimizers.schedules.CosineDecayRestarts(0.1, 0), r"first_decay_steps above 0, got 0"),
    (lambda: optimizers.schedules.CosineDecay(0.1, -1), r"decay_steps above 0, got -1"),
    (lambda: optimizers.schedules.PiecewiseConstantDecay([1], [0.1]), r"one value more than"),
])  # fmt: skip
def test_bad_schedules(schedule, message):
    with pytest.raises(ValueError, match=message):
        schedule()
