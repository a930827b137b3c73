"""Core, merging, reshaping, normalization and regularization layers against Keras."""

import numpy as np
import pytest

import pydl

pytestmark = pytest.mark.conformance
rng = np.random.default_rng(0)


def data(*shape):
    return rng.standard_normal(shape)


@pytest.mark.parametrize(
    "equation, output_shape, bias_axes",
    [
        ("ab,bc->ac", 64, "c"),
        ("abc,cd->abd", (None, 6), None),
        ("abc,cde->abde", (None, 2, 3), "de"),
        ("abc,cde->abde", (None, 2, 3), "d"),
        ("abc,bd->acd", (4, 5), "d"),
        ("...x,xy->...y", 5, "y"),
        ("...xy,xyz->...z", 5, "z"),
        ("ab...,bc->ac...", 5, "c"),
    ],
)
def test_einsum_dense(check_layer, equation, output_shape, bias_axes):
    x = data(2, 4) if equation == "ab,bc->ac" else data(2, 3, 4)
    check_layer(
        "EinsumDense",
        x,
        equation=equation,
        output_shape=output_shape,
        bias_axes=bias_axes,
        activation="tanh",
    )


def test_einsum_dense_errors(check_error):
    x = data(2, 3)
    check_error("EinsumDense", x, equation="ab,bc", output_shape=4)
    check_error("EinsumDense", x, equation="ab,bc->ad", output_shape=4)
    check_error("EinsumDense", x, equation="ab,bc->ac", output_shape=4, bias_axes="x")
    check_error("EinsumDense", x, equation="ab,bc->ab", output_shape=4)


@pytest.mark.parametrize("name", ["Identity", "ELU", "PReLU", "UnitNormalization"])
def test_same_shape(check_layer, name):
    check_layer(name, data(3, 4))
    check_layer(name, data(2, 3, 4))


def test_arguments(check_layer):
    check_layer("ELU", data(3, 4), alpha=0.5)
    check_layer("PReLU", data(2, 3, 4, 2), shared_axes=[1, 2])
    check_layer("PReLU", data(2, 3, 4), shared_axes=(2,))
    check_layer("UnitNormalization", data(2, 3, 4), axis=1)
    check_layer("UnitNormalization", data(2, 3, 4), axis=[1, 2])
    check_layer("ActivityRegularization", data(3, 4), l1=0.1, l2=0.2)
    check_layer("Masking", np.round(data(2, 3, 2)), mask_value=1.0)


def test_activity_regularization(keras):
    x = data(3, 4)
    theirs = keras.layers.ActivityRegularization(l1=0.1, l2=0.2, dtype="float64")
    ours = pydl.layers.ActivityRegularization(l1=0.1, l2=0.2, dtype="float64")
    theirs(x), ours(x)
    assert float(ours.losses[0]) == pytest.approx(float(theirs.losses[0]), rel=1e-6)


@pytest.mark.parametrize("name", ["Minimum", "Subtract"])
def test_merging(check_layer, name):
    check_layer(name, [data(3, 4), data(3, 4)])
    check_layer(name, [data(3, 4, 2), data(3, 1, 2)])


@pytest.mark.parametrize("normalize", [False, True])
@pytest.mark.parametrize(
    "first, second, axes",
    [
        ((3, 4), (3, 4), 1),
        ((3, 4), (3, 4), -1),
        ((3, 4), (3, 5, 4), (1, 2)),
        ((3, 5, 4), (3, 4), (2, 1)),
        ((2, 3, 5), (2, 10, 3), (1, 2)),
        ((2, 3, 5, 4), (2, 5, 6), (2, 1)),
        ((2, 5, 3), (2, 6, 3), -1),
    ],
)
def test_dot(check_layer, first, second, axes, normalize):
    check_layer("Dot", [data(*first), data(*second)], axes=axes, normalize=normalize)


