"""Homes: code written for another library, run by palingrad. docs/homes.md lists what runs.

`import palingrad.compat.micrograd.engine` is imported in place of the original, and
`python -m palingrad.compat micrograd script.py` runs an unchanged script.
"""

# The homes, and the names by which their originals are imported.
HOMES: dict[str, tuple[str, ...]] = {
    "autograd": ("autograd",),
    "matrixslow": ("matrixslow", "matrixslow_serving"),
    "micrograd": ("micrograd",),
    "mlfz": ("mlfz",),
    "tensorslow": ("tensorslow",),
    "tf1": ("tensorflow",),
}
