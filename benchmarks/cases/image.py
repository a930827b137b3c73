"""Images resized and transformed, a batch at a time."""

from __future__ import annotations

import numpy

from benchmarks.case import Case

BATCH, SIZE, TARGET = 16, 256, 224
_TURN = numpy.array([0.98, -0.17, 25.0, 0.17, 0.98, -20.0, 0, 0], "float32")


def _images(random):
    return (random.uniform(0, 255, (BATCH, SIZE, SIZE, 3)).astype("float32"),)


def _channels_first(x):
    return (x.permute(0, 3, 1, 2).contiguous(),)


def _resize_case(method: str, antialias: bool) -> Case:
    return Case(
        "image",
        f"{method}{' antialias' if antialias else ''} {BATCH}x{SIZE}x{SIZE}x3 to {TARGET}",
        _images,
        {
            "pydl": lambda pydl, x: pydl.ops.image.resize(
                x, (TARGET, TARGET), method, antialias=antialias
            ),
            "torch": lambda torch, x: torch.nn.functional.interpolate(
                x, (TARGET, TARGET), mode=method, antialias=antialias
            ),
            "jax": lambda jax, x: jax.image.resize(
                x, (BATCH, TARGET, TARGET, 3), method, antialias=antialias
            ),
        },
        adapt={"torch": _channels_first},
        bytes=4 * BATCH * 3 * (SIZE**2 + TARGET**2),
    )


def _rotate_torch(torch, x):
    matrix = torch.tensor([[0.98, -0.17, 0.0], [0.17, 0.98, 0.0]]).expand(BATCH, 2, 3)
    grid = torch.nn.functional.affine_grid(matrix, x.shape, align_corners=False)
    return torch.nn.functional.grid_sample(x, grid, align_corners=False)


_TRANSFORM = Case(
    "image",
    f"rotation {BATCH}x{SIZE}x{SIZE}x3",
    _images,
    {
        "pydl": lambda pydl, x: pydl.ops.image.affine_transform(x, _TURN),
        "torch": _rotate_torch,
    },
    adapt={"torch": _channels_first},
    bytes=8 * BATCH * 3 * SIZE**2,
)

CASES = [_resize_case("bilinear", False), _resize_case("bicubic", True), _TRANSFORM]
