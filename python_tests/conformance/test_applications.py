"""The models of `keras.applications`: the same layers and weights, and the same outputs with them."""

import importlib
import inspect
import json

import numpy as np
import pytest

import pydl
from pydl.applications import imagenet_utils

pytestmark = pytest.mark.conformance
rng = np.random.default_rng(0)

# Models, the sizes of their images here, and arguments.
STRUCTURES = [
    *((f"VGG{i}", 32, {}) for i in (16, 19)),
    *((f"ResNet{i}{v}", 32, {}) for i in (50, 101, 152) for v in ("", "V2")),
    *((f"DenseNet{i}", 32, {}) for i in (121, 169, 201)),
    *((f"EfficientNetB{i}", 32, {}) for i in range(8)),
    *((f"EfficientNetV2{i}", 33, {}) for i in ("B0", "B1", "B2", "B3", "S", "M", "L")),
    *((f"ConvNeXt{i}", 32, {}) for i in ("Tiny", "Small", "Base", "Large", "XLarge")),
    ("EfficientNetV2B0", 32, {"include_preprocessing": False}),
    ("ConvNeXtTiny", 32, {"include_preprocessing": False}),
    ("ConvNeXtTiny", 32, {"include_top": False, "pooling": "avg"}),
    ("MobileNet", 32, {}),
    ("MobileNet", 33, {"alpha": 0.5, "depth_multiplier": 2, "include_top": False}),
    ("MobileNetV2", 32, {}),
    ("MobileNetV2", 96, {"alpha": 1.4}),
    ("MobileNetV2", None, {"alpha": 0.35, "include_top": False, "pooling": "max"}),
    ("MobileNetV3Small", 32, {}),
    ("MobileNetV3Large", 32, {"alpha": 1.25, "dropout_rate": 0}),
    ("MobileNetV3Large", None, {"minimalistic": True, "include_preprocessing": False}),
    ("Xception", 71, {}),
    ("InceptionV3", 75, {}),
    ("InceptionResNetV2", 75, {}),
    ("NASNetMobile", 32, {}),
    ("NASNetLarge", 33, {}),
    ("VGG16", None, {"include_top": False, "pooling": "avg"}),
    ("ResNet50", None, {"include_top": False, "pooling": "max"}),
    ("Xception", None, {"include_top": False, "pooling": "max"}),
]
OUTPUTS = [
    ("VGG16", 32, {}),
    ("ResNet50", 32, {}),
    ("ResNet50V2", 33, {"include_top": False, "pooling": "avg"}),
    ("MobileNet", 32, {"alpha": 0.25}),
    ("MobileNetV2", 32, {"alpha": 0.35}),
    ("MobileNetV3Small", 33, {}),
    ("Xception", 71, {"include_top": False, "pooling": "max"}),
    ("EfficientNetB0", 32, {}),
    ("EfficientNetV2B0", 32, {}),
    ("ConvNeXtTiny", 32, {}),
    ("DenseNet121", 32, {}),
    ("InceptionV3", 75, {}),
    ("InceptionResNetV2", 75, {}),
    ("NASNetMobile", 32, {}),
]


@pytest.fixture(autouse=True)
def no_variables_left_without_values(keras):
    """Keras gives values to all variables that lack them when somebody next leaves its scope."""
    yield
    keras.utils.clear_session()


def make(keras, name, size, options, dtype="float32"):
    """Return the model of Keras, in a dtype and with weights without values, and that of pydl."""
    options = {"weights": None, "classes": 7, **options}
    if size is not None:
        options["input_shape"] = (size, size, 3)
    keras.utils.clear_session(), pydl.utils.clear_session()
    keras.config.set_floatx(dtype)
    try:
        with keras.StatelessScope(initialize_variables=False):
            theirs = getattr(keras.applications, name)(**options)
    finally:
        keras.config.set_floatx("float32")
    return theirs, getattr(pydl.applications, name)(**options)


def id_of(case):
    return None if isinstance(case, dict) and not case else str(case)


