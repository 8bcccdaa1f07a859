"""MNIST and Fashion-MNIST: mirrors, the shapes of their files, and the hashes that verify them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Part:
    """One IDX file: its name without .gz, the shape of its uint8 array, and its hashes.

    `md5` is that of the original .gz file, as published by its authors; `sha256` is that of the
    decompressed content, or "" if unknown.
    """

    file: str
    shape: tuple[int, ...]
    md5: str
    sha256: str = ""


@dataclass(frozen=True)
class Source:
    """A data set in four IDX files: training images and labels, test images and labels."""

    name: str
    title: str
    classes: tuple[str, ...]
    origin: str
    licence: str
    mirrors: tuple[str, ...]
    parts: tuple[Part, Part, Part, Part]


MNIST = Source(
    name="mnist",
    title="MNIST",
    classes=tuple("0123456789"),
    origin="Y. LeCun, C. Cortes & C. Burges, The MNIST database of handwritten digits, 1998",
    licence="CC BY-SA 3.0",
    mirrors=(
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
    ),
    parts=(
        Part(
            "train-images-idx3-ubyte",
            (60000, 28, 28),
            "f68b3c2dcbeaaa9fbdd348bbdeb94873",
            "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        ),
        Part(
            "train-labels-idx1-ubyte",
            (60000,),
            "d53e105ee54ea40749a09fcbcd1e9432",
            "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        ),
        Part(
            "t10k-images-idx3-ubyte",
            (10000, 28, 28),
            "9fb629c4189551a2d022fa330f9573f3",
            "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        ),
        Part(
            "t10k-labels-idx1-ubyte",
            (10000,),
            "ec29112dd5afa0611ce80d1b7f02629c",
            "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        ),
    ),
)

FASHION_MNIST = Source(
    name="fashion-mnist",
    title="Fashion-MNIST",
    classes=(
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    ),
    origin="H. Xiao, K. Rasul & R. Vollgraf, Fashion-MNIST, Zalando, 2017, arXiv:1708.07747",
    licence="MIT",
    mirrors=(
        "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    ),
    parts=(
        Part("train-images-idx3-ubyte", (60000, 28, 28), "8d4fb7e6c68d591d4c3dfef9ec88bf0d"),
        Part("train-labels-idx1-ubyte", (60000,), "25c81989df183df01b3e8a0aad5dffbe"),
        Part("t10k-images-idx3-ubyte", (10000, 28, 28), "bef4ecab320f06d8554ea6380940ec79"),
        Part("t10k-labels-idx1-ubyte", (10000,), "bb300cfdad3c16e7a12a480ee83cd310"),
    ),
)
