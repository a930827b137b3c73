"""Boxes and masks in images: masks against Keras, boxes by their pixels, galleries by what they write."""

import io
import os

import numpy as np
import pytest

import pydl
from pydl import visualization

rng = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def no_window(monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "Agg")
    pytest.importorskip("matplotlib").use("Agg")


@pytest.mark.parametrize("thickness", [1, 2, 3])
def test_boxes(thickness):
    images = rng.integers(0, 200, (2, 20, 30, 3)).astype("uint8")
    data = {"boxes": [[[5, 4, 20, 12], [1, 1, 3, 3]], [[2, 3, 9, 15], [25, 15, 40, 18]]], "labels": [[1, -1], [0, 2]]}
    drawn = visualization.draw_bounding_boxes(images, data, "xyxy", color=(250, 251, 252), line_thickness=thickness)
    marked = (drawn == [250, 251, 252]).all(-1)
    assert drawn.dtype == np.uint8 and (drawn[~marked] == images[~marked]).all()
    assert marked[0, 4, 5:21].all() and marked[0, 12, 5:21].all() and marked[0, 4:13, 5].all() and marked[0, 4:13, 20].all()
    assert not marked[0, 7:10, 8:17].any() and not marked[0, 1:4, 1].any() and marked[1, 15:18, 25].all()
    assert 0.9 < marked[0].sum() / (thickness * 2 * (15 + 8)) < 1.1
    first = visualization.draw_bounding_boxes(
        images.transpose(0, 3, 1, 2), data, "xyxy", color=(250, 251, 252), line_thickness=thickness, data_format="channels_first"
    )
    np.testing.assert_array_equal(first.transpose(0, 2, 3, 1), drawn)
    relative = {**data, "boxes": pydl.utils.bounding_boxes.convert_format(np.array(data["boxes"]), "xyxy", "rel_xywh", 20, 30).numpy() + 1e-6}
    again = visualization.draw_bounding_boxes(images, relative, "rel_xywh", color=(250, 251, 252), line_thickness=thickness)
    np.testing.assert_array_equal(again, drawn)


def test_names_of_classes():
    pytest.importorskip("PIL")
    data = {"boxes": [[[5, 30, 50, 60]], [[5, 2, 50, 60]]], "labels": [[1], [1]], "confidences": [[0.5], [0.75]]}
    plain = visualization.draw_bounding_boxes(np.zeros((2, 80, 90, 3)), data, "xyxy")
    named = visualization.draw_bounding_boxes(np.zeros((2, 80, 90, 3)), data, "xyxy", class_mapping={1: "cat"})
    changed = (plain != named).any(-1)
    assert changed[0, :30].any() and not changed[0, 32:].any() and changed[1, 4:25].any()


@pytest.mark.conformance
@pytest.mark.parametrize("arguments", [
    {}, {"alpha": 0.3}, {"ignore_index": 0}, {"color_mapping": {0: (1, 2, 3), 1: (9, 8, 7), 2: (99, 0, 3), 3: (0, 200, 0)}},
])  # fmt: skip
def test_masks_like_keras(arguments):
    os.environ.setdefault("KERAS_BACKEND", "jax")
    pytest.importorskip("jax")
    keras = pytest.importorskip("keras")
    images = rng.integers(0, 255, (2, 6, 7, 3)).astype("float32")
    masks = rng.integers(0, 4, (2, 6, 7, 1))
    expected = keras.visualization.draw_segmentation_masks(images, masks, num_classes=4, **arguments)
    mine = visualization.draw_segmentation_masks(images, masks, num_classes=4, **arguments)
    np.testing.assert_allclose(mine.astype(int), np.asarray(expected).astype(int), atol=1)
    np.testing.assert_array_equal(visualization.draw_segmentation_masks(images, masks[..., 0], **arguments), mine)


def test_masks_without_blending():
    drawn = visualization.draw_segmentation_masks(np.full((1, 2, 2, 3), 7), np.array([[[0, 1], [-1, 2]]]), color_mapping={1: (5, 5, 5)}, blend=False)
    assert drawn[0, ..., 0].tolist() == [[7, 5], [7, 7]]


