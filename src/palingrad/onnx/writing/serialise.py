"""An ONNX graph as a file: the only part of the export that imports the onnx package."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import onnx
from onnx import helper, numpy_helper

from ...version import __version__
from .values import TYPES, Block, Value

NEWEST, OLDEST = 28, 13


def newest_opset() -> int:
    """The newest opset that the installed onnx package and this exporter know."""
    return min(NEWEST, onnx.defs.onnx_opset_version())


def _info(value: Value, dims: Mapping[str, Sequence[Any]]) -> Any:
    shape = dims.get(value.name, value.shape)
    return helper.make_tensor_value_info(value.name, TYPES[value.dtype.name], list(shape))


def _graph(block: Block, name: str, dims: Mapping[str, Sequence[Any]]) -> Any:
    nodes: list[Any] = []
    for entry in block.entries:
        attributes = {
            key: _graph(one, f"{entry.outputs[0]}_{key}", dims) if isinstance(one, Block) else one
            for key, one in entry.attributes.items()
        }
        label = entry.outputs[0] if entry.outputs else entry.op
        nodes.append(
            helper.make_node(entry.op, entry.inputs, entry.outputs, name=label,
                             doc_string=entry.label, **attributes)
        )  # fmt: skip
    constants = [numpy_helper.from_array(x, key) for key, x in block.constants.items()]
    return helper.make_graph(
        nodes, name, [_info(x, dims) for x in block.inputs],
        [_info(y, dims) for y in block.outputs], initializer=constants,
    )  # fmt: skip


def model_of(
    block: Block, opset: int, name: str, dims: Mapping[str, Sequence[Any]], notes: Mapping[str, str]
) -> Any:
    """The model, checked by onnx's own checker, shapes and dtypes included."""
    graph = _graph(block, name, dims)
    imports = [helper.make_opsetid("", opset)]
    version = helper.find_min_ir_version_for(imports, ignore_unknown=True)
    model = helper.make_model(graph, opset_imports=imports, ir_version=max(version, 8),
                              producer_name="palingrad", producer_version=__version__)  # fmt: skip
    for key, text in notes.items():
        entry = model.metadata_props.add()
        entry.key, entry.value = key, text
    return model


def checked(model: Any) -> Any:
    """The model, after onnx's checker and its inference of shapes."""
    onnx.checker.check_model(model, full_check=model.ByteSize() < 2**30)
    return model


VERSION: str = onnx.__version__
