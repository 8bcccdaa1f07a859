"""The operations whose formulas the reader doesn't check, each with the reason."""

from __future__ import annotations

SEVERAL = "it has several results, and a formula names all of them together"
NAMED = "its formula is its name: a definition here would be the implementation again"
RANDOM = "it draws random numbers: the formula says from which distribution"
ADJOINT = "the adjoint of a window operation or of a factorisation, written by a name of its own"
ORDERS = "a derivative by a parameter, written with ∂, of a function that SciPy computes without"
CONTROL = "it holds graphs, or changes a Variable, and is no formula of its inputs"
MASK = "a mask of constants is shown by its shape"
INDICES = "a line reads an array at indices that are grids of constants"

VALUES = {
    "Mapped": "it is another operation, applied to each example",
    "Item": CONTROL, "Switch": CONTROL, "Loop": CONTROL, "WhileLoop": CONTROL,
    "Blocks": CONTROL,
    "AssignVariable": CONTROL, "Group": CONTROL,
    "StudentSlope": ORDERS, "Betainc": ORDERS, "Gammainc": ORDERS, "Zeta": ORDERS,
    "SincDerivative": ORDERS, "ErfcxIntegral": ORDERS, "InverseMillsTail": ORDERS,
    "DirichletEntropy": NAMED, "MultivariateNormalEntropy": NAMED, "LogPseudoDeterminant": NAMED,
    "Exponent": NAMED, "NextEqual": NAMED, "NonzeroPositions": NAMED, "PivotOrder": NAMED,
    "Eigvals": NAMED, "EmbeddingBag": NAMED, "Interpolate": NAMED, "PixelUnshuffle": NAMED,
    "GroupNormalize": NAMED, "LocalResponseNormalize": NAMED, "WeightedQuantile": NAMED,
    "RunTotals": NAMED, "LuSolve": NAMED, "LocallyConnected": NAMED,
    "AdaptiveAveragePool": NAMED, "AdaptiveMaxPool": NAMED,
    "FiniteDifference": "Δx/Δh stands for quotients of differences, one-sided at the ends",
    "Split": SEVERAL, "Slogdet": SEVERAL, "LU": SEVERAL, "LuFactor": SEVERAL, "QR": SEVERAL,
    "SVD": SEVERAL, "Eig": SEVERAL, "Eigh": SEVERAL,
    "CholeskySlope": ADJOINT, "CofactorSlope": ADJOINT, "LuSlope": ADJOINT,
    "ExpmFrechet": ADJOINT, "LogmFrechet": ADJOINT, "ConvolutionInput": ADJOINT,
    "ConvolutionWeight": ADJOINT, "MaxPoolPlace": ADJOINT, "MaxPoolSelect": ADJOINT,
    "SumPoolSpread": ADJOINT, "TransposedConvolution": ADJOINT,
    "Dropout": RANDOM, "Normal": RANDOM, "Uniform": RANDOM,
}  # fmt: skip

DERIVATIVES = {
    **{one: VALUES[one] for one in VALUES if VALUES[one] in (NAMED, ADJOINT)},
    "Mapped": VALUES["Mapped"], "FiniteDifference": VALUES["FiniteDifference"],
    "Dropout": RANDOM, "StudentCdf": ORDERS, "Zeta": ORDERS, "Erfcx": ORDERS, "Sinc": ORDERS,
    "SincDerivative": ORDERS, "ErfcxIntegral": ORDERS,
    "StudentSlope": ORDERS, "InverseMillsTail": ORDERS,
    "DefiniteCholesky": ADJOINT, "Cholesky": ADJOINT, "Cofactor": ADJOINT, "Expm": ADJOINT,
    "Logm": ADJOINT, "Convolution": ADJOINT, "AveragePool": ADJOINT, "MaxPool": ADJOINT,
    "SumPool": ADJOINT, "PixelShuffle": ADJOINT,
    "Cond": SEVERAL, "Svdvals": SEVERAL, "Eigvalsh": SEVERAL, "Glu": SEVERAL,
    "ScatterND": MASK, "IndexUpdate": MASK, "Tril": MASK, "Triu": MASK,
    "Nanquantile": INDICES, "CumulativeMax": NAMED, "CumulativeMin": NAMED,
    "MultivariateNormalLog": "a vector as a row: 1-D arrays have no rows",
}  # fmt: skip
_DISCRETE = ("NextEqual", "PivotOrder", "Exponent", "NonzeroPositions", "Eigvals")
for _name in ("AdaptiveMaxPool", *_DISCRETE):
    del DERIVATIVES[_name]  # they have no derivative, or one that is read
