"""The command line: train, launch, evaluate, predict, serve, runs, export, view, draw, lesson,
translate, check, info."""

from . import (
    exporting as exporting,
    graphs as graphs,
    launching as launching,
    proving as proving,
    serving as serving,
    training as training,
)
from .app import app as app, console as console, main as main
from .options import (
    DatasetName as DatasetName,
    ModelName as ModelName,
    OptimizerName as OptimizerName,
)
from .training import Run as Run
