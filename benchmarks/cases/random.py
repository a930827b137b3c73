"""Random numbers and dropout."""

from __future__ import annotations

from benchmarks.case import Case, floats

COUNT = 10**7


def _generated(name: str, prepare: dict) -> Case:
    return Case("random", f"{name} 1e7", lambda random: (), prepare=prepare, bytes=4 * COUNT)


def _numpy_generator(method: str):
    def prepare(np):
        generator = np.random.default_rng(0)
        return lambda: getattr(generator, method)(COUNT, np.float32)

    return prepare


CASES = [
    _generated(
        "uniform",
        {
            "pydl": lambda pydl: lambda: pydl.random.uniform((COUNT,)),
            "numpy": _numpy_generator("random"),
            "torch": lambda torch: lambda: torch.rand(COUNT),
        },
    ),
    _generated(
        "normal",
        {
            "pydl": lambda pydl: lambda: pydl.random.normal((COUNT,)),
            "numpy": _numpy_generator("standard_normal"),
            "torch": lambda torch: lambda: torch.randn(COUNT),
        },
    ),
    *(
        Case(
            "random",
            "dropout 1e7" + (" fwd+bwd" if gradient else ""),
            floats(COUNT),
            {
                "pydl": lambda pydl, x: pydl.random.dropout(x, 0.5),
                "torch": lambda torch, x: torch.nn.functional.dropout(x, 0.5),
            },
            gradient=gradient,
            bytes=(20 if gradient else 8) * COUNT,
        )
        for gradient in ((), (0,))
    ),
]
