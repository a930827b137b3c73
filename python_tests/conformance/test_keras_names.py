"""Every public name of Keras is there or explained, and docs/keras.md says so."""

import keras_names
import pytest

pytestmark = pytest.mark.conformance


@pytest.fixture(scope="module")
def examined(keras):
    if not keras.__version__.startswith(keras_names.VERSION):
        pytest.skip(f"the notes are about Keras {keras_names.VERSION}, not {keras.__version__}")
    return keras_names.examine(keras)


def test_every_difference_is_explained(examined):
    _, unexplained, _ = examined
    assert not unexplained, "\n".join(f"{name} {what}" for name, what in unexplained)


def test_every_note_is_true(examined):
    _, _, used = examined
    unused = keras_names.unused_notes(used)
    assert not unused, f"notes about what is no longer so: {unused}"


def test_the_page_is_up_to_date(keras, examined):
    expected = keras_names.page(examined[0])
    hint = "run: python python_tests/conformance/keras_names.py"
    assert keras_names.PAGE.read_text() == expected, f"docs/keras.md is out of date; {hint}"


def test_missing_names_and_arguments_are_found(keras, monkeypatch):
    """The check can fail: without its note, each kind of difference is reported."""
    monkeypatch.setattr(keras_names.notes, "LEFT_OUT", {"keras.layers.Dense": "untrue"})
    monkeypatch.setattr(keras_names.notes, "DIFFERENCES", {})
    found = {f"{name} {what}" for name, what in keras_names.examine(keras)[1]}
    assert "keras.layers.JaxLayer is missing" in found
    assert "keras.layers.Dense is there, but noted as left out: untrue" in found
    assert "keras.layers.BatchNormalization lacks or changes argument renorm" in found
    assert "keras.ops.arange lacks or changes default step" in found
    assert "keras.callbacks.CallbackList lacks or changes member on_epoch_end" in found
