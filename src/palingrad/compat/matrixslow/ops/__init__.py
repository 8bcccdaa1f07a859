"""MatrixSlow's `ops`: operations, losses and metrics."""

from . import loss, metrics
from .loss import CrossEntropyWithSoftMax, LogLoss, LossFunction, PerceptionLoss
from .metrics import ROC, ROC_AUC, Accuracy, F1Score, Metrics, Precision, Recall
from .ops import (
    Add,
    Concat,
    Convolve,
    Logistic,
    MatMul,
    MaxPooling,
    Multiply,
    Operator,
    ReLU,
    Reshape,
    ScalarMultiply,
    SoftMax,
    Step,
    Welding,
    fill_diagonal,
)

__all__ = [
    "ROC",
    "ROC_AUC",
    "Accuracy",
    "Add",
    "Concat",
    "Convolve",
    "CrossEntropyWithSoftMax",
    "F1Score",
    "LogLoss",
    "Logistic",
    "LossFunction",
    "MatMul",
    "MaxPooling",
    "Metrics",
    "Multiply",
    "Operator",
    "PerceptionLoss",
    "Precision",
    "ReLU",
    "Recall",
    "Reshape",
    "ScalarMultiply",
    "SoftMax",
    "Step",
    "Welding",
    "fill_diagonal",
    "loss",
    "metrics",
]
