"""TensorBoard: metrics, histograms, images and the graph of a model as event files."""

from __future__ import annotations

import os
import time
from typing import Any

import numpy as np

from pydl.callbacks.callback import Callback
from pydl.callbacks.optional import need
from pydl.callbacks.rates import learning_rates
from pydl.layers import Embedding


class TensorBoard(Callback):
    """Writes event files that TensorBoard opens: `tensorboard --logdir logs`.

    Training is in `train`, validation in `validation` below the folder. The package tensorboardX
    writes the files.

    Args:
        log_dir: the folder.
        histogram_freq: epochs between histograms of the weights; 0 for none.
        write_graph: whether to write the graph of the layers.
        write_images: whether to write kernels as images with the histograms.
        write_steps_per_second: whether to write the speed of each epoch.
        update_freq: `"epoch"`; `"batch"` or a number of batches writes metrics in between too.
        profile_batch: 0; steps are not profiled.
        embeddings_freq: epochs between the vectors of `Embedding` layers; 0 for none.
        embeddings_metadata: file with a line for each vector, or a dict of them by layer.

    Raises:
        ValueError: another `update_freq` or `profile_batch`.
        ImportError: tensorboardX is not installed (when training begins).

    Example:
        >>> board = pydl.callbacks.TensorBoard("logs", histogram_freq=1)
    """

    def __init__(
        self,
        log_dir: str | os.PathLike = "logs",
        histogram_freq: int = 0,
        write_graph: bool = True,
        write_images: bool = False,
        write_steps_per_second: bool = False,
        update_freq: str | int = "epoch",
        profile_batch: int = 0,
        embeddings_freq: int = 0,
        embeddings_metadata: str | dict[str, str] | None = None,
    ) -> None:
        super().__init__()
        if profile_batch != 0:
            raise ValueError(
                f"[TensorBoard] expected profile_batch=0, got {profile_batch!r}. "
                "pydl.config.set_verbose shows the time of every op"
            )
        if update_freq not in ("epoch", "batch") and not (
            isinstance(update_freq, int) and update_freq > 0
        ):
            raise ValueError(
                f"[TensorBoard] expected update_freq 'epoch', 'batch' or a number of batches, "
                f"got {update_freq!r}"
            )
        self.log_dir = os.fspath(log_dir)
        self.histogram_freq = histogram_freq
        self.write_graph = write_graph
        self.write_images = write_images
        self.write_steps_per_second = write_steps_per_second
        self.update_freq = 1 if update_freq == "batch" else update_freq
        self.embeddings_freq = embeddings_freq
        self.embeddings_metadata = embeddings_metadata
        self._writers: dict[str, Any] = {}
        self._step = 0
        self._start = (0, 0.0)
        if update_freq != "epoch":
            self.on_train_batch_end = self._after_batch

    def writer(self, part: str) -> Any:
        """The tensorboardX `SummaryWriter` of `"train"` or `"validation"`, to write more with."""
        if part not in self._writers:
            tensorboard = need("tensorboardX", "tensorboardX", "TensorBoard")
            self._writers[part] = tensorboard.SummaryWriter(os.path.join(self.log_dir, part))
        return self._writers[part]

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        self._graph_is_due = self.write_graph
        self._step = 0
        self.writer("train")

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self._start = (self._steps_done(), time.perf_counter())

    def _steps_done(self) -> int:
        optimizer = self.model.optimizer
        return int(optimizer.iterations) if optimizer is not None else 0

    def _after_batch(self, batch: int, logs: dict[str, float] | None = None) -> None:
        self._step += 1
        if self._step % self.update_freq == 0:
            for name, value in (logs or {}).items():
                self.writer("train").add_scalar(f"batch_{name}", value, self._step)

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        for name, value in (logs or {}).items():
            part = "validation" if name.startswith("val_") else "train"
            tag = f"epoch_{name.removeprefix('val_')}"
            self.writer(part).add_scalar(tag, value, epoch)
        writer = self.writer("train")
        if self.model.optimizer is not None:
            for name, rate in learning_rates(self.model.optimizer).items():
                writer.add_scalar(f"epoch_{name}", rate, epoch)
        if self.write_steps_per_second:
            steps, start = self._start
            speed = (self._steps_done() - steps) / (time.perf_counter() - start)
            writer.add_scalar("epoch_steps_per_second", speed, epoch)
        if self.histogram_freq and epoch % self.histogram_freq == 0:
            self._write_weights(writer, epoch)
        if self.embeddings_freq and epoch % self.embeddings_freq == 0:
            self._write_embeddings(writer, epoch)
        if self._graph_is_due and self.model.built:
            self._write_graph(writer)
            self._graph_is_due = False
        for each in self._writers.values():
            each.flush()

    def _write_weights(self, writer: Any, epoch: int) -> None:
        for weight in self.model.weights:
            values = weight.detach().astype("float32").numpy()
            writer.add_histogram(weight.path, values, epoch)
            if self.write_images and values.ndim >= 2:
                writer.add_images(weight.path, _as_images(values), epoch, dataformats="NHWC")

    def _write_embeddings(self, writer: Any, epoch: int) -> None:
        for layer in self.model.layers:
            if not isinstance(layer, Embedding):
                continue
            path = self.embeddings_metadata
            path = path.get(layer.name) if isinstance(path, dict) else path
            lines = None
            if path is not None:
                with open(path, encoding="utf-8") as file:
                    lines = file.read().splitlines()
            vectors = layer.embeddings.detach().astype("float32").numpy()
            writer.add_embedding(vectors, lines, tag=layer.name, global_step=epoch)

    def _write_graph(self, writer: Any) -> None:
        graph_pb2, node_def_pb2, event_pb2 = (
            need(f"tensorboardX.proto.{name}", "tensorboardX", "TensorBoard")
            for name in ("graph_pb2", "node_def_pb2", "event_pb2")
        )
        nodes = [
            node_def_pb2.NodeDef(name=name, op=kind, input=inputs)
            for name, kind, inputs in layer_graph(self.model)
        ]
        graph = graph_pb2.GraphDef(node=nodes)
        writer.file_writer.add_event(event_pb2.Event(graph_def=graph.SerializeToString()))

    def on_train_end(self, logs: dict[str, float] | None = None) -> None:
        for writer in self._writers.values():
            writer.close()
        self._writers = {}


def layer_graph(model: Any) -> list[tuple[str, str, list[str]]]:
    """Name, class and names of inputs of each layer, as the model calls them.

    Args:
        model: a model; the layers of one without a known graph are taken as a chain.
    """
    found: list[tuple[str, str, list[str]]] = []
    for layer in model.operations:
        sources = [
            tensor._keras_history[0].name
            for node in layer._inbound_nodes
            for tensor in node.inputs
            if tensor._keras_history is not None
        ]
        if not layer._inbound_nodes and found:
            sources = [found[-1][0]]
        found.append((layer.name, type(layer).__name__, list(dict.fromkeys(sources))))
    return found


def _as_images(values: np.ndarray) -> np.ndarray:
    """A kernel as grey pictures: matrices as one, convolutions as one for each filter."""
    if values.ndim == 2:
        images = values[None]
    else:
        height, width = values.shape[0], values.shape[1] if values.ndim > 3 else 1
        images = np.moveaxis(values.reshape(height, width, -1), -1, 0)[:64]
    low, high = images.min(), images.max()
    return ((images - low) / (high - low if high > low else 1.0))[..., None]
