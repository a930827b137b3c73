"""Pictures of models: which layers there are and what flows between them."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydl import tree
from pydl.utils.diagram import Diagram

__all__ = ["ModelPicture", "model_to_dot", "plot_model"]


class ModelPicture:
    """A drawn model; notebooks show it.

    Attributes:
        path: the file that it was written to.
        svg: the drawing as SVG.
    """

    def __init__(self, path: Path, svg: str) -> None:
        self.path = path
        self.svg = svg

    def _repr_svg_(self) -> str:
        return self.svg

    def __repr__(self) -> str:
        return f"<ModelPicture {str(self.path)!r}>"


def plot_model(
    model: Any,
    to_file: Any = "model.svg",
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = False,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: int = 200,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
) -> ModelPicture:
    """Draws the layers of a model and the tensors between them.

    SVG needs no other program. For PNG, PDF and the other formats of Graphviz its program `dot` is
    run, which has to be installed.

    Args:
        model: a functional model or a built Sequential; of a class with its own `call`, the layers
            that it holds are drawn without arrows.
        to_file: path of the picture; its ending says the format.
        show_shapes: whether to show the shapes of inputs and outputs.
        show_dtype: whether to show the dtypes of outputs.
        show_layer_names: whether to show the names of layers beside their classes.
        rankdir: "TB" draws from top to bottom, "LR" from left to right.
        expand_nested: whether to draw the layers of models inside the model.
        dpi: dots an inch of pictures by Graphviz.
        show_layer_activations: whether to show the activations of layers.
        show_trainable: whether to show which layers are trained.

    Returns:
        The picture, which notebooks show.

    Raises:
        ValueError: the model is not built, or another `rankdir`.
        RuntimeError: the format needs Graphviz, which is not installed or failed.

    Example:
        >>> model = pydl.Sequential([pydl.Input((4,)), pydl.layers.Dense(2, name="out")])
        >>> picture = pydl.utils.plot_model(model, "model.svg", show_layer_names=True)
        >>> "out (Dense)" in picture.svg
        True
    """
    if rankdir not in ("TB", "LR"):
        raise ValueError(f"[plot_model] expected rankdir 'TB' or 'LR', got {rankdir!r}")
    shown = _Shown(
        show_shapes, show_dtype, show_layer_names, show_layer_activations, show_trainable
    )
    diagram = _diagram(model, shown, expand_nested)
    path = Path(to_file)
    svg = diagram.svg(horizontal=rankdir == "LR")
    if path.suffix in ("", ".svg"):
        path.write_text(svg, encoding="utf-8")
    else:
        _run_graphviz(_dot(diagram, model.name, rankdir, dpi), path)
    return ModelPicture(path, svg)


def model_to_dot(
    model: Any,
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = True,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: int = 200,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
) -> str:
    """Describes a model in the language of Graphviz.

    Args:
        model: see `plot_model`, as for all arguments.

    Returns:
        The text of a `.dot` file.

    Raises:
        ValueError: the model is not built.

    Example:
        >>> model = pydl.Sequential([pydl.Input((4,)), pydl.layers.Dense(2, name="out")])
        >>> "out (Dense)" in pydl.utils.model_to_dot(model)
        True
    """
    shown = _Shown(
        show_shapes, show_dtype, show_layer_names, show_layer_activations, show_trainable
    )
    return _dot(_diagram(model, shown, expand_nested), model.name, rankdir, dpi)


@dataclass(frozen=True)
class _Shown:
    """What the boxes tell besides the classes of layers."""

    shapes: bool
    dtype: bool
    names: bool
    activations: bool
    trainable: bool

    def lines(self, layer: Any, node: Any) -> list[str]:
        kind = type(layer).__name__
        lines = [f"{layer.name} ({kind})" if self.names else kind]
        activation = getattr(layer, "activation", None)
        if self.activations and activation is not None:
            lines.append(f"Activation: {getattr(activation, '__name__', activation)}")
        if self.shapes and node is not None:
            if node.inputs:
                lines.append(f"Input shape: {_joined(t.shape for t in node.inputs)}")
            lines.append(f"Output shape: {_joined(t.shape for t in tree.flatten(node.outputs))}")
        if self.dtype and node is not None:
            lines.append(f"Output dtype: {_joined(t.dtype for t in tree.flatten(node.outputs))}")
        if self.trainable and layer.weights:
            lines.append(f"Trainable: {layer.trainable}")
        return lines


def _joined(values: Any) -> str:
    return ", ".join(map(str, values))


def _diagram(model: Any, shown: _Shown, expand_nested: bool) -> Diagram:
    diagram = Diagram()
    if model._graph is not None:
        _add_graph(diagram, model._graph, {}, shown, expand_nested)
        return diagram
    if not model.built:
        raise ValueError(
            f"[plot_model] expected a built model, got {model.name!r}, which is not. "
            "Call it on data, or call build(input_shape)"
        )
    for layer in model.layers or [model]:
        diagram.add(shown.lines(layer, None), [])
    return diagram


def _add_graph(
    diagram: Diagram, graph: Any, made_by: dict[int, int], shown: _Shown, expand_nested: bool
) -> dict[int, int]:
    """Adds the layers of a graph to a diagram.

    Args:
        diagram: where to draw.
        graph: the graph.
        made_by: the number of the box that makes each tensor known so far, by its id; inputs that
            are missing get boxes of their own.
        shown: what boxes tell.
        expand_nested: whether to draw what is inside of models.

    Returns:
        `made_by` with the tensors of the graph.
    """
    boxes: dict[int, int] = {}
    for node in graph.nodes:
        layer, outputs = node.layer, tree.flatten(node.outputs)
        if all(id(tensor) in made_by for tensor in outputs):
            continue  # an input that something outside of the graph makes
        sources = list(dict.fromkeys(made_by[id(tensor)] for tensor in node.inputs))
        inner = getattr(layer, "_graph", None)
        if expand_nested and inner is not None:
            entries = {
                id(entry): made_by[id(tensor)]
                for entry, tensor in zip(tree.flatten(inner.inputs), node.inputs)
            }
            inside = _add_graph(diagram, inner, entries, shown, expand_nested)
            made = [inside[id(tensor)] for tensor in tree.flatten(inner.outputs)]
        else:
            if id(layer) in boxes:  # a shared layer
                diagram.arrows += [(source, boxes[id(layer)]) for source in sources]
            else:
                boxes[id(layer)] = diagram.add(shown.lines(layer, node), sources)
            made = [boxes[id(layer)]] * len(outputs)
        made_by.update((id(tensor), number) for tensor, number in zip(outputs, made))
    return made_by


def _dot(diagram: Diagram, name: str, rankdir: str, dpi: int) -> str:
    def quoted(text: str) -> str:
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'

    lines = [f"digraph {quoted(name)} {{", f"rankdir={rankdir}; dpi={dpi}; node [shape=box];"]
    for number, box in enumerate(diagram.boxes):
        label = quoted("\n".join(box.lines)).replace("\n", "\\n")
        lines.append(f"{number} [label={label}];")
    lines += [f"{source} -> {target};" for source, target in diagram.arrows]
    return "\n".join([*lines, "}\n"])


def _run_graphviz(dot: str, path: Path) -> None:
    program = shutil.which("dot")
    if program is None:
        raise RuntimeError(
            f"[plot_model] expected the program dot of Graphviz for {path.suffix} files, but it is "
            "not installed. Install Graphviz, or write an .svg file, which needs nothing"
        )
    command = [program, f"-T{path.suffix[1:]}", "-o", str(path)]
    result = subprocess.run(command, input=dot, text=True, capture_output=True)
    if result.returncode:
        raise RuntimeError(f"[plot_model] Graphviz failed: {result.stderr.strip()}")
