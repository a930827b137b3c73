"""Writes docs/keras.md: which of Keras's public names pydl has, with which differences, and why.

``python python_tests/conformance/keras_names.py`` writes the page; the test beside compares it.
"""

from __future__ import annotations

import fnmatch
import importlib
import inspect
import os
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import keras_notes as notes

VERSION = "3.15"  # of Keras, which the notes are about
PAGE = Path(__file__).resolve().parents[2] / "docs" / "keras.md"
_MISSING = object()


class Entry(NamedTuple):
    """What is known about one public name."""

    name: str
    state: str
    note: str


class Unexplained(NamedTuple):
    """A difference that no note explains."""

    name: str
    difference: str


def public_names(keras: ModuleType) -> Iterator[tuple[str, Any]]:
    """Every name that Keras exports, with its object: ``"keras.layers.Dense"``."""
    yield from _names_of(keras, "keras", set())


def _names_of(module: ModuleType, path: str, seen: set) -> Iterator[tuple[str, Any]]:
    seen.add(id(module))
    for name in sorted(n for n in vars(module) if not n.startswith("_")):
        value = getattr(module, name)
        if not inspect.ismodule(value):
            yield f"{path}.{name}", value
        elif value.__name__.startswith("keras.") and not _is_source(value) and id(value) not in seen:
            yield from _names_of(value, f"{path}.{name}", seen)


def _is_source(module: ModuleType) -> bool:
    """Whether it is an implementation, which nobody is to import, or a copy of another namespace."""
    parts = module.__name__.split(".")
    return "src" in parts or "legacy" in parts or parts[1:2] == ["_tf_keras"]


def ours(name: str) -> Any:
    """What pydl has under a name of Keras, or `_MISSING`."""
    found: Any = importlib.import_module("pydl")
    for i, part in enumerate(name.split(".")[1:], 2):
        value = getattr(found, part, _MISSING)
        if value is _MISSING or (i < name.count(".") + 1) != inspect.ismodule(value):
            return _MISSING
        found = value
    return found


def parameters(function: Any, inherited: bool = False) -> dict[str, inspect.Parameter]:
    """The parameters of a function or a constructor, with those that **kwargs passes on if asked."""
    constructors = [function]
    if inspect.isclass(function):
        constructors = [c.__init__ for c in function.__mro__[:-1] if "__init__" in vars(c)]
    found: dict = {}
    for constructor in constructors:
        own = inspect.signature(constructor).parameters
        found = {**own, **found}
        if not inherited or not any(p.kind is p.VAR_KEYWORD for p in own.values()):
            break
    hidden = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
    return {n: p for n, p in found.items() if p.kind not in hidden and n != "self"}


def same_default(mine: Any, other: Any) -> bool:
    def plain(value: Any) -> Any:
        if isinstance(value, (list, tuple)) and len(set(value)) == 1:
            return value[0]  # (1, 1) is 1
        return value

    return plain(mine) == plain(other) or (mine is None and isinstance(other, str))  # a name's default


def differences(mine: Any, other: Any) -> list[str]:
    """What of a function or class of Keras is missing or other: "argument", "default" and "method" keys."""
    found: list[str] = []
    try:
        own, theirs = parameters(mine, inherited=True), parameters(other)
    except (TypeError, ValueError):
        return found
    takes_any = any(p.kind is p.VAR_POSITIONAL for p in _raw(mine))
    for name, parameter in theirs.items():
        if name not in own:
            found += [] if takes_any else [f"argument {name}"]
        elif name != "name" and not same_default(own[name].default, parameter.default):
            found.append(f"default {name}")
    if inspect.isclass(other) and not issubclass(other, Exception):
        found += [f"member {n}" for n in _members(other) if not hasattr(mine, n)]
    return found


def _raw(function: Any) -> list[inspect.Parameter]:
    return list(inspect.signature(function.__init__ if inspect.isclass(function) else function)
                .parameters.values())  # fmt: skip


def _members(cls: type) -> list[str]:
    """Public methods of a class that it or its parents in Keras define."""
    own = {n for c in cls.__mro__ if c.__module__.startswith("keras") for n in vars(c)}
    return sorted(n for n in own if not n.startswith("_") and inspect.isroutine(getattr(cls, n)))


