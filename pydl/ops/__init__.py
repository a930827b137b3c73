"""Operations on tensors, named as in ``keras.ops``."""

from pydl.ops import image, linalg, nn, numpy
from pydl.ops.activation import *  # noqa: F403
from pydl.ops.adaptive_optimizer import *  # noqa: F403
from pydl.ops.adaptive_pool import *  # noqa: F403
from pydl.ops.arrangement import *  # noqa: F403
from pydl.ops.attention import *  # noqa: F403
from pydl.ops.bits import *  # noqa: F403
from pydl.ops.control import *  # noqa: F403
from pydl.ops.conv import *  # noqa: F403
from pydl.ops.creation import *  # noqa: F403
from pydl.ops.ctc import *  # noqa: F403
from pydl.ops.decomposition import *  # noqa: F403
from pydl.ops.einsum import *  # noqa: F403
from pydl.ops.elementwise import *  # noqa: F403
from pydl.ops.fourier import *  # noqa: F403
from pydl.ops.indexing import *  # noqa: F403
from pydl.ops.loss import *  # noqa: F403
from pydl.ops.math import *  # noqa: F403
from pydl.ops.matrix import *  # noqa: F403
from pydl.ops.nan import *  # noqa: F403
from pydl.ops.neural import *  # noqa: F403
from pydl.ops.norm import *  # noqa: F403
from pydl.ops.numeric import *  # noqa: F403
from pydl.ops.optimizer import *  # noqa: F403
from pydl.ops.patches import *  # noqa: F403
from pydl.ops.pool import *  # noqa: F403
from pydl.ops.product import *  # noqa: F403
from pydl.ops.rearrange import *  # noqa: F403
from pydl.ops.recurrent import *  # noqa: F403
from pydl.ops.reduce import *  # noqa: F403
from pydl.ops.segments import *  # noqa: F403
from pydl.ops.sequences import *  # noqa: F403
from pydl.ops.shape import *  # noqa: F403
from pydl.ops.softmax import *  # noqa: F403
from pydl.ops.sort import *  # noqa: F403
from pydl.ops.sparse_activation import *  # noqa: F403
from pydl.ops.special import *  # noqa: F403
from pydl.ops.statistics import *  # noqa: F403
from pydl.ops.trigonometry import *  # noqa: F403
from pydl.ops.convert import *  # noqa: F403
from pydl.ops.symbolic import public_op as _public_op

__all__ = sorted(
    name
    for name, value in globals().items()
    if getattr(value, "__module__", "").startswith("pydl.ops.") and not name.startswith("_")
)
# These ones record themselves on symbolic tensors and explain their errors; the ones in the files,
# which call each other, only compute.
for _name in __all__:
    globals()[_name] = _public_op(globals()[_name])
