"""Models, each a page of code: perceptrons, LeNet-5, ResNet-20, a GPT, an LSTM, recommenders."""

from ..messages.names import unknown_name
from .generate import generate
from .images import lenet, mlp, resnet20
from .recommenders import FM as fm, DeepFM as deepfm, WideDeep as wide_deep
from .text import GPT as gpt, CharRNN as char_rnn

__all__ = [
    "char_rnn",
    "deepfm",
    "fm",
    "generate",
    "gpt",
    "lenet",
    "mlp",
    "resnet20",
    "wide_deep",
]


def __getattr__(name: str) -> object:
    raise unknown_name(__name__, name, __all__, {})


def __dir__() -> list[str]:
    return sorted(__all__)
