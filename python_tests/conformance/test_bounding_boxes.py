"""Boxes around objects against Keras: formats, overlaps, and layers that move the pixels."""

import numpy as np
import pytest

import pydl
from pydl.utils import bounding_boxes as mine

pytestmark = pytest.mark.conformance
rng = np.random.default_rng(0)
FORMATS = ["xyxy", "yxyx", "xywh", "center_xywh", "center_yxhw", "rel_xyxy", "rel_yxyx", "rel_xywh", "rel_center_xywh"]
SHAPE = (3, 9, 13, 3)


def boxes(*shape):
    """In "xyxy", inside of images of 9 rows and 13 columns."""
    first, second = rng.uniform(0, 1, (2, *shape, 2))
    corners = np.sort(np.stack([first, second]), axis=0) * [13, 9]
    return np.concatenate(list(corners), axis=-1).astype("float32")


@pytest.fixture(scope="module")
def theirs(keras):
    return keras.utils.bounding_boxes


def close(one, other, **tolerance):
    np.testing.assert_allclose(np.asarray(one), np.asarray(other), **{"rtol": 1e-4, "atol": 1e-4, **tolerance})


@pytest.mark.parametrize("source", FORMATS)
def test_formats(theirs, source):
    for target in FORMATS:
        x = rng.uniform(0, 5, (2, 3, 4)).astype("float32")
        arguments = {"source": source.upper() if target == "xywh" else source, "target": target, "height": 7, "width": 4}
        close(mine.convert_format(x, **arguments), theirs.convert_format(x, **arguments))
        back = mine.convert_format(mine.convert_format(x, **arguments), target, source, 7, 4)
        close(back, x)
    kept = mine.convert_format({"boxes": x, "labels": "any"}, "xyxy", "xywh")
    assert kept["labels"] == "any" and kept["boxes"].shape == x.shape


@pytest.mark.parametrize("first, second", [((3,), (4,)), ((2, 3), (2, 4)), ((2, 3), (4,)), ((3,), (2, 4))])
def test_overlaps(theirs, first, second):
    a, b = boxes(*first), boxes(*second)
    close(mine.compute_iou(a, b, "xyxy"), theirs.compute_iou(a, b, "xyxy"))
    relative = {"bounding_box_format": "rel_xyxy", "image_shape": (9, 13, 3)}
    size = np.array([13, 9, 13, 9])
    close(mine.compute_iou(a / size, b / size, **relative), theirs.compute_iou(a, b, "xyxy"))
    if len(first) == len(second):
        a[..., 1, :] = b[..., 0, :] = -1
        masked = {"use_masking": True, "mask_val": -2}
        close(mine.compute_iou(a, b, "xyxy", **masked), theirs.compute_iou(a, b, "xyxy", **masked))


def test_complete_iou(theirs):
    a, b = boxes(5, 4), boxes(5, 4)
    close(mine.compute_ciou(a, b, "xyxy"), theirs.compute_ciou(a, b, "xyxy"))
    x = pydl.Variable(a)
    (1.0 - pydl.ops.mean(mine.compute_ciou(x, b, "xyxy"))).backward()
    assert np.isfinite(x.grad.numpy()).all() and np.abs(x.grad.numpy()).max() > 0


@pytest.mark.parametrize("order", ["center_yxhw", "center_xywh"])
@pytest.mark.parametrize("variance", [None, [0.1, 0.1, 0.2, 0.2]])
def test_deltas(theirs, order, variance):
    anchors, x = boxes(6), boxes(2, 6)
    arguments = ("xyxy", "xyxy", order, variance)
    deltas = mine.encode_box_to_deltas(anchors, x, *arguments)
    close(deltas, theirs.encode_box_to_deltas(anchors, x, *arguments))
    decoded = mine.decode_deltas_to_boxes(anchors, deltas, *arguments)
    close(decoded, theirs.decode_deltas_to_boxes(anchors, np.asarray(deltas), *arguments))
    close(decoded, x, atol=1e-3)
    levels = mine.decode_deltas_to_boxes({"a": anchors}, {"a": deltas}, *arguments)
    close(levels["a"], decoded)