@pytest.mark.parametrize("count, arguments, size", [(5, {}, (3, 2)), (4, {"cols": 4}, (1, 4)), (1, {}, (1, 1)), (3, {"rows": 3}, (3, 1))])
def test_gallery(monkeypatch, count, arguments, size):
    import matplotlib.pyplot

    made = []
    original = matplotlib.pyplot.subplots
    monkeypatch.setattr(matplotlib.pyplot, "subplots", lambda *a, **k: made.append((a, original(*a, **k))) or made[-1][1])
    images = rng.uniform(0, 1, (count, 3, 8, 8)).astype("float32")
    labels = np.arange(count)
    file = io.BytesIO()
    visualization.plot_image_gallery(
        images, labels, labels + 1, {0: "zero", 1: "one"}, value_range=(0, 1), path=file, data_format="channels_first", **arguments
    )
    (rows, cols), (_, axes) = made[0]
    assert (rows, cols) == size and file.getvalue()[1:4] == b"PNG"
    assert axes.ravel()[0].get_title() == "Label: zero  Pred: one"
    shown = axes.ravel()[0].images[0].get_array()
    np.testing.assert_allclose(np.asarray(shown), images[0].transpose(1, 2, 0) * 255, atol=1)


def test_galleries_of_boxes_and_masks(monkeypatch):
    shown = []
    monkeypatch.setattr("pydl.visualization.galleries.plot_image_gallery", lambda images, **k: shown.append((images, k)))
    images = np.zeros((2, 8, 8, 3), "float32")
    boxes = {"boxes": [[[1, 1, 6, 6]], [[2, 2, 5, 7]]], "labels": [[0], [1]]}
    visualization.plot_bounding_box_gallery(images, "xyxy", boxes, boxes, pred_color=(1, 2, 3), legend=True, rows=1)
    assert shown[0][1]["rows"] == 1 and [h.get_label() for h in shown[0][1]["legend_handles"]] == ["Ground Truth", "Prediction"]
    assert shown[0][0][0, 1, 1].tolist() == [1, 2, 3]
    masks = np.ones((2, 8, 8, 1), "int32")
    visualization.plot_segmentation_mask_gallery(images, 3, y_true=masks, y_pred=masks * 2)
    assert shown[1][0].shape == (6, 8, 8, 3) and (shown[1][1]["rows"], shown[1][1]["cols"]) == (2, 3)
    assert not shown[1][0][0].any() and shown[1][0][1].any() and (shown[1][0][1] != shown[1][0][2]).any()


IMAGES, BOXES = np.zeros((1, 4, 4, 3)), {"boxes": np.zeros((1, 1, 4)), "labels": np.zeros((1, 1))}


@pytest.mark.parametrize("make", [
    lambda: visualization.draw_bounding_boxes(IMAGES[0], BOXES, "xyxy"), lambda: visualization.draw_bounding_boxes(IMAGES, [1], "xyxy"),
    lambda: visualization.draw_bounding_boxes(IMAGES, {"boxes": 1}, "xyxy"), lambda: visualization.draw_bounding_boxes(IMAGES, BOXES, "corners"),
    lambda: visualization.draw_segmentation_masks(IMAGES, np.zeros((1, 4, 4))), lambda: visualization.draw_segmentation_masks(IMAGES, np.zeros((1, 3, 4), int)),
    lambda: visualization.plot_image_gallery(IMAGES[0]), lambda: visualization.plot_image_gallery(IMAGES, path="a", show=True),
    lambda: visualization.plot_image_gallery(IMAGES, y_true=[1]), lambda: visualization.plot_image_gallery(IMAGES, data_format="last"),
    lambda: visualization.plot_bounding_box_gallery(IMAGES, "xyxy", legend=True, legend_handles=[1]),
])  # fmt: skip
def test_errors(make):
    with pytest.raises((ValueError, TypeError), match=r"^\[\w+\] expected "):
        make()
