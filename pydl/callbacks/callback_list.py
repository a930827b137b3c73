"""CallbackList: several callbacks called as one, at no cost for the moments that none overrides."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from pydl._call_errors import show
from pydl.callbacks.callback import Callback
from pydl.callbacks.history import History
from pydl.callbacks.progbar_logger import ProgbarLogger

_MOMENTS = tuple(name for name in vars(Callback) if name.startswith("on_"))


class CallbackList:
    """The callbacks of one run of fit, evaluate or predict.

    Args:
        callbacks: a callback, several, or None.
        add_history: whether to add a `History` if there is none.
        add_progbar: whether to add a `ProgbarLogger` if there is none.
        model: the model that they watch.
        **params: what `Callback.params` will hold.

    Attributes:
        params: the dict that all callbacks share.
    """

    def __init__(
        self,
        callbacks: Callback | Sequence[Callback] | None = None,
        add_history: bool = False,
        add_progbar: bool = False,
        model: Any = None,
        **params: Any,
    ) -> None:
        if isinstance(callbacks, Callback):
            callbacks = [callbacks]
        if callbacks is not None and not isinstance(callbacks, (list, tuple)):
            raise TypeError(
                f"[callbacks] expected a callback or a list of them, got {show(callbacks)}"
            )
        self.callbacks: list[Callback] = list(callbacks or ())
        for callback in self.callbacks:
            if not isinstance(callback, Callback):
                raise ValueError(
                    f"[callbacks] expected objects of class Callback, got {callback!r}"
                )
        if add_progbar and not self._has(ProgbarLogger):
            self.callbacks.insert(0, ProgbarLogger())
        if add_history and not self._has(History):
            self.callbacks.append(History())
        self.params = params
        for callback in self.callbacks:
            if model is not None:
                callback.set_model(model)
            callback.set_params(params)
        self._find_hooks()

    def _has(self, cls: type) -> bool:
        return any(isinstance(callback, cls) for callback in self.callbacks)

    @property
    def history(self) -> History:
        """The `History` among the callbacks."""
        return next(c for c in self.callbacks if isinstance(c, History))

    def _find_hooks(self) -> None:
        """For each moment, the callbacks that override it."""
        self._hooks: dict[str, list[Callback]] = {
            moment: [c for c in self.callbacks if _overrides(c, moment)] for moment in _MOMENTS
        }
        self._next_call: dict[Callback, float] = {
            c: 0.0 for c in self.callbacks if c.min_interval > 0
        }

    def call(self, moment: str, *args: Any) -> None:
        """Calls `moment`, such as `"on_train_begin"`, of every callback that overrides it."""
        for callback in self._hooks[moment]:
            getattr(callback, moment)(*args)

    def batch_end(self, moment: str, batch: int, logs: Callable[[], dict[str, Any]]) -> None:
        """Calls a batch-end `moment`; `logs` is called only if a callback is due.

        Args:
            moment: such as `"on_train_batch_end"`.
            batch: number of the batch in its epoch.
            logs: returns the logs.
        """
        hooks = self._hooks[moment]
        if not hooks:
            return
        values = None
        for callback in hooks:
            if callback.min_interval > 0:
                now = time.perf_counter()
                if now < self._next_call[callback]:
                    continue
                self._next_call[callback] = now + callback.min_interval
            if values is None:
                values = logs()
            getattr(callback, moment)(batch, values)


def _overrides(callback: Callback, moment: str) -> bool:
    return getattr(getattr(callback, moment), "__func__", None) is not getattr(Callback, moment)