def test_merging_errors(check_error):
    x, y = data(2, 3), data(2, 4)
    check_error("Subtract", [x, x, x])
    check_error("Subtract", [x, y])
    check_error("Minimum", [x, y])
    check_error("Dot", [x, y], axes=1)
    check_error("Dot", [x, x], axes="last")
    check_error("Dot", [x, x], axes=(1, 1, 1))
    with pytest.raises(
        pydl.errors.ShapeError, match=r"\[dot.*\] expected inputs with axes \(3, 3\)"
    ):
        pydl.layers.Dot(axes=3)([x, x])
    with pytest.raises(ValueError, match=r"\[p_re_lu.*\] expected shared_axes from 1 to 1"):
        pydl.layers.PReLU(shared_axes=[2])(x)


def test_functions_merge(keras):
    x = [data(2, 3), data(2, 3)]
    for name in "add average concatenate maximum minimum multiply subtract dot".split():
        expected = np.asarray(getattr(keras.layers, name)(x))
        np.testing.assert_allclose(getattr(pydl.layers, name)(x).numpy(), expected, rtol=1e-5)


CROPPINGS = {1: [1, (0, 2)], 2: [1, (1, 0), ((1, 0), (0, 2))], 3: [1, (1, 0, 2), ((1, 0),) * 3]}


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("name", ["Cropping", "ZeroPadding"])
def test_borders(check_layer, name, rank):
    argument = "cropping" if name == "Cropping" else "padding"
    for value in CROPPINGS[rank]:
        x = data(*(2, 5, 4, 6)[: rank + 1], 3)
        check_layer(f"{name}{rank}D", x, **{argument: value})
        if rank > 1 or name == "ZeroPadding":
            formats = {argument: value, "data_format": "channels_first"}
            check_layer(f"{name}{rank}D", np.moveaxis(x, -1, 1).copy(), **formats)


def test_border_errors(check_error):
    check_error("Cropping1D", data(2, 3, 1), cropping=(2, 1))
    check_error("Cropping2D", data(2, 3, 3, 1), cropping=3)
    check_error("Cropping2D", data(2, 3, 3, 1), cropping=(1, 1, 1))
    check_error("ZeroPadding2D", data(2, 3, 3, 1), padding=((1, 1),))
    check_error("ZeroPadding3D", data(2, 3, 3, 1), padding=1)


def test_repeating(check_layer, check_error):
    check_layer("RepeatVector", data(2, 3), n=4)
    check_layer("UpSampling1D", data(2, 3, 4), size=3)
    check_layer("UpSampling3D", data(2, 3, 2, 4, 2), size=(2, 1, 3))
    check_layer("UpSampling3D", data(2, 3, 2, 4, 2), data_format="channels_first")
    check_error("RepeatVector", data(2, 3), n="4")
    check_error("RepeatVector", data(2, 3, 4), n=4)


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic", "lanczos3", "lanczos5"])
def test_interpolation(check_layer, interpolation):
    arguments = {"interpolation": interpolation, "rtol": 1e-5}
    check_layer("UpSampling2D", data(2, 6, 7, 2), size=(2, 3), **arguments)
    check_layer("UpSampling2D", data(2, 2, 3, 1), data_format="channels_first", **arguments)


NOISY = [
    ("SpatialDropout1D", 3, {"rate": 0.5}),
    ("SpatialDropout2D", 4, {"rate": 0.5}),
    ("SpatialDropout3D", 5, {"rate": 0.5}),
    ("GaussianNoise", 2, {"stddev": 0.5}),
    ("GaussianDropout", 2, {"rate": 0.3}),
    ("AlphaDropout", 2, {"rate": 0.3}),
    ("AlphaDropout", 3, {"rate": 0.3, "noise_shape": (None, 1, None)}),
]


@pytest.mark.parametrize("name, ndim, arguments", NOISY)
def test_noise_is_off_without_training(check_layer, check_error, name, ndim, arguments):
    check_layer(name, data(2, 3, 2, 2, 4)[(0,) * (5 - ndim)], **arguments)
    check_error(name, data(2), **{next(iter(arguments)): 1.5})


