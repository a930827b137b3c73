"""Pictures of models."""

import re
import shutil
import xml.etree.ElementTree as ElementTree

import pytest

import pydl
from pydl import layers
from pydl.utils import model_to_dot, plot_model


def residual():
    x = pydl.Input((4,), name="in")
    a = layers.Dense(4, activation="relu", name="a")(x)
    b = layers.Dense(4, name="b")(a)
    inner = pydl.Sequential([pydl.Input((4,)), layers.Dense(2, name="deep")], name="inner")
    return pydl.Model(x, inner(layers.Add(name="sum")([a, b])), name="net")


def arrows(dot):
    """The pairs of labels that arrows join."""
    labels = dict(re.findall(r'^(\d+) \[label="(\w+)', dot, re.MULTILINE))
    return {(labels[i], labels[j]) for i, j in re.findall(r"^(\d+) -> (\d+);", dot, re.MULTILINE)}


def test_dot():
    chain = {("in", "a"), ("a", "b"), ("a", "sum"), ("b", "sum")}
    assert arrows(model_to_dot(residual())) == chain | {("sum", "inner")}
    assert arrows(model_to_dot(residual(), expand_nested=True)) == chain | {("sum", "deep")}


def test_shared_layer_is_one_box():
    x, y = pydl.Input((4,), name="x"), pydl.Input((4,), name="y")
    shared = layers.Dense(2, name="shared")
    model = pydl.Model([x, y], layers.Add(name="sum")([shared(x), shared(y)]))
    dot = model_to_dot(model)
    assert arrows(dot) == {("x", "shared"), ("y", "shared"), ("shared", "sum")}
    assert dot.count("shared (Dense)") == 1


@pytest.mark.parametrize("rankdir", ["TB", "LR"])
def test_svg(tmp_path, rankdir):
    path = tmp_path / "net.svg"
    picture = plot_model(
        residual(), path, True, True, True, rankdir, show_layer_activations=True,
        show_trainable=True,
    )  # fmt: skip
    assert path.read_text() == picture.svg == picture._repr_svg_()
    root = ElementTree.fromstring(picture.svg)
    space = "{http://www.w3.org/2000/svg}"
    texts = [element.text for element in root.iter(space + "text")]
    for text in ("a (Dense)", "Activation: relu", "Input shape: (None, 4)", "Trainable: True",
                 "Output shape: (None, 2)", "Output dtype: float32"):  # fmt: skip
        assert text in texts
    assert len(root.findall(space + "path")) == 5
    boxes = [
        tuple(float(rect.get(name)) for name in ("x", "y", "width", "height"))
        for rect in root.findall(space + "rect")[1:]
    ]
    assert len(boxes) == 5
    width, height = float(root.get("width")), float(root.get("height"))
    for x, y, w, h in boxes:
        assert 0 <= x and x + w <= width and 0 <= y and y + h <= height
    for i, (x, y, w, h) in enumerate(boxes):  # no box covers another
        for other_x, other_y, other_w, other_h in boxes[:i]:
            apart = x >= other_x + other_w or other_x >= x + w
            assert apart or y >= other_y + other_h or other_y >= y + h


def test_subclass_and_errors(tmp_path):
    class Own(pydl.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(1, name="dense")

        def call(self, x):
            return self.dense(x)

    model = Own()
    with pytest.raises(ValueError, match=r"\[plot_model\] expected a built model"):
        plot_model(model, tmp_path / "a.svg")
    model(pydl.ops.ones((1, 2)))
    assert "dense (Dense)" in plot_model(model, tmp_path / "a.svg", show_layer_names=True).svg
    with pytest.raises(ValueError, match="rankdir 'TB' or 'LR', got 'up'"):
        plot_model(model, tmp_path / "a.svg", rankdir="up")
    if shutil.which("dot") is None:
        with pytest.raises(RuntimeError, match="Install Graphviz, or write an .svg"):
            plot_model(model, tmp_path / "a.png")
    else:
        plot_model(model, tmp_path / "a.png")
        assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
