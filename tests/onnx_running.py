"""Runs exported models: by onnxruntime, and where it has no kernel by ONNX's reference."""

from __future__ import annotations

import numpy as np
import onnxruntime
from onnx.reference import ReferenceEvaluator

_OPTIONS = onnxruntime.SessionOptions()
_OPTIONS.log_severity_level = 4
_OPTIONS.intra_op_num_threads = 1
_OPTIONS.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL

# Operators that onnxruntime has for float32 alone: models with them run by the reference.
WITHOUT_KERNEL = {"Acos", "Acosh", "Asin", "Asinh", "Atan", "Atanh", "Cosh", "Det", "Sinh", "Tan"}


def session(model):
    return onnxruntime.InferenceSession(
        model.SerializeToString(), _OPTIONS, providers=["CPUExecutionProvider"]
    )


def results(model, feeds):
    """All outputs by name, for feeds of which some may not be inputs of the model."""
    names = [y.name for y in model.graph.output]
    try:
        runner = session(model)
    except Exception as error:
        if "NOT_IMPLEMENTED" not in str(error) or not WITHOUT_KERNEL & operators(model):
            raise
        with np.errstate(all="ignore"):
            return dict(zip(names, ReferenceEvaluator(model).run(None, feeds), strict=True))
    used = {x.name for x in (*runner.get_inputs(), *runner.get_overridable_initializers())}
    found = runner.run(None, {name: x for name, x in feeds.items() if name in used})
    return dict(zip(names, found, strict=True))


def operators(model):
    return {node.op_type for node in model.graph.node}


# Operations without a real sample that ONNX can express.
REFUSED = set(
    """
    Angle BesselI BesselIe BesselJ BesselK BesselY Beta BetaDensity Betainc Betaincc Betaln
    Binom Cholesky CholeskySlope Cofactor CofactorSlope Complex Cond Conj DefiniteCholesky
    Digamma DirectSolve DirichletEntropy DirichletLog Eigh Eigvals Eigvalsh Erfcinv
    ErfcxIntegral Erfinv Expm ExpmFrechet Exponent Fft Fftn Gamma GammaDensity Gammainc
    Gammaincc GapQuotient Gcd Hfft Ifft Ihfft Imag Inv Irfft Irfftn LU Lcm Lgamma
    LogPseudoDeterminant Logm LogmFrechet Lstsq LuFactor LuSlope LuSolve MatrixRank
    MultivariateNormalEntropy Ndtri Nextafter Pinv PivotOrder Poch Polygamma PolygammaStep QR
    Real Rfft Rfftn Rgamma SVD SincDerivative Slogdet Solve SolveBanded SolveSylvester
    SolveTriangular Sqrtm StudentCdf StudentSlope Svdvals WithoutPhase Zeta
    """.split()
)
