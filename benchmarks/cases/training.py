"""Training steps and prediction, end to end, each library written the way its users write it."""

from __future__ import annotations

import functools

import numpy

from benchmarks.case import Case

SAMPLES = 16384  # of an epoch, so that what happens once in it counts little


def _images(count: int, shape: tuple[int, ...]):
    def inputs(random):
        return (
            random.random((count, *shape), numpy.float32),
            random.integers(0, 10, count),
        )

    return inputs


# --- MLP 784-128-10 -----------------------------------------------------------------------------


def _mlp_layers(layers):
    return [layers.Dense(128, activation="relu"), layers.Dense(10)]


def _cnn_layers(layers):
    return [
        layers.Conv2D(32, 3, activation="relu"),
        layers.Conv2D(64, 3, activation="relu"),
        layers.MaxPooling2D(),
        layers.Flatten(),
        layers.Dense(128, activation="relu"),
        layers.Dense(10),
    ]


def _compiled(keras, layers, shape):
    """Builds and compiles a model; `keras` is pydl or Keras itself."""
    model = keras.Sequential([keras.Input(shape), *layers(keras.layers)])
    model.compile(
        optimizer="adam",
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        jit_compile=True,  # on a GPU: steps are CUDA graphs
    )
    return model


def _fit(layers, shape, batch):
    def prepare(keras, x, y):
        model = _compiled(keras, layers, shape)
        return lambda: model.fit(x, y, batch_size=batch, epochs=1, verbose=0, shuffle=False)

    return prepare


def _train_on_batch(layers, shape):
    def prepare(keras, x, y):
        model = _compiled(keras, layers, shape)
        return lambda: model.train_on_batch(x, y)

    return prepare


def _torch_mlp(torch):
    nn = torch.nn
    return nn.Sequential(nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))


def _torch_cnn(torch):
    nn = torch.nn
    return nn.Sequential(
        nn.Conv2d(1, 32, 3), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(9216, 128), nn.ReLU(), nn.Linear(128, 10),
    ).to(memory_format=torch.channels_last)  # fmt: skip


def _torch_steps(build, batch, compiled=False):
    def prepare(torch, x, y):
        model = torch.compile(build(torch)) if compiled else build(torch)
        optimizer = torch.optim.Adam(model.parameters(), fused=True)
        if x.ndim == 4:
            x = x.permute(0, 3, 1, 2)

        def run():
            for i in range(0, len(x), batch):
                optimizer.zero_grad()
                loss = torch.nn.functional.cross_entropy(model(x[i : i + batch]), y[i : i + batch])
                loss.backward()
                optimizer.step()

        return run

    return prepare


def _jax_mlp(jax):
    """Returns the state of a training and the function `step(state, (x, y)) -> (state, loss)`."""
    jnp = jax.numpy
    keys = jax.random.split(jax.random.key(0), 2)
    start = {
        "w1": jax.random.normal(keys[0], (784, 128)) * 0.05,
        "b1": jnp.zeros(128),
        "w2": jax.random.normal(keys[1], (128, 10)) * 0.1,
        "b2": jnp.zeros(10),
    }

    def mean_loss(p, x, y):
        logits = jax.nn.relu(x @ p["w1"] + p["b1"]) @ p["w2"] + p["b2"]
        picked = jnp.take_along_axis(logits, y[:, None], -1)[:, 0]
        return (jax.nn.logsumexp(logits, -1) - picked).mean()

    def step(s, batch):
        loss, g = jax.value_and_grad(mean_loss)(s["p"], *batch)
        t = s["t"] + 1
        m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, s["m"], g)
        v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, s["v"], g)
        rate = 1e-3 * jnp.sqrt(1 - 0.999**t) / (1 - 0.9**t)
        p = jax.tree.map(lambda p, m, v: p - rate * m / (jnp.sqrt(v) + 1e-7), s["p"], m, v)
        return {"p": p, "m": m, "v": v, "t": t}, loss

    m, v = (jax.tree.map(jnp.zeros_like, start) for _ in range(2))
    return {"p": start, "m": m, "v": v, "t": jnp.zeros(())}, step


def _jax_steps(batch):
    """One call a step."""

    def prepare(jax, x, y):
        state, step = _jax_mlp(jax)
        step = jax.jit(step)
        batches = [(x[i : i + batch], y[i : i + batch]) for i in range(0, len(x), batch)]

        def run():
            nonlocal state
            for part in batches:
                state, _ = step(state, part)
            return jax.block_until_ready(state)

        return run

    return prepare


def _jax_scan(batch):
    """One call an epoch, whose steps XLA loops over."""

    def prepare(jax, x, y):
        state, step = _jax_mlp(jax)
        epoch = jax.jit(functools.partial(jax.lax.scan, step), donate_argnums=0)
        batches = x.reshape(-1, batch, x.shape[-1]), y.reshape(-1, batch)

        def run():
            nonlocal state
            state, losses = epoch(state, batches)
            return jax.block_until_ready(losses)

        return run

    return prepare


def _mlp_fit(batch: int) -> Case:
    return Case(
        "training",
        f"MLP 784-128-10 step, batch {batch}",
        _images(SAMPLES, (784,)),
        prepare={
            "pydl:fit": _fit(_mlp_layers, (784,), batch),
            "keras:fit": _fit(_mlp_layers, (784,), batch),
            "torch": _torch_steps(_torch_mlp, batch),
            "torch:compiled": _torch_steps(_torch_mlp, batch, compiled=True),
            "jax:step": _jax_steps(batch),
            "jax:scan": _jax_scan(batch),
        },
        rotate=False,
        flops=3 * 2 * batch * (784 * 128 + 128 * 10) - 2 * batch * 784 * 128,
        calls=SAMPLES // batch,
    )


def _cnn_flops(batch: int) -> float:
    conv1 = 2 * 26 * 26 * 9 * 32
    conv2 = 2 * 24 * 24 * 9 * 32 * 64
    dense = 2 * (9216 * 128 + 128 * 10)
    return batch * (2 * conv1 + 3 * (conv2 + dense))


CASES = [
    _mlp_fit(32),
    _mlp_fit(128),
    Case(
        "training",
        "MLP 784-128-10 train_on_batch, batch 32",
        _images(32, (784,)),
        prepare={
            "pydl": _train_on_batch(_mlp_layers, (784,)),
            "keras": _train_on_batch(_mlp_layers, (784,)),
            "torch": _torch_steps(_torch_mlp, 32),
        },
        rotate=False,
        flops=3 * 2 * 32 * (784 * 128 + 128 * 10) - 2 * 32 * 784 * 128,
    ),
    Case(
        "training",
        "CNN conv32-conv64-pool-dense128 step, batch 128",
        _images(512, (28, 28, 1)),
        prepare={
            "pydl:fit": _fit(_cnn_layers, (28, 28, 1), 128),
            "keras:fit": _fit(_cnn_layers, (28, 28, 1), 128),
            "torch:nhwc": _torch_steps(_torch_cnn, 128),
            "torch:compiled": _torch_steps(_torch_cnn, 128, compiled=True),
        },
        rotate=False,
        flops=_cnn_flops(128),
        calls=4,
    ),
]