@pytest.mark.parametrize("name, size, options", STRUCTURES, ids=id_of)
def test_layers_and_weights(keras, monkeypatch, name, size, options):
    zeros = pydl.initializers.Zeros()
    monkeypatch.setattr("pydl.layers.weights.initializers.get", lambda _: zeros)  # fast to make
    theirs, ours = make(keras, name, size, options)
    assert ours.name == theirs.name and ours.output_shape == theirs.output_shape
    kinds = [(layer.name, type(layer).__name__) for layer in theirs.layers]
    assert [(layer.name, type(layer).__name__) for layer in ours.layers] == kinds
    assert [w.shape for w in ours.weights] == [tuple(w.shape) for w in theirs.weights]
    assert [w.trainable for w in ours.weights] == [w.trainable for w in theirs.weights]
    for mine, other in zip(ours.layers, theirs.layers):
        for key in ("momentum", "epsilon", "rate", "noise_shape", "scale", "offset", "strides"):
            assert same(getattr(mine, key, None), getattr(other, key, None)), (mine.name, key)


def same(mine, other):
    if isinstance(mine, int) and isinstance(other, tuple):
        mine = (mine,) * len(other)
    if isinstance(mine, (tuple, list)) and None in mine:
        return tuple(mine) == tuple(other)
    return mine is other or np.allclose(mine, other)


@pytest.mark.parametrize("name, size, options", OUTPUTS, ids=id_of)
def test_outputs(keras, name, size, options):
    import jax

    # Keras in float64: of JAX's float32 a network as deep as these leaves five digits.
    theirs, ours = make(keras, name, size, {"classifier_activation": None, **options}, "float64")
    weights = [w if w.ndim != 1 else w + 0.1 * rng.random(w.shape) for w in ours.get_weights()]
    ours.set_weights(weights)
    weights = [w.astype(v.dtype) for w, v in zip(ours.get_weights(), theirs.weights)]
    images = rng.uniform(0, 255, (2, size, size, 3)).astype("float32")
    values = {id(v): w for v, w in zip(theirs.weights, weights)}
    state = [
        [values.get(id(v), np.zeros(v.shape, v.dtype)) for v in variables]  # else of random streams
        for variables in (theirs.trainable_variables, theirs.non_trainable_variables)
    ]
    run = jax.jit(lambda *arguments: theirs.stateless_call(*arguments, training=False)[0])
    expected = np.asarray(run(*state, images.astype("float64")))
    assert expected.dtype == np.float64 and np.isfinite(expected).all() and expected.std() > 0
    scale = np.abs(expected).max()
    np.testing.assert_allclose(ours(images).numpy(), expected, rtol=1e-4, atol=1e-5 * scale)


def public_functions(keras):
    names = [n for n in dir(keras.applications) if n[0].isupper()]
    return [(keras.applications, pydl.applications, name) for name in names]


def test_signatures(keras):
    functions = public_functions(keras)
    assert len(functions) == 40
    for theirs, ours, name in functions:
        expected = inspect.signature(getattr(theirs, name)).parameters.values()
        found = inspect.signature(getattr(ours, name)).parameters.values()
        assert [(p.name, p.default) for p in found] == [(p.name, p.default) for p in expected], name


def submodules(keras):
    return [n for n in dir(keras.applications) if inspect.ismodule(getattr(keras.applications, n))]


@pytest.mark.parametrize("data_format", [None, "channels_first"])
def test_preprocess_input(keras, data_format):
    for name in submodules(keras):
        theirs = getattr(keras.applications, name)
        ours = importlib.import_module(f"pydl.applications.{name}")
        shape = (2, 4, 5, 3) if data_format is None else (2, 3, 4, 5)
        images = rng.uniform(0, 255, shape).astype("float32")
        expected = theirs.preprocess_input(images.copy(), data_format)
        np.testing.assert_allclose(ours.preprocess_input(images, data_format), expected, rtol=1e-6)
        of_tensor = ours.preprocess_input(pydl.tensor(images), data_format)
        np.testing.assert_allclose(of_tensor.numpy(), expected, rtol=1e-6, atol=1e-5)