@pytest.mark.parametrize("name, ndim, arguments", NOISY)
def test_noise_has_the_moments_of_keras(keras, name, ndim, arguments):
    x = np.ones((40, 8, 4, 4, 30)[: ndim - 1] + (500,), "float32")
    theirs = np.asarray(getattr(keras.layers, name)(seed=1, **arguments)(x, training=True))
    layer = getattr(pydl.layers, name)(seed=1, **arguments)
    ours = layer(x, training=True).numpy()
    assert ours.shape == theirs.shape
    for axes in [None, tuple(range(1, ndim - 1))]:
        assert ours.mean() == pytest.approx(theirs.mean(), abs=0.05)
        spread = ours.std(axis=axes).mean(), theirs.std(axis=axes).mean()
        assert spread[0] == pytest.approx(spread[1], abs=0.05)
    assert not np.array_equal(layer(x, training=True).numpy(), ours)


@pytest.mark.parametrize("iterations", [1, 3])
def test_spectral_normalization(keras, iterations):
    x = data(3, 5).astype("float32")
    layers = []
    for module in (keras.layers, pydl.layers):
        layer = module.SpectralNormalization(module.Dense(4), power_iterations=iterations)
        layer(x)
        layers.append(layer)
    theirs, ours = layers
    assert [v.shape for v in ours.weights] == [tuple(v.shape) for v in theirs.weights]
    assert set(ours.get_config()) == set(theirs.get_config())
    ours.set_weights(theirs.get_weights())
    for _ in range(2):
        expected = np.asarray(theirs(x, training=True))
        np.testing.assert_allclose(ours(x, training=True).numpy(), expected, rtol=1e-4, atol=1e-5)
    for mine, other in zip(ours.get_weights(), theirs.get_weights()):
        np.testing.assert_allclose(mine, other, rtol=1e-4, atol=1e-5)
    assert type(ours).from_config(ours.get_config()).power_iterations == iterations


def test_wrapper_errors(check_error):
    check_error("Wrapper", data(2), layer=3)
    check_error("SpectralNormalization", data(2), layer="dense")


@pytest.mark.parametrize("mode", ["rows", "columns"])
def test_orthogonal_regularizer(keras, mode):
    x = data(4, 4).astype("float32")
    theirs = keras.regularizers.OrthogonalRegularizer(0.1, mode)
    ours = pydl.regularizers.OrthogonalRegularizer(0.1, mode)
    assert float(ours(x)) == pytest.approx(float(theirs(keras.ops.array(x))), rel=1e-5)
    assert ours.get_config() == pytest.approx(theirs.get_config())


@pytest.mark.parametrize(
    "name",
    "glu hard_shrink hard_tanh soft_shrink sparse_plus sparse_sigmoid squareplus "
    "tanh_shrink".split(),
)
def test_activation(check_layer, keras, name):
    if name == "glu":  # half as many features, so no layer
        x = data(3, 4)
        expected = np.asarray(keras.activations.glu(x))
        np.testing.assert_allclose(pydl.activations.glu(x).numpy(), expected, rtol=1e-6)
    else:
        check_layer("Activation", 2 * data(3, 5), activation=name)


def test_sparsemax():
    """Keras adds up cumulated sums; this is the projection onto the simplex, found by bisection."""
    x = 2 * data(4, 6)
    low, high = x.min(axis=1, keepdims=True) - 1, x.max(axis=1, keepdims=True)
    for _ in range(60):
        middle = (low + high) / 2
        too_low = np.maximum(x - middle, 0).sum(axis=1, keepdims=True) > 1
        low, high = np.where(too_low, middle, low), np.where(too_low, high, middle)
    expected = np.maximum(x - low, 0)
    np.testing.assert_allclose(pydl.activations.sparsemax(x).numpy(), expected, atol=1e-9)
    np.testing.assert_allclose(pydl.ops.sparsemax(x.T, axis=0).numpy(), expected.T, atol=1e-9)


def test_threshold(keras):
    x = data(20)
    expected = np.asarray(keras.activations.threshold(x, 0.3, -7.0))
    np.testing.assert_array_equal(pydl.activations.threshold(x, 0.3, -7.0).numpy(), expected)


