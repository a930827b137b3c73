"""Callbacks that send metrics elsewhere: servers, TensorBoard, MLflow, rich, Optuna, pictures."""

import json
import sys
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, HTTPServer

import numpy as np
import pytest

import pydl
from pydl import callbacks, layers

rng = np.random.default_rng(0)
X, Y = rng.normal(size=(16, 4)).astype("float32"), rng.normal(size=(16, 2)).astype("float32")


def model(optimizer="sgd"):
    made = pydl.Sequential([pydl.Input((4,)), layers.Dense(3, name="d1"), layers.Dense(2)])
    made.compile(optimizer, "mse", metrics=["mae"])
    return made


def fit(*callback, epochs=2, of=None, **arguments):
    of = of or model()
    return of.fit(X, Y, epochs=epochs, verbose=0, callbacks=list(callback), **arguments)


@pytest.mark.parametrize("as_json", [False, True])
def test_remote_monitor(as_json):
    received = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            text = self.rfile.read(int(self.headers["Content-Length"])).decode()
            received.append((self.path, self.headers["X-Key"], text))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    root = f"http://127.0.0.1:{server.server_port}"
    history = fit(callbacks.RemoteMonitor(root, headers={"X-Key": "k"}, send_as_json=as_json))
    server.shutdown()
    server.server_close()
    assert [r[:2] for r in received] == [("/publish/epoch/end/", "k")] * 2
    texts = [r[2] if as_json else urllib.parse.parse_qs(r[2])["data"][0] for r in received]
    sent = [json.loads(text) for text in texts]
    assert [s["epoch"] for s in sent] == [0, 1]
    assert [s["loss"] for s in sent] == history.history["loss"]


def test_remote_monitor_without_a_server_warns():
    with pytest.warns(UserWarning, match=r"\[RemoteMonitor\] expected a server at"):
        fit(callbacks.RemoteMonitor("http://127.0.0.1:1"), epochs=1)


def scalars(folder):
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    events = accumulator.EventAccumulator(str(folder), size_guidance={"images": 0, "histograms": 0})
    events.Reload()
    return events


def test_tensorboard_reads_what_the_callback_wrote(tmp_path):
    pytest.importorskip("tensorboardX")
    board = callbacks.TensorBoard(
        tmp_path, histogram_freq=1, write_images=True, write_steps_per_second=True, update_freq=1
    )
    history = fit(board, epochs=3, batch_size=8, validation_data=(X, Y))
    train, validation = scalars(tmp_path / "train"), scalars(tmp_path / "validation")
    for part, name in ((train, "loss"), (train, "mae"), (validation, "loss")):
        values = [event.value for event in part.Scalars(f"epoch_{name}")]
        key = f"val_{name}" if part is validation else name
        np.testing.assert_allclose(values, history.history[key], rtol=1e-6)
    assert [event.step for event in train.Scalars("batch_loss")] == [1, 2, 3, 4, 5, 6]
    assert {"epoch_learning_rate", "epoch_steps_per_second"} <= set(train.Tags()["scalars"])
    kernels = [tag for tag in train.Tags()["histograms"] if tag.endswith("d1/kernel")]
    assert len(kernels) == 1 and len(train.Histograms(kernels[0])) == 3
    assert train.Tags()["images"]
    graph = pytest.importorskip("tensorboard.compat.proto.graph_pb2").GraphDef()
    graph.ParseFromString(train.Graph().SerializeToString())
    named = {node.name: node for node in graph.node}
    assert named["d1"].op == "Dense"
    assert [list(node.input) for node in graph.node if node.name.startswith("dense")] == [["d1"]]


def test_tensorboard_writes_embeddings(tmp_path):
    pytest.importorskip("tensorboardX")
    words = tmp_path / "words.tsv"
    words.write_text("a\nb\nc\n")
    made = pydl.Sequential([pydl.Input((2,)), layers.Embedding(3, 4, name="e"), layers.Flatten()])
    made.add(layers.Dense(1))
    made.compile("sgd", "mse")
    board = callbacks.TensorBoard(
        tmp_path / "logs", embeddings_freq=2, embeddings_metadata={"e": str(words)}
    )
    made.fit(np.array([[0, 1], [2, 1]]), np.ones(2), epochs=3, verbose=0, callbacks=board)
    folders = sorted(p.parent for p in (tmp_path / "logs").rglob("tensors.tsv"))
    assert len(folders) == 2
    vectors = np.loadtxt(folders[-1] / "tensors.tsv", delimiter="\t")
    np.testing.assert_allclose(vectors, made.get_weights()[0], rtol=1e-4)
    assert (folders[-1] / "metadata.tsv").read_text().split() == ["a", "b", "c"]
    with pytest.raises(ValueError, match=r"expected profile_batch=0, got 2"):
        callbacks.TensorBoard(profile_batch=2)


def test_tensorboard_knows_the_graph_of_a_functional_model():
    from pydl.callbacks.tensorboard import layer_graph

    a = pydl.Input((4,), name="a")
    left, right = layers.Dense(3, name="left")(a), layers.Dense(3, name="right")(a)
    both = pydl.Model(a, layers.Add(name="both")([left, right]))
    graph = {name: inputs for name, _, inputs in layer_graph(both)}
    assert graph["both"] == ["left", "right"] and graph["left"] == graph["right"] == ["a"]


