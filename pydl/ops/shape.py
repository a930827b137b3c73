"""Tensors under another shape, joined, split and repeated.

What only changes the shape is a view on the same memory; what moves elements is a copy.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pydl import _core
from pydl._core import DTypeError, OutOfMemoryError, Tensor
from pydl.typing import ArrayLike, Axis, Shape

__all__ = [
    "broadcast_to",
    "concatenate",
    "expand_dims",
    "flip",
    "moveaxis",
    "pad",
    "permute",
    "ravel",
    "repeat",
    "reshape",
    "roll",
    "split",
    "squeeze",
    "stack",
    "swapaxes",
    "tile",
    "transpose",
    "unstack",
]


def reshape(x: ArrayLike, newshape: Shape) -> Tensor:
    """The same elements in another shape; a view where the layout of `x` allows it.

    Args:
        x: Any shape.
        newshape: The extents; one of them may be -1 and is then computed.

    Raises:
        ShapeError: If the element counts differ.

    Example:
        >>> pydl.ops.reshape([1.0, 2.0, 3.0, 4.0], (2, -1)).shape
        (2, 2)
    """
    return _core.reshape(x, newshape)


def ravel(x: ArrayLike) -> Tensor:
    """The elements in one axis."""
    return _core.reshape(x, -1)


def squeeze(x: ArrayLike, axis: Axis = None) -> Tensor:
    """A view without axes of extent 1.

    Args:
        x: Any shape.
        axis: The axis or axes to drop; None drops all of extent 1.

    Raises:
        ShapeError: If one of `axis` has another extent.
    """
    return _core.squeeze(x, axis)


def expand_dims(x: ArrayLike, axis: int | Sequence[int]) -> Tensor:
    """A view with new axes of extent 1.

    Args:
        x: Any shape.
        axis: Where the new axes are in the result.

    Example:
        >>> pydl.ops.expand_dims([1.0, 2.0], -1).shape
        (2, 1)
    """
    return _core.expand_dims(x, axis)


def permute(x: ArrayLike, axes: Sequence[int]) -> Tensor:
    """A view with its axes in another order: axis `i` of the result is `axes[i]` of `x`."""
    return _core.permute(x, axes)


def transpose(x: ArrayLike, axes: Sequence[int] | None = None) -> Tensor:
    """A view with its axes in another order.

    Args:
        x: Any shape.
        axes: For each axis of the result, that of `x`; None reverses them.

    Example:
        >>> pydl.ops.transpose([[1.0, 2.0], [3.0, 4.0]])
        tensor([[1., 3.],
                [2., 4.]])
    """
    x = _core.as_tensor(x)
    return _core.permute(x, range(x.ndim - 1, -1, -1) if axes is None else axes)


def swapaxes(x: ArrayLike, axis1: int, axis2: int) -> Tensor:
    """A view with two axes exchanged."""
    x = _core.as_tensor(x)
    axis1, axis2 = _axis("swapaxes", axis1, x.ndim), _axis("swapaxes", axis2, x.ndim)
    axes = list(range(x.ndim))
    axes[axis1], axes[axis2] = axis2, axis1
    return _core.permute(x, axes)


def moveaxis(
    x: ArrayLike, source: int | Sequence[int], destination: int | Sequence[int]
) -> Tensor:
    """A view with axes moved to other places; the others keep their order.

    Args:
        x: Any shape.
        source: The axis or axes to move.
        destination: Where each of them goes.

    Raises:
        ValueError: If an axis repeats or their numbers differ.
    """
    x = _core.as_tensor(x)
    source, destination = (
        [_axis("moveaxis", a, x.ndim) for a in ((axis,) if isinstance(axis, int) else axis)]
        for axis in (source, destination)
    )
    distinct = len(set(source)) == len(source) and len(set(destination)) == len(destination)
    if len(source) != len(destination) or not distinct:
        raise ValueError(
            f"[moveaxis] expected as many different destinations as sources, got {source} "
            f"and {destination}"
        )
    axes = [i for i in range(x.ndim) if i not in source]
    for place, axis in sorted(zip(destination, source)):
        axes.insert(place, axis)
    return _core.permute(x, axes)


def _axis(op: str, axis: int, rank: int) -> int:
    if not -rank <= axis < rank:
        raise ValueError(
            f"[{op}] expected an axis in [{-rank}, {rank}) for a tensor of rank {rank}, got {axis}"
        )
    return axis % rank


def broadcast_to(x: ArrayLike, shape: Shape) -> Tensor:
    """A view of `x` stretched to `shape`; stretched axes take no memory."""
    return _core.broadcast_to(x, shape)


def flip(x: ArrayLike, axis: Axis = None) -> Tensor:
    """A view with the order along axes reversed.

    Args:
        x: Any shape.
        axis: The axis or axes; None reverses all.
    """
    return _core.flip(x, axis)


def concatenate(xs: Sequence[ArrayLike], axis: int = 0) -> Tensor:
    """Joins tensors along an axis.

    Args:
        xs: Tensors whose shapes are equal but for that axis.
        axis: The axis to join along.

    Returns:
        A tensor in the dtype that all promote to.

    Raises:
        ShapeError: If the other extents differ.

    Example:
        >>> pydl.ops.concatenate([[[1.0, 2.0]], [[3.0, 4.0]]])
        tensor([[1., 2.],
                [3., 4.]])
    """
    return _core.concatenate(list(xs), axis)


def stack(x: Sequence[ArrayLike], axis: int = 0) -> Tensor:
    """Joins tensors of one shape along a new axis.

    Example:
        >>> pydl.ops.stack([[1.0, 2.0], [3.0, 4.0]], axis=1)
        tensor([[1., 3.],
                [2., 4.]])
    """
    return _core.stack(list(x), axis)


def split(x: ArrayLike, indices_or_sections: int | Sequence[int], axis: int = 0) -> list[Tensor]:
    """Views of consecutive parts of an axis.

    Args:
        x: Any shape.
        indices_or_sections: How many parts of equal size, or the indices where parts begin, but for
            the first.
        axis: The axis to cut.

    Raises:
        ValueError: If the axis cannot be cut into that many equal parts.

    Example:
        >>> [part.tolist() for part in pydl.ops.split([1, 2, 3, 4], [1, 3])]
        [[1], [2, 3], [4]]
    """
    x = _core.as_tensor(x)
    extent = x.shape[_axis("split", axis, x.ndim)]
    if isinstance(indices_or_sections, (int, np.integer)):
        sections = int(indices_or_sections)
        if sections <= 0 or extent % sections:
            raise ValueError(
                f"[split] expected a number of parts that divides extent {extent} of axis {axis}, "
                f"got {sections}. Hint: pass the indices where parts begin"
            )
        sizes = [extent // sections] * sections
    else:
        # As slices would have it: negative indices count from the end, large ones mean the end.
        cuts = [slice(int(i)).indices(extent)[1] for i in indices_or_sections]
        begins, ends = [0, *cuts], [*cuts, extent]
        if any(b > e for b, e in zip(begins, ends)):
            raise ValueError(f"[split] expected ascending indices, got {indices_or_sections}")
        sizes = [e - b for b, e in zip(begins, ends)]
    return _core.split(x, sizes, axis)


def unstack(x: ArrayLike, num: int | None = None, axis: int = 0) -> list[Tensor]:
    """Views of the entries of an axis, without that axis.

    Args:
        x: At least one axis.
        num: The extent of the axis, if it shall be checked.
        axis: The axis to take apart.

    Raises:
        ValueError: If `num` is not the extent.
    """
    x = _core.as_tensor(x)
    extent = x.shape[_axis("unstack", axis, x.ndim)]
    if num is not None and num != extent:
        raise ValueError(f"[unstack] expected num to be extent {extent} of axis {axis}, got {num}")
    return _core.unstack(x, axis)


def roll(x: ArrayLike, shift: int | Sequence[int], axis: Axis = None) -> Tensor:
    """Shifts entries along axes; what leaves at one end comes in at the other.

    Args:
        x: Any shape.
        shift: How far, for each axis; positive is towards the end.
        axis: The axis or axes; None rolls the flattened tensor.

    Example:
        >>> pydl.ops.roll([1, 2, 3], 1)
        tensor([3, 1, 2])
    """
    x = _core.as_tensor(x)
    if axis is None:
        return _core.reshape(_core.roll(_core.reshape(x, -1), shift, 0), x.shape)
    axes = (axis,) if isinstance(axis, int) else tuple(axis)
    shifts = (shift,) * len(axes) if isinstance(shift, int) else tuple(shift)
    return _core.roll(x, shifts, axes)


def tile(x: ArrayLike, repeats: Shape) -> Tensor:
    """The whole of `x` several times along each axis.

    Args:
        x: Any shape.
        repeats: How often, for the last axes; more numbers than axes add axes in front.

    Example:
        >>> pydl.ops.tile([1, 2], (2, 2))
        tensor([[1, 2, 1, 2],
                [1, 2, 1, 2]])
    """
    return _core.tile(x, repeats)


def repeat(x: ArrayLike, repeats: int | Sequence[int], axis: int | None = None) -> Tensor:
    """Every entry of an axis several times in a row.

    Args:
        x: Any shape.
        repeats: How often; one number for all entries or one for each.
        axis: The axis; None repeats the elements of the flattened tensor.

    Raises:
        ValueError: If there are neither one nor as many numbers as entries, or one is negative.
        DTypeError: If `repeats` are no integers.

    Example:
        >>> pydl.ops.repeat([1, 2], [3, 1])
        tensor([1, 1, 1, 2])
    """
    x = _core.as_tensor(x)
    if axis is None:
        x, axis = _core.reshape(x, -1), 0
    counts = np.asarray(repeats)
    if counts.dtype.kind not in "iu":
        raise DTypeError(f"[repeat] expected integer repeats, got {repeats!r}")
    if counts.size == 1:
        return _core.repeat(x, int(counts.reshape(())), axis)
    extent = x.shape[_axis("repeat", axis, x.ndim)]
    if counts.shape != (extent,) or counts.min() < 0:
        raise ValueError(
            f"[repeat] expected one number or {extent} of them, at least 0, got {repeats}"
        )
    try:
        indices = np.repeat(np.arange(extent), counts)
    except MemoryError as error:
        raise OutOfMemoryError(f"[repeat] expected fewer repeats, got {repeats}: {error}") from error
    return _core.take(x, indices, axis)


def pad(
    x: ArrayLike,
    pad_width: int | Sequence,
    mode: str = "constant",
    constant_values: float | None = None,
) -> Tensor:
    """Adds elements around a tensor.

    Args:
        x: Any shape.
        pad_width: ``(before, after)`` for each axis; one such pair, or one number, for all.
        mode: ``"constant"``; ``"reflect"`` mirrors at the outermost elements, ``"symmetric"`` beyond
            them; ``"edge"`` repeats them.
        constant_values: The value of ``"constant"``; None is 0.

    Raises:
        ValueError: If `mode` is none of these, a width is negative, or there is nothing to mirror.

    Example:
        >>> pydl.ops.pad([1, 2, 3], (2, 1), mode="reflect")
        tensor([3, 2, 1, 2, 3, 2])
    """
    x = _core.as_tensor(x)
    widths = _pad_widths(pad_width, x.ndim)
    if mode != "constant" and constant_values is not None:
        raise ValueError(f"[pad] expected constant_values only in mode 'constant', not {mode!r}")
    before, after = [w[0] for w in widths], [w[1] for w in widths]
    return _core.pad(x, before, after, mode, constant_values or 0)


def _pad_widths(pad_width: int | Sequence, rank: int) -> list[tuple[int, int]]:
    if rank == 0:
        return []
    widths = np.asarray(pad_width)
    fits = widths.ndim <= 2 and widths.dtype.kind in "iu" and widths.shape[-1:] in ((), (1,), (2,))
    if fits and widths.shape[:-1] in ((), (1,), (rank,)):
        pairs = np.broadcast_to(widths, (rank, 2)).tolist()
        if all(width >= 0 for pair in pairs for width in pair):
            return [tuple(pair) for pair in pairs]
    raise ValueError(
        f"[pad] expected a width of at least 0, a pair, or a pair for each of {rank} axes, "
        f"got {pad_width}"
    )
