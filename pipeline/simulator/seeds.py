"""Random streams that depend on nothing but the seed and a name, so any part can be made alone."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
import numpy.typing as npt

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]
#: Arrays of several kinds of number in one mapping.
AnyArray = npt.NDArray[Any]


def stream(seed: int, *keys: int | str) -> np.random.Generator:
    """An independent generator for (seed, keys); words enter by their CRC-32."""
    words = [zlib.crc32(key.encode()) if isinstance(key, str) else key for key in keys]
    return np.random.Generator(np.random.SFC64(np.random.SeedSequence([seed, *words])))
