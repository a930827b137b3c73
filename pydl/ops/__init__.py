"""Operations on tensors, named as in ``keras.ops``."""

from pydl.ops.activation import *  # noqa: F403
from pydl.ops.attention import *  # noqa: F403
from pydl.ops.conv import *  # noqa: F403
from pydl.ops.creation import *  # noqa: F403
from pydl.ops.einsum import *  # noqa: F403
from pydl.ops.elementwise import *  # noqa: F403
from pydl.ops.indexing import *  # noqa: F403
from pydl.ops.linalg import *  # noqa: F403
from pydl.ops.loss import *  # noqa: F403
from pydl.ops.math import *  # noqa: F403
from pydl.ops.nn import *  # noqa: F403
from pydl.ops.norm import *  # noqa: F403
from pydl.ops.optimizer import *  # noqa: F403
from pydl.ops.pool import *  # noqa: F403
from pydl.ops.reduce import *  # noqa: F403
from pydl.ops.shape import *  # noqa: F403
from pydl.ops.sort import *  # noqa: F403
from pydl.ops.symbolic import accept_symbolic as _accept_symbolic

__all__ = sorted(
    name
    for name, value in globals().items()
    if getattr(value, "__module__", "").startswith("pydl.ops.") and not name.startswith("_")
)
# Functions of symbolic tensors are recorded as steps of a model; the ones in the files are not.
for _name in __all__:
    globals()[_name] = _accept_symbolic(globals()[_name])
