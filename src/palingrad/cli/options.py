"""The options of `palingrad train`."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

DatasetName = Literal["digits", "mnist", "fashion-mnist", "text", "csv", "image-folder"]
ModelName = Literal[
    "mlp", "cnn", "logistic", "perceptron", "gpt", "lstm", "linear", "fm", "wide-deep", "deepfm",
    "resnet20", "lenet",
]  # fmt: skip
OptimizerName = Literal["adam", "adamw", "adagrad", "momentum", "nesterov", "rmsprop", "sgd"]
ScheduleName = Literal["constant", "cosine", "exponential"]

Dataset = Annotated[DatasetName, typer.Argument(help="Data set, or kind of data, to train on.")]
Source = Annotated[
    str | None, typer.Argument(help="File of text or csv, or folder of image-folder.")
]
Model = Annotated[
    ModelName | None,
    typer.Option(help="Model; default: mlp, for text gpt, for image-folder resnet20."),
]
Epochs = Annotated[
    int | None, typer.Option(min=1, help="Passes over the data; default: 10, for digits 50.")
]
BatchSize = Annotated[
    int | None, typer.Option(min=1, help="Examples per step; default: 64, for text 16.")
]
LearningRate = Annotated[
    float | None, typer.Option(min=0.0, help="Learning rate; default: the model's.")
]
Optimizer = Annotated[OptimizerName | None, typer.Option(help="Optimizer; default: the model's.")]
Schedule = Annotated[
    ScheduleName,
    typer.Option(help="Learning rate over the steps: to 0 by a cosine, or to a hundredth."),
]
Warmup = Annotated[
    int | None, typer.Option(min=1, help="Steps in which the learning rate rises from 0.")
]
WeightDecay = Annotated[
    float | None, typer.Option(min=0.0, help="adamw: decay of the parameters; default: 0.01.")
]
Clip = Annotated[float | None, typer.Option(min=0.0, help="Bound of the gradients' global norm.")]
Patience = Annotated[
    int | None, typer.Option(min=1, help="Epochs without improvement that end the training.")
]
Target = Annotated[str | None, typer.Option(help="csv: the column to predict.")]
Tokens = Annotated[
    Literal["characters", "bytes"] | None, typer.Option(help="text: what a token is.")
]
Context = Annotated[int | None, typer.Option(min=2, help="text: tokens in a window; default: 64.")]
Layers = Annotated[int | None, typer.Option(min=1, help="text: layers of the model.")]
Width = Annotated[int | None, typer.Option(min=1, help="text: width of the model.")]
Dropout = Annotated[
    float | None, typer.Option(min=0.0, help="text: fraction of elements that training drops.")
]
Size = Annotated[
    int | None, typer.Option(min=1, help="image-folder: side to which images are scaled.")
]
Mesh = Annotated[
    str | None,
    typer.Option(help="xla: devices to train on, such as data=8 or data=4,model=2."),
]
Sharding = Annotated[
    Literal["replicated", "fully_sharded", "tensor"] | None,
    typer.Option(help="--mesh: how parameters lie on the devices; default: replicated."),
]
Deterministic = Annotated[
    bool,
    typer.Option("--deterministic", help="--mesh: the same numbers on any number of devices."),
]
Seed = Annotated[int, typer.Option(min=0, help="Seed of all random numbers.")]
Out = Annotated[str | None, typer.Option(help="Run folder to write; default: a new one in runs/.")]
Resume = Annotated[
    str | None, typer.Option(help="Run folder whose training goes on; other options are its.")
]
Record = Annotated[
    str | None, typer.Option(help="HTML page of histograms over the steps to write.")
]
TensorBoard = Annotated[
    str | None, typer.Option("--tensorboard", help="Folder for TensorBoard's files to write.")
]
