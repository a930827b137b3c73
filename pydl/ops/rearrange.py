"""Axes rearranged by a pattern of names, as einops writes it."""

from __future__ import annotations

import math
import re

from pydl import _core
from pydl._core import ShapeError, Tensor
from pydl.typing import ArrayLike

__all__ = ["rearrange"]


def rearrange(tensor: ArrayLike, pattern: str, **axes_lengths: int) -> Tensor:
    """Splits, reorders and merges axes.

    Args:
        tensor: Any shape.
        pattern: Names of the axes before and after: "b h w c -> b (h w) c" merges two, and
            "b (h w) c -> b h w c" splits one. 1 stands for an axis of extent 1, ``...`` for any others.
        **axes_lengths: Extents of axes that a split makes; one in each may be left out.

    Returns:
        The tensor with the axes of the right side.

    Raises:
        ValueError: If the pattern makes no sense.
        ShapeError: If it does not fit the shape.

    Example:
        >>> pydl.ops.rearrange([[1, 2, 3, 4]], "a (b c) -> c (a b)", b=2).tolist()
        [[1, 3], [2, 4]]
    """
    x = _core.as_tensor(tensor)
    sides = pattern.split("->")
    if len(sides) != 2:
        raise ValueError(f"[rearrange] expected a pattern with one '->', got {pattern!r}")
    left, right = (_groups(side, pattern) for side in sides)
    if ["..."] in left:
        hidden = x.ndim - len(left) + 1
        rest = [[f"...{i}"] for i in range(hidden)]
        left, right = (_opened(side, rest) for side in (left, right))
    if len(left) != x.ndim:
        raise ShapeError(f"[rearrange] expected {len(left)} axes for {pattern!r}, got {x.shape}")
    names, extents = [n for g in left for n in g if n != "1"], dict(axes_lengths)
    targets = [n for g in right for n in g if n != "1"]
    if len(set(names)) != len(names) or sorted(names) != sorted(targets):
        raise ValueError(f"[rearrange] expected the same names once on both sides, got {pattern!r}")
    for group, extent in zip(left, x.shape):
        known = math.prod(extents.get(n, 1) for n in group if n != "1")
        unknown = [n for n in group if n != "1" and n not in extents]
        if len(unknown) > 1 or (extent % known if unknown else extent != known):
            raise ShapeError(
                f"[rearrange] expected extents that fit axis {' '.join(group)!r} of {pattern!r}, got "
                f"{extent} and {axes_lengths}"
            )
        extents.update((n, extent // known) for n in unknown)
    x = _core.reshape(x, [extents[n] for n in names])
    x = _core.permute(x, [names.index(n) for n in targets])
    return _core.reshape(x, [math.prod(extents.get(n, 1) for n in group) for group in right])


def _groups(side: str, pattern: str) -> list[list[str]]:
    """The names of each axis: several for one in brackets."""
    found = re.findall(r"\(([^()]*)\)|(\.\.\.|\w+)", side)
    if re.sub(r"\([\w\s.]*\)|\.\.\.|\w+|\s", "", side):
        raise ValueError(f"[rearrange] expected names, brackets and '...', got {pattern!r}")
    return [inside.split() if not name else [name] for inside, name in found]


def _opened(groups: list[list[str]], rest: list[list[str]]) -> list[list[str]]:
    result = []
    for group in groups:
        if group == ["..."]:
            result += rest
        elif "..." in group:
            flat = [n for one in rest for n in one]
            i = group.index("...")
            result.append([*group[:i], *flat, *group[i + 1 :]])
        else:
            result.append(group)
    return result
