"""Operations on tensors, named as in ``keras.ops``."""

from pydl.ops import image, linalg, nn, numpy
from pydl.ops.activation import *
from pydl.ops.adaptive_optimizer import *
from pydl.ops.adaptive_pool import *
from pydl.ops.arrangement import *
from pydl.ops.attention import *
from pydl.ops.bits import *
from pydl.ops.control import *
from pydl.ops.conv import *
from pydl.ops.creation import *
from pydl.ops.ctc import *
from pydl.ops.decomposition import *
from pydl.ops.einsum import *
from pydl.ops.elementwise import *
from pydl.ops.fourier import *
from pydl.ops.indexing import *
from pydl.ops.loss import *
from pydl.ops.math import *
from pydl.ops.matrix import *
from pydl.ops.nan import *
from pydl.ops.neural import *
from pydl.ops.norm import *
from pydl.ops.numeric import *
from pydl.ops.optimizer import *
from pydl.ops.patches import *
from pydl.ops.pool import *
from pydl.ops.product import *
from pydl.ops.rearrange import *
from pydl.ops.recurrent import *
from pydl.ops.reduce import *
from pydl.ops.segments import *
from pydl.ops.selection import *
from pydl.ops.sequences import *
from pydl.ops.shape import *
from pydl.ops.softmax import *
from pydl.ops.sort import *
from pydl.ops.sparse_activation import *
from pydl.ops.special import *
from pydl.ops.statistics import *
from pydl.ops.trigonometry import *
from pydl.ops.convert import *
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