def test_changes(theirs):
    x = boxes(2, 5) * 1.5 - 2
    data = {"boxes": x, "labels": rng.integers(0, 9, (2, 5))}
    for arguments in ({"height": 6, "width": 8}, {"bounding_box_format": "rel_xyxy"}):
        one, other = (m.clip_to_image_size(dict(data), **arguments) for m in (mine, theirs))
        close(one["boxes"], other["boxes"])
        np.testing.assert_array_equal(np.asarray(one["labels"]), np.asarray(other["labels"]))
    close(mine.crop(x, 1, 2, 5, 6), theirs.crop(x, 1, 2, 5, 6))
    close(mine.pad(x, 1, 2), theirs.pad(x, 1, 2))
    numbers = [np.array(v, "float32") for v in ([30, -70], [0.1, 0], [0, -0.2], [1, 1.5], [0, 10], [5, 0])]
    for center in ({}, {"center_x": 0.2, "center_y": 0.9}):
        arguments = (*numbers, 9, 13)
        close(mine.affine_transform(x, *arguments, **center), theirs.affine_transform(x, *arguments, **center), atol=1e-3)


LAYERS = [
    ("RandomFlip", {}), ("RandomFlip", {"mode": "vertical"}), ("RandomRotation", {"factor": 0.2}),
    ("RandomTranslation", {"height_factor": 0.4, "width_factor": (-0.2, 0.7)}),
    ("RandomZoom", {"height_factor": 0.4}), ("RandomZoom", {"height_factor": (-0.5, -0.1), "width_factor": 0.3}),
    ("RandomPerspective", {"scale": 0.4}), ("Resizing", {"height": 5, "width": 4}),
    ("Resizing", {"height": 5, "width": 9, "crop_to_aspect_ratio": True}),
    ("Resizing", {"height": 5, "width": 9, "pad_to_aspect_ratio": True}), ("CenterCrop", {"height": 4, "width": 7}),
    ("CenterCrop", {"height": 12, "width": 7}), ("RandomBrightness", {"factor": 0.2}), ("RandomErasing", {}),
]  # fmt: skip


@pytest.mark.parametrize("name, arguments", LAYERS, ids=[f"{n}-{i}" for i, (n, _) in enumerate(LAYERS)])
def test_layers_like_keras(keras, name, arguments):
    data = {"boxes": boxes(3, 4), "labels": rng.integers(0, 5, (3, 4))}
    images = keras.ops.zeros(SHAPE)
    own, other = (getattr(m.layers, name)(bounding_box_format="xyxy", **arguments) for m in (pydl, keras))
    choice = other.get_random_transformation(images, training=True)
    tensors = {key: keras.ops.convert_to_tensor(value) for key, value in data.items()}
    expected = other.transform_bounding_boxes(tensors, choice, training=True)
    if isinstance(choice, dict):
        choice = {"input_shape": SHAPE, **{k: np.asarray(v) for k, v in choice.items()}}
    found = own.transform_bounding_boxes({k: pydl.tensor(v) for k, v in data.items()}, choice, training=True)
    close(found["boxes"], expected["boxes"])
    np.testing.assert_array_equal(found["labels"].numpy(), np.asarray(expected["labels"]))


MOVING = [
    ("RandomFlip", {}), ("RandomRotation", {"factor": (0.25, 0.25)}), ("RandomTranslation", {"height_factor": 0.2, "width_factor": 0.2}),
    ("RandomZoom", {"height_factor": (0.1, 0.3)}), ("RandomShear", {"x_factor": 0.3, "y_factor": 0.2}), ("RandomCrop", {"height": 30, "width": 36}),
    ("CenterCrop", {"height": 32, "width": 30}), ("CenterCrop", {"height": 44, "width": 56}), ("Resizing", {"height": 64, "width": 30}),
    ("RandomPerspective", {"scale": 0.3}), ("RandAugment", {"factor": 0.2}), ("RandomCrop", {"height": 44, "width": 56}),
]  # fmt: skip


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("name, arguments", MOVING, ids=[f"{n}-{i}" for i, (n, _) in enumerate(MOVING)])
def test_boxes_stay_around_their_objects(name, arguments, form):
    """A bright rectangle in each image, whose box comes out around its pixels."""
    images = np.zeros((6, 40, 48, 3), "float32")
    corners = []
    for image in images:
        x, y = rng.integers(14, 20, 2)
        w, h = rng.integers(6, 12, 2)
        image[y : y + h, x : x + w] = 200
        corners.append([[x, y, x + w, y + h]])
    options = {"seed": 5} if name.startswith("Rand") else {}
    fill = {"fill_mode": "constant"} if name in ("RandomRotation", "RandomTranslation", "RandomZoom", "RandomShear") else {}
    layer = getattr(pydl.layers, name)(bounding_box_format=form, **arguments, **options, **fill)
    given = mine.convert_format(np.array(corners), "xyxy", form, 40, 48)
    result = layer({"images": images, "bounding_boxes": {"boxes": given, "labels": np.zeros((6, 1), "int32")}}, training=True)
    if name == "RandAugment":
        assert result["bounding_boxes"]["boxes"].shape == (6, 1, 4)
        return
    pictures = result["images"].numpy()
    found = mine.convert_format(result["bounding_boxes"]["boxes"], form, "xyxy", *pictures.shape[1:3]).numpy()[:, 0]
    for image, box in zip(pictures, found):
        rows, columns = np.nonzero(image[..., 0] > 100)
        around = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        np.testing.assert_allclose(box, around, atol=2.1)