@pytest.mark.parametrize("arguments", [{}, {"tie_weights": False, "logit_soft_cap": 2.0}])
def test_reversible_embedding(check_layer, keras, arguments):
    sizes = {"input_dim": 9, "output_dim": 5, **arguments}
    if not arguments:  # the vectors of the way back would have no gradient
        check_layer("ReversibleEmbedding", rng.integers(0, 9, (3, 4)).astype("int32"), **sizes)
    x = data(2, 3, 5)
    theirs = keras.layers.ReversibleEmbedding(dtype="float64", **sizes)
    ours = pydl.layers.ReversibleEmbedding(dtype="float64", **sizes)
    expected = np.asarray(theirs(x, reverse=True))
    ours(x, reverse=True)
    ours.set_weights(theirs.get_weights())
    np.testing.assert_allclose(ours(x, reverse=True).numpy(), expected, rtol=1e-6)
    symbolic = ours(pydl.Input((3, 5)), reverse=True)
    assert symbolic.shape == (None, 3, 9)


@pytest.mark.parametrize("side", ["real", "imag"])
@pytest.mark.parametrize("scaling", [None, "density", "spectrum"])
def test_stft(keras, side, scaling):
    arguments = {"side": side, "scaling": scaling, "periodic": scaling is None}
    expected = np.asarray(keras.initializers.STFT(**arguments)((8, 1, 5)))
    ours = pydl.initializers.STFT(**arguments)((8, 1, 5)).numpy()
    np.testing.assert_allclose(ours, expected, atol=1e-6)


def test_input_spec(keras):
    """The same inputs pass the same specifications."""
    specs = [
        {"ndim": 2},
        {"shape": (None, 3)},
        {"min_ndim": 2, "axes": {-1: 3}},
        {"max_ndim": 2},
        {"ndim": 2, "optional": True},
    ]
    inputs = [np.ones(s, "float32") for s in [(2,), (2, 3), (2, 4), (2, 3, 1), (2, 3, 4)]]
    for spec in specs:
        verdicts = []
        for module in (keras.layers, pydl.layers):
            layer = module.Identity()
            layer.input_spec = module.InputSpec(**spec)
            verdicts.append([accepts(layer, x) for x in inputs])
        assert verdicts[0] == verdicts[1], spec


def test_input_spec_with_a_last_axis_of_one():
    layer = pydl.layers.Identity()
    layer.input_spec = pydl.layers.InputSpec(shape=(None, 3), allow_last_axis_squeeze=True)
    shapes = [(2, 3), (2, 3, 1), (2, 3, 2), (2,), (2, 4, 1)]
    assert [accepts(layer, np.ones(s)) for s in shapes] == [True, True, False, False, False]
    layer.input_spec = pydl.layers.InputSpec(shape=(None, 3, 1), allow_last_axis_squeeze=True)
    assert accepts(layer, np.ones((2, 3))) and not accepts(layer, np.ones((2, 4)))


def accepts(layer, x):
    try:
        layer(x)
    except ValueError:
        return False
    return True


def test_signatures(keras):
    """Every argument of Keras's layers is there, with the same default, or left out on purpose."""
    from inspect import isclass, signature

    left_out = {
        "lora_rank", "lora_alpha", "quantization_config", "gptq_unpacked_column_size", "renorm",
        "renorm_clipping", "renorm_momentum", "synchronized", "flash_attention", "sparse", "ragged",
        "input_tensor", "optional", "attention_axes", "sliding_window", "use_gate", "name", "dtype",
        "kwargs",
    }  # fmt: skip

    def arguments(cls):
        parameters = signature(cls.__init__).parameters.values()
        return {p.name: same_for_all_axes(p.default) for p in parameters}

    def same_for_all_axes(value):
        return value[0] if isinstance(value, tuple) and len(set(value)) == 1 else value

    for module in ("layers", "initializers", "constraints", "regularizers"):
        for name, theirs in vars(getattr(keras, module)).items():
            ours = getattr(getattr(pydl, module), name, None)
            if isclass(theirs) and ours is not None:
                expected, mine = arguments(theirs), arguments(ours)
                missing = set(expected) - set(mine) - left_out
                assert not missing, f"{name} lacks {missing}"
                for argument in set(expected) & set(mine):
                    assert mine[argument] == expected[argument], (name, argument)
