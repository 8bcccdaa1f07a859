"""Neural-network layers, as modules with named parameters, and weight initialisers."""

from ..messages.elsewhere import LAYERS
from ..messages.names import unknown_name
from . import init
from .activations import ELU, GELU, LeakyReLU, ReLU, Sigmoid, SiLU, Softmax, Softplus, Tanh
from .attention.cache import KeyValueCache
from .attention.multi_head import MultiHeadAttention
from .attention.rotary import rotary
from .attention.transformer import FeedForward, TransformerBlock
from .dropout import Dropout
from .embedding import Embedding, EmbeddingBag
from .linear import Linear
from .module import Module
from .norms import BatchNorm, GroupNorm, LayerNorm, RMSNorm
from .recurrent.cells import GRUCell, LSTMCell, RNNCell
from .recurrent.sequences import GRU, LSTM, RNN
from .reshaping import Flatten, Identity, Reshape
from .sequential import Lambda, ModuleDict, ModuleList, Residual, Sequential
from .windows.convolution import (
    Conv1D,
    Conv2D,
    Conv3D,
    ConvTranspose1D,
    ConvTranspose2D,
    ConvTranspose3D,
)
from .windows.local import LocallyConnected
from .windows.pooling import (
    AdaptiveAveragePool,
    AdaptiveMaxPool,
    AveragePool1D,
    AveragePool2D,
    AveragePool3D,
    GlobalAveragePool,
    GlobalMaxPool,
    MaxPool1D,
    MaxPool2D,
    MaxPool3D,
)

__all__ = [
    "ELU",
    "GELU",
    "GRU",
    "LSTM",
    "RNN",
    "AdaptiveAveragePool",
    "AdaptiveMaxPool",
    "AveragePool1D",
    "AveragePool2D",
    "AveragePool3D",
    "BatchNorm",
    "Conv1D",
    "Conv2D",
    "Conv3D",
    "ConvTranspose1D",
    "ConvTranspose2D",
    "ConvTranspose3D",
    "Dropout",
    "Embedding",
    "EmbeddingBag",
    "FeedForward",
    "Flatten",
    "GRUCell",
    "GlobalAveragePool",
    "GlobalMaxPool",
    "GroupNorm",
    "Identity",
    "KeyValueCache",
    "LSTMCell",
    "Lambda",
    "LayerNorm",
    "LeakyReLU",
    "Linear",
    "LocallyConnected",
    "MaxPool1D",
    "MaxPool2D",
    "MaxPool3D",
    "Module",
    "ModuleDict",
    "ModuleList",
    "MultiHeadAttention",
    "RMSNorm",
    "RNNCell",
    "ReLU",
    "Reshape",
    "Residual",
    "Sequential",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "Tanh",
    "TransformerBlock",
    "init",
    "rotary",
]


def __getattr__(name: str) -> object:
    raise unknown_name(__name__, name, __all__, LAYERS)


def __dir__() -> list[str]:
    return sorted(__all__)
