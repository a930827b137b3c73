"""What summary prints."""

import pytest

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


def test_many_sources_take_several_lines():
    inputs = [pydl.Input((1,), name=f"input_number_{i}") for i in range(6)]
    joined = layers.Concatenate(name="join")(inputs)
    lines = text_of(Model(inputs, layers.Dense(1, name="out")(joined))).splitlines()
    start = lines[2].index("Connected to")
    row = next(i for i, line in enumerate(lines) if line.startswith("join"))
    assert lines[row][start:].startswith("input_number_0, input_number_1,")
    assert lines[row + 1][:start].strip() == "" and lines[row + 2].endswith("input_number_5")
    assert lines[row + 3].startswith("out")
    assert max(map(len, lines[2:-3])) <= start + 40


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


def test_layer_range():
    model = Sequential([pydl.Input((4,)), *(layers.Dense(2, name=f"d{i}") for i in range(5))])
    text = text_of(model, layer_range=["d1", "d[23]"])
    assert [name for name in ("d0", "d1", "d2", "d3", "d4") if name in text] == ["d1", "d2", "d3"]
    with pytest.raises(ValueError, match=r"\[summary\] expected layer_range among"):
        model.summary(layer_range=["d1", "none"])


def test_positions():
    model = Sequential([pydl.Input((4,)), layers.Dense(3, name="d")])
    lines = text_of(model, line_length=60, positions=[0.5, 0.75, 1.0]).splitlines()
    assert lines[2].index("Output shape") == 32 and len(lines[1]) == 60
    with pytest.raises(ValueError, match="expected 3 positions"):
        model.summary(positions=[0.5, 1.0])