def test_decode_predictions(keras, tmp_path, monkeypatch):
    index = {str(i): [f"n{i:08d}", f"class {i}"] for i in range(1000)}
    path = tmp_path / "index.json"
    path.write_text(json.dumps(index))
    monkeypatch.setenv("PYDL_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(imagenet_utils, "_CLASS_INDEX", imagenet_utils.Published(path.as_uri()))
    imagenet_utils._class_names.cache_clear()
    from keras.src.applications import imagenet_utils as theirs

    monkeypatch.setattr(theirs, "CLASS_INDEX", index)
    scores = rng.random((3, 1000)).astype("float32")
    expected = keras.applications.resnet.decode_predictions(scores, top=4)
    assert pydl.applications.resnet.decode_predictions(scores, top=4) == expected
    assert imagenet_utils.decode_predictions(pydl.tensor(scores), top=4) == expected
    imagenet_utils._class_names.cache_clear()


@pytest.mark.parametrize("whole", [True, False], ids=["model", "weights"])
def test_imagenet_weights_from_a_file_of_keras(keras, tmp_path, monkeypatch, whole):
    """A published file has the layout that Keras gives this one, and its name in the cache."""
    options = {"alpha": 0.35, "include_top": False}
    theirs, ours = make(keras, "MobileNetV2", 96, options)
    for variable, value in zip(theirs.weights, ours.get_weights()):
        variable.assign(value + 1)
    cached = "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_0.35_96_no_top.h5"
    (tmp_path / "models").mkdir()
    write_h5(theirs, tmp_path / "models" / cached, whole)
    monkeypatch.setenv("PYDL_CACHE_DIR", str(tmp_path))
    loaded = pydl.applications.MobileNetV2(input_shape=(96, 96, 3), **options)
    for mine, other in zip(loaded.get_weights(), ours.get_weights()):
        np.testing.assert_array_equal(mine, other + 1)


@pytest.mark.parametrize("name, size", [("ConvNeXtTiny", 32), ("EfficientNetB0", 32)])
@pytest.mark.parametrize("kind", ["model", "weights", "keras 3"])
def test_files_of_keras(keras, tmp_path, name, size, kind):
    """Of models that have models or statistics of images inside."""
    theirs, ours = make(keras, name, size, {})
    for variable, value in zip(theirs.weights, ours.get_weights()):
        variable.assign(value + 1)
    path = tmp_path / ("a.weights.h5" if kind == "keras 3" else "a.h5")
    if kind == "keras 3":
        theirs.save_weights(path)
    else:
        write_h5(theirs, path, kind == "model")
    expected = [w + 1 for w in ours.get_weights()]
    ours.load_weights(path)
    for mine, other in zip(ours.get_weights(), expected):
        np.testing.assert_array_equal(mine, other)


def write_h5(model, path, whole):
    if whole:
        model.save(path)
        return
    import h5py
    from keras.src.legacy.saving import legacy_h5_format

    with h5py.File(path, "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, model)


@pytest.mark.parametrize(
    "name, options",
    [
        ("VGG16", {"weights": "imagnet"}),
        ("ResNet50", {"classes": 10}),
        ("ResNet50", {"input_shape": (31, 40, 3), "weights": None}),
        ("ResNet50", {"input_shape": (200, 200, 3)}),
        ("ResNet50", {"input_shape": (32, 32), "weights": None}),
        ("ResNet50", {"input_shape": (None, None, 3), "weights": None}),
        ("ResNet50", {"input_shape": (64, 64, 1), "include_top": False}),
        ("DenseNet121", {"classifier_activation": "relu"}),
        ("Xception", {"input_shape": (70, 71, 3), "weights": None}),
        ("InceptionV3", {"input_shape": (74, 75, 3), "weights": None}),
        ("MobileNet", {"alpha": 0.3}),
        ("MobileNet", {"depth_multiplier": 2}),
        ("MobileNetV2", {"alpha": 0.3}),
        ("MobileNetV3Small", {"alpha": 0.5}),
        ("MobileNetV3Large", {"input_shape": (31, 31, 3), "weights": None}),
        ("NASNetLarge", {"input_shape": (None, None, 3)}),
        ("VGG16", {"unknown": 1}),
    ],
    ids=str,
)
def test_errors(keras, name, options):
    kind = TypeError if "unknown" in options else ValueError
    with pytest.raises(kind), keras.StatelessScope(initialize_variables=False):
        getattr(keras.applications, name)(**options)
    with pytest.raises(kind, match=None if kind is TypeError else r"^\[\w[\w.]*\] expected "):
        getattr(pydl.applications, name)(**options)