def examine(keras: ModuleType) -> tuple[list[Entry], list[Unexplained], set]:
    """All entries, what no note explains, and the notes that were used."""
    entries, unexplained, used = [], [], set()
    for name, theirs in public_names(keras):
        reason = _matching(notes.LEFT_OUT, name, used)
        mine = ours(name)
        if mine is _MISSING:
            if reason is None:
                unexplained.append(Unexplained(name, "is missing"))
            entries.append(Entry(name, "left out", reason or ""))
            continue
        if reason is not None:
            unexplained.append(Unexplained(name, f"is there, but noted as left out: {reason}"))
        entry, more = _compared(name, mine, theirs, used)
        entries.append(entry)
        unexplained += more
    return entries, unexplained, used


def _compared(name: str, mine: Any, theirs: Any, used: set) -> tuple[Entry, list[Unexplained]]:
    remarks, unexplained = [], []
    whole = _matching(notes.DIFFERS, name, used)
    if whole is not None:
        remarks.append(whole)
    for difference in differences(mine, theirs) if callable(theirs) else []:
        kind, item = difference.split()
        if kind == "member" and _matching(notes.INTERNAL_MEMBERS, item, used) is not None:
            continue
        reason = _matching(notes.DIFFERENCES, f"{name.rpartition('.')[2]}.{item}", used)
        if reason is None:
            unexplained.append(Unexplained(name, f"lacks or changes {difference}"))
        remarks.append(f"`{item}`: {reason}")
    return Entry(name, "differs" if remarks else "has", "; ".join(remarks)), unexplained


def _matching(patterns: dict[str, str], name: str, used: set) -> str | None:
    for pattern, reason in patterns.items():
        if fnmatch.fnmatchcase(name, pattern):
            used.add((id(patterns), pattern))
            return reason
    return None


def unused_notes(used: set) -> list[str]:
    """Notes about what is no longer so."""
    tables = (notes.LEFT_OUT, notes.DIFFERS, notes.DIFFERENCES, notes.INTERNAL_MEMBERS)
    return [p for table in tables for p in table if (id(table), p) not in used]


def page(entries: list[Entry]) -> str:
    """The text of docs/keras.md."""
    states = [sum(e.state == state for e in entries) for state in ("has", "differs", "left out")]
    lines = [
        "# Keras's public names",
        "",
        f"Which of the {len(entries)} public names of Keras {VERSION} pydl has: {states[0]} as they are, "
        f"{states[1]} with differences that are",
        f"named below, {states[2]} not, for the reasons below. Names with the same answer share a row. "
        "This page is written by",
        "`python_tests/conformance/keras_names.py`, which compares names, arguments, defaults and methods; "
        "a test keeps it true.",
    ]
    for namespace in dict.fromkeys(e.name.rpartition(".")[0] for e in entries):
        lines += ["", f"## {namespace}", "", "| names | pydl | what differs, or why it is left out |", "|---|---|---|"]
        own = [e for e in entries if e.name.rpartition(".")[0] == namespace]
        for state in ("has", "differs", "left out"):
            groups: dict[str, list[str]] = {}
            for entry in own:
                if entry.state == state:
                    groups.setdefault(entry.note, []).append(f"`{entry.name.rpartition('.')[2]}`")
            lines += [f"| {' '.join(names)} | {state} | {note} |" for note, names in groups.items()]
    lines += ["", "## Methods", "", "Methods of Keras's classes that pydl's lack, and why no one misses them:", ""]
    lines += ["| methods | why |", "|---|---|"]
    reasons: dict[str, list[str]] = {}
    for name, reason in notes.INTERNAL_MEMBERS.items():
        reasons.setdefault(reason, []).append(f"`{name}`")
    lines += [f"| {' '.join(names)} | {reason} |" for reason, names in reasons.items()]
    return "\n".join(lines) + "\n"


def main() -> None:
    os.environ.setdefault("KERAS_BACKEND", "jax")
    import keras

    entries, unexplained, used = examine(keras)
    for item in unexplained:
        print(f"{item.name} {item.difference}")
    for note in unused_notes(used):
        print(f"unused note: {note}")
    PAGE.write_text(page(entries))


if __name__ == "__main__":
    main()
