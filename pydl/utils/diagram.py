"""Boxes joined by arrows, laid out in layers and drawn as SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

__all__ = ["Box", "Diagram"]

_CHARACTER, _LINE = 7.3, 17.0  # pixels that a letter and a line of text take
_PADDING, _BETWEEN, _RANK_GAP = 10.0, 26.0, 36.0
_STYLE = (
    "text{font:12px ui-monospace,Menlo,Consolas,monospace;fill:#222;text-anchor:middle}"
    "text.title{font-weight:bold}rect{fill:#f4f7fb;stroke:#4a6fa5;rx:5}"
    "path{fill:none;stroke:#667;stroke-width:1.2}"
)


@dataclass
class Box:
    """A box of text, or a point that an arrow passes on its way across ranks.

    Attributes:
        lines: its text; none for a point.
        rank: which row it is in, from 0.
        across: where its middle is along its row, in pixels.
        along: where its middle is from the first row to the last, in pixels.
        size: its width and height in pixels.
    """

    lines: Sequence[str]
    rank: int
    across: float = 0.0
    along: float = 0.0
    size: tuple[float, float] = (0.0, 0.0)

    def __post_init__(self) -> None:
        if self.lines:
            width = max(map(len, self.lines)) * _CHARACTER + 2 * _PADDING
            self.size = (width, len(self.lines) * _LINE + _PADDING)


@dataclass
class Diagram:
    """Boxes and the arrows between them.

    Example:
        >>> from pydl.utils.diagram import Diagram
        >>> diagram = Diagram()
        >>> first, second = diagram.add(["a"], []), diagram.add(["b"], [])
        >>> diagram.arrows.append((first, second))
        >>> diagram.svg().startswith("<svg")
        True
    """

    boxes: list[Box] = field(default_factory=list)
    arrows: list[tuple[int, int]] = field(default_factory=list)

    def add(self, lines: Sequence[str], sources: Sequence[int]) -> int:
        """Adds a box below those at `sources`, with arrows from them, and returns its number."""
        rank = max((self.boxes[source].rank + 1 for source in sources), default=0)
        self.boxes.append(Box(lines, rank))
        number = len(self.boxes) - 1
        self.arrows += [(source, number) for source in sources]
        return number

    def svg(self, horizontal: bool = False) -> str:
        """Draws it.

        Args:
            horizontal: whether ranks go from left to right instead of from top to bottom.
        """
        placed = [Box(box.lines, box.rank) for box in self.boxes]
        paths = [self._path(arrow, placed) for arrow in self.arrows]
        extent = _place(placed, paths, horizontal)
        width, height = extent[::-1] if horizontal else extent
        parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
            f'viewBox="0 0 {width:.0f} {height:.0f}"><style>{_STYLE}</style>'
            '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" '
            'markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z" style="fill:#667"/></marker>'
            '</defs><rect width="100%" height="100%" style="fill:#fff;stroke:none"/>'
        ]
        parts += [_draw_path([placed[i] for i in path], horizontal) for path in paths]
        parts += [_draw_box(box, horizontal) for box in placed if box.lines]
        return "\n".join([*parts, "</svg>\n"])

    def _path(self, arrow: tuple[int, int], placed: list[Box]) -> list[int]:
        """The numbers of the boxes that an arrow goes through, with new points in between."""
        source, target = arrow
        path = [source]
        for rank in range(placed[source].rank + 1, placed[target].rank):
            placed.append(Box((), rank))
            path.append(len(placed) - 1)
        return [*path, target]


def _place(boxes: list[Box], paths: list[list[int]], horizontal: bool) -> tuple[float, float]:
    """Gives every box its place; returns the size of the whole, across and along."""
    sources: dict[int, list[int]] = {}
    for path in paths:
        for one, other in zip(path, path[1:]):
            sources.setdefault(other, []).append(one)
    rows: dict[int, list[int]] = {}
    for number, box in enumerate(boxes):
        rows.setdefault(box.rank, []).append(number)
    side = 1 if horizontal else 0  # of a box that lies across
    along, widest = _PADDING, 0.0
    for rank in sorted(rows):
        row = rows[rank]
        for number in row:
            above = [boxes[i].across for i in sources.get(number, ())]
            boxes[number].across = sum(above) / len(above) if above else 0.0
        row.sort(key=lambda number: boxes[number].across)
        widths = [boxes[number].size[side] + _BETWEEN for number in row]
        depth = max(boxes[number].size[1 - side] for number in row)
        start = -sum(widths) / 2
        for number, width in zip(row, widths):
            boxes[number].across = start + width / 2
            boxes[number].along = along + depth / 2
            start += width
            if not boxes[number].lines:  # an arrow runs straight past the boxes beside it
                boxes[number].size = (depth, 0.0) if horizontal else (0.0, depth)
        widest = max(widest, sum(widths))
        along += depth + _RANK_GAP
    for box in boxes:
        box.across += widest / 2
    return widest, along - _RANK_GAP + _PADDING


def _draw_box(box: Box, horizontal: bool) -> str:
    x, y = _point(box.across, box.along, horizontal)
    width, height = box.size
    top = y - height / 2
    text = "".join(
        f'<text{" class=" + chr(34) + "title" + chr(34) if i == 0 else ""} x="{x:.1f}" '
        f'y="{top + _PADDING / 2 + (i + 0.75) * _LINE:.1f}">{escape(line)}</text>'
        for i, line in enumerate(box.lines)
    )
    return (
        f'<rect x="{x - width / 2:.1f}" y="{top:.1f}" width="{width:.1f}" '
        f'height="{height:.1f}"/>{text}'
    )


def _draw_path(boxes: list[Box], horizontal: bool) -> str:
    """A smooth line from the end of the first box to the start of the last."""

    def write(*points: tuple[float, float]) -> str:
        return " ".join("{:.1f} {:.1f}".format(*_point(*p, horizontal)) for p in points)

    side = 0 if horizontal else 1
    data = ""
    for box, target in zip(boxes, boxes[1:]):
        start, stop = box.along + box.size[side] / 2, target.along - target.size[side] / 2
        middle = (start + stop) / 2
        data += ("L" if data else "M") + write((box.across, start))
        data += "C" + write((box.across, middle), (target.across, middle), (target.across, stop))
    return f'<path d="{data}" marker-end="url(#tip)"/>'


def _point(across: float, along: float, horizontal: bool) -> tuple[float, float]:
    return (along, across) if horizontal else (across, along)
