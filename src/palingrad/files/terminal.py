"""Text for terminals and files whose encoding lacks some characters, such as cp1252 and ASCII."""

from __future__ import annotations

import codecs
import sys

SPELLED = "palingrad.spelled"  # the name of the error handler
_SIGNS = {
    "−": "-", "∂": "d", "·": "*", "×": "x", "←": "<-", "→": "->", "…": "...", "∞": "inf", "±": "+-",
    "≥": ">=", "≤": "<=", "≠": "!=", "²": "^2", "³": "^3", "∑": "sum", "√": "sqrt", "⊙": "*",
    "ᵀ": "^T", "\u00a0": " ", "\u0304": "_bar",
}  # fmt: skip
_NAMES = (
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lamda mu nu xi "
    "omicron pi rho sigma sigma tau upsilon phi chi psi omega"
)
_LETTERS = {chr(ord("α") + n): name for n, name in enumerate(_NAMES.split())}
_DIGITS = {chr(0x2080 + digit): f"_{digit}" for digit in range(10)}  # subscripts
_SIGNS.update(_LETTERS | _DIGITS)


def _spell(error: UnicodeError) -> tuple[str, int]:
    """The error handler: mathematical signs are spelled in ASCII, others written as escapes."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    missing = error.object[error.start : error.end]
    return "".join(_SIGNS.get(c) or ascii(c)[1:-1] for c in missing), error.end


codecs.register_error(SPELLED, _spell)


def for_output(text: str) -> str:
    """`text` with the characters that standard output can't encode spelled in ASCII."""
    encoding = getattr(sys.stdout, "encoding", None)
    if text.isascii() or not isinstance(encoding, str) or encoding.lower() in ("utf-8", "utf8"):
        return text
    try:
        return text.encode(encoding, SPELLED).decode(encoding)
    except LookupError:  # an encoding that Python doesn't know
        return text
