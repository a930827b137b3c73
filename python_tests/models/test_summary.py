"""What summary prints."""

import pydl
from pydl import layers
from pydl.models import Model, Sequential


def text_of(model, **arguments):
    lines = []
    model.summary(print_fn=lines.append, **arguments)
    return "\n".join(lines)


def test_chain():
    model = Sequential(
        [pydl.Input((4,)), layers.Dense(3, name="d"), layers.BatchNormalization(name="b")], name="s"
    )
    lines = text_of(model).splitlines()
    assert lines[0] == 'Model: "s"'
    assert lines[2].split() == ["Layer", "(type)", "Output", "shape", "Parameters"]
    assert lines[4].split() == ["d", "(Dense)", "(None,", "3)", "15"]
    assert lines[-3:] == [
        "Total parameters: 27 (108.00 B)",
        "Trainable: 21 (84.00 B)",
        "Not trainable: 6 (24.00 B)",
    ]
    assert len({len(line) for line in lines if line.startswith("─")}) == 1


def test_branches_show_what_is_connected():
    a, b = pydl.Input((4,), name="a"), pydl.Input((4,), name="b")
    text = text_of(Model([a, b], layers.Add(name="plus")([a, b])))
    assert "Connected to" in text and "a, b" in text


def test_nested_and_trainable():
    inner = Sequential([pydl.Input((4,)), layers.Dense(3, name="deep")], name="inner")
    model = Sequential([inner, layers.Dense(2, trainable=False, name="cold")])
    assert "deep" not in text_of(model)
    text = text_of(model, expand_nested=True, show_trainable=True)
    assert "  deep (Dense)" in text and "yes" in text
    assert [line for line in text.splitlines() if line.startswith("cold")][0].endswith("-")


def test_not_built():
    assert "Not built yet" in text_of(Sequential([layers.Dense(1)]))


def test_line_length():
    model = Sequential([pydl.Input((4,)), layers.Dense(3, name="a_rather_long_name_for_a_layer")])
    assert max(map(len, text_of(model, line_length=50).splitlines())) <= 50
    assert "…" in text_of(model, line_length=50)
