"""Discrete Fourier transforms, with NumPy's names and those of the array API standard.

Complex numbers have the width of the input: float32 gives complex64. Derivatives of any order
follow the convention of docs/numerics.md.
"""

from ..messages.names import unknown_name
from ..ops.fourier.several_axes import (
    fft2,
    fftfreq,
    fftn,
    fftshift,
    ifft2,
    ifftn,
    ifftshift,
    irfft2,
    irfftn,
    rfft2,
    rfftfreq,
    rfftn,
)
from ..ops.fourier.transforms import fft, hfft, ifft, ihfft, irfft, rfft

__all__ = [
    "fft",
    "fft2",
    "fftfreq",
    "fftn",
    "fftshift",
    "hfft",
    "ifft",
    "ifft2",
    "ifftn",
    "ifftshift",
    "ihfft",
    "irfft",
    "irfft2",
    "irfftn",
    "rfft",
    "rfft2",
    "rfftfreq",
    "rfftn",
]

_ELSEWHERE = {
    "dct": "pg.fft.rfft of x and its mirror image: pg.concat([x, pg.flip(x)])",
    "fftconvolve": "pg.convolve, or pg.fft.irfft(pg.fft.rfft(x, n) * pg.fft.rfft(y, n), n)",
}


def __getattr__(name: str) -> object:
    raise unknown_name(__name__, name, __all__, _ELSEWHERE)


def __dir__() -> list[str]:
    return __all__