def test_mix_up_keeps_the_boxes_of_both():
    data = {"images": np.zeros(SHAPE, "float32"), "bounding_boxes": {"boxes": boxes(3, 4), "labels": np.arange(12).reshape(3, 4)}}
    result = pydl.layers.MixUp(bounding_box_format="xyxy", seed=1)(data, training=True)["bounding_boxes"]
    assert result["boxes"].shape == (3, 8, 4) and result["labels"].shape == (3, 8)
    np.testing.assert_array_equal(np.sort(result["labels"].numpy()[:, 4:], axis=0), data["bounding_boxes"]["labels"])


def test_single_images_and_calls_without_training():
    data = {"images": np.zeros(SHAPE[1:], "float32"), "bounding_boxes": {"boxes": boxes(4).tolist(), "labels": [1, 2, 3, 4]}}
    layer = pydl.layers.RandomFlip("horizontal", bounding_box_format="xyxy")
    kept = layer(data, training=False)["bounding_boxes"]
    close(kept["boxes"], data["bounding_boxes"]["boxes"])
    assert layer(data, training=True)["bounding_boxes"]["boxes"].shape == (4, 4)
    assert layer.get_config()["bounding_box_format"] == "xyxy"


BOXES = {"boxes": np.zeros((3, 2, 4), "float32"), "labels": np.zeros((3, 2), "int32")}


@pytest.mark.parametrize("make", [
    lambda: mine.convert_format(np.zeros((2, 4)), "xyxy", "corners"), lambda: mine.convert_format(np.zeros((2, 4)), "xyxy", "rel_xyxy"),
    lambda: mine.convert_format(np.zeros((2, 3)), "xyxy", "xywh"), lambda: mine.clip_to_image_size(BOXES), lambda: mine.crop(BOXES["boxes"], 1, 1, 2, 2, "xywh"),
    lambda: mine.clip_to_image_size(BOXES, 3, 3, "xywh"), lambda: mine.compute_iou(np.zeros(4), np.zeros(4), "xyxy"),
    lambda: mine.encode_box_to_deltas(np.zeros((2, 4)), np.zeros((2, 4)), "xyxy", "xyxy", "xyxy"), lambda: mine.affine_transform(np.zeros((2, 4)), 1, 0, 0, 1, 0, 0, 5, 5),
    lambda: mine.decode_deltas_to_boxes(np.zeros((2, 4)), np.zeros((2, 4)), "xyxy", "xyxy", variance=[1.0]),
    lambda: pydl.layers.RandomFlip()({"images": np.zeros(SHAPE), "bounding_boxes": BOXES}),
    lambda: pydl.layers.RandomFlip(bounding_box_format="xyxy")({"images": np.zeros(SHAPE), "bounding_boxes": {"boxes": BOXES["boxes"]}}),
    lambda: pydl.layers.RandomFlip(bounding_box_format="xyxy")({"images": np.zeros(SHAPE), "bounding_boxes": {"boxes": np.zeros((3, 4, 5)), "labels": [1]}}),
])  # fmt: skip
def test_errors(make):
    with pytest.raises(ValueError, match=r"^\[\w+\] expected "):
        make()


@pytest.mark.parametrize("name", ["CutMix", "RandomElasticTransform"])
def test_layers_that_keep_no_boxes(name):
    with pytest.raises(NotImplementedError, match="expected no bounding_boxes"):
        getattr(pydl.layers, name)(bounding_box_format="xyxy")({"images": np.zeros(SHAPE), "bounding_boxes": BOXES}, training=True)