def test_packages_that_are_missing_are_named(monkeypatch):
    for module, make in (
        ("tensorboardX", lambda: fit(callbacks.TensorBoard("logs"), epochs=1)),
        ("mlflow", lambda: fit(callbacks.MLflowLogger(), epochs=1)),
        ("rich.live", lambda: fit(callbacks.LiveTable(), epochs=1)),
        ("matplotlib.figure", lambda: fit().plot()),
    ):
        monkeypatch.setitem(sys.modules, module, None)
        package = module.split(".")[0]
        with pytest.raises(ImportError, match=f"expected the package '{package}'"):
            make()


def test_mlflow(tmp_path):
    mlflow = pytest.importorskip("mlflow")
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path / 'runs.db'}")
    mlflow.create_experiment("e", artifact_location=(tmp_path / "artifacts").as_uri())
    mlflow.set_experiment("e")
    history = fit(callbacks.MLflowLogger(run_name="r"), epochs=3)
    assert mlflow.active_run() is None
    run = mlflow.search_runs(output_format="list")[0]
    assert run.data.params["optimizer"] == "SGD" and run.data.params["epochs"] == "3"
    logged = mlflow.MlflowClient().get_metric_history(run.info.run_id, "loss")
    np.testing.assert_allclose([m.value for m in logged], history.history["loss"])
    (saved,) = (tmp_path / "artifacts").rglob("model.pydl")
    assert pydl.models.load_model(saved).count_params() == model().count_params()


def test_live_table(capsys):
    pytest.importorskip("rich")
    table = callbacks.LiveTable(rows=2)
    history = fit(table, epochs=4, validation_data=(X, Y))
    text = capsys.readouterr().out
    assert "val_loss" in text and "4/4" in text and "1/4" not in text.splitlines()[-3]
    assert f"{history.history['loss'][-1]:.4f}" in text


def test_history_plot(tmp_path):
    pytest.importorskip("matplotlib")
    history = fit(epochs=4, validation_data=(X, Y), validation_freq=2)
    figure = history.plot(path=tmp_path / "h.png")
    assert (tmp_path / "h.png").stat().st_size > 1000
    lines = {line.get_label(): line for line in figure.axes[0].lines}
    np.testing.assert_allclose(lines["training"].get_ydata(), history.history["loss"])
    assert list(lines["training"].get_xdata()) == [1, 2, 3, 4]
    assert list(lines["validation"].get_xdata()) == [2, 4]
    assert len(history.plot(["mae"]).axes) == 1
    with pytest.raises(ValueError, match=r"expected metrics among loss, mae, got \['f1'\]"):
        history.plot(["f1"])


def test_optuna_prunes():
    optuna = pytest.importorskip("optuna")
    optuna.logging.set_verbosity(optuna.logging.ERROR)

    def objective(trial):
        rate = trial.suggest_categorical("rate", [0.1, 1e-6])
        pruning = callbacks.OptunaPruning(trial, "loss")
        made = model(pydl.optimizers.SGD(rate))
        made.set_weights([np.zeros(w.shape) for w in made.get_weights()])
        return fit(pruning, epochs=4, of=made).history["loss"][-1]

    study = optuna.create_study(
        sampler=optuna.samplers.GridSampler({"rate": [0.1, 1e-6]}, seed=1),
        pruner=optuna.pruners.ThresholdPruner(upper=0.9 * float((Y**2).mean()), n_warmup_steps=2),
    )
    study.optimize(objective, n_trials=2)
    states = {trial.params["rate"]: trial.state.name for trial in study.trials}
    assert states[1e-6] == "PRUNED"


class Watch(callbacks.Callback):
    """Remembers the weights that evaluation and later callbacks see."""

    def __init__(self):
        super().__init__()
        self.tests, self.epochs, self.batches = [], [], []

    def on_test_begin(self, logs=None):
        self.tests.append(self.model.get_weights()[0])

    def on_epoch_end(self, epoch, logs=None):
        self.epochs.append(self.model.get_weights()[0])

    def on_train_batch_end(self, batch, logs=None):
        self.batches.append(self.model.get_weights()[0])


@pytest.mark.parametrize("every_epoch", [False, True])
def test_swap_ema_weights(every_epoch):
    momentum = 0.5
    watch = Watch()
    made = model(pydl.optimizers.SGD(0.1, use_ema=True, ema_momentum=momentum))
    swap = callbacks.SwapEMAWeights(swap_on_epoch=every_epoch)
    fit(swap, watch, of=made, epochs=3, batch_size=16, validation_data=(X, Y))
    average = watch.batches[0]
    expected = [average]
    for weights in watch.batches[1:]:
        average = momentum * average + (1 - momentum) * weights
        expected.append(average)
    np.testing.assert_allclose(watch.tests, expected, rtol=1e-5, atol=1e-6)
    seen = expected if every_epoch else watch.batches
    np.testing.assert_allclose(watch.epochs, seen, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(made.get_weights()[0], expected[-1], rtol=1e-5, atol=1e-6)


def test_swap_needs_averages():
    with pytest.raises(ValueError, match=r"expected an optimizer with use_ema=True, got sgd"):
        fit(callbacks.SwapEMAWeights(), validation_data=(X, Y))


def test_fit_ends_with_the_averages():
    made = model(pydl.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.5))
    watch = Watch()
    fit(watch, of=made, epochs=2, batch_size=16)
    expected = 0.5 * watch.batches[0] + 0.5 * watch.batches[1]
    np.testing.assert_allclose(made.get_weights()[0], expected, rtol=1e-5, atol=1e-6)
