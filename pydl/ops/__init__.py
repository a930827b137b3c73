"""Operations on tensors, named as in ``keras.ops``."""

from pydl.ops.activation import *  # noqa: F403
from pydl.ops.elementwise import *  # noqa: F403
from pydl.ops.linalg import *  # noqa: F403
from pydl.ops.loss import *  # noqa: F403
from pydl.ops.math import *  # noqa: F403
from pydl.ops.nn import *  # noqa: F403
from pydl.ops.optimizer import *  # noqa: F403
from pydl.ops.reduce import *  # noqa: F403
from pydl.ops.shape import *  # noqa: F403
