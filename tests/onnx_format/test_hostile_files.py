"""Malformed and hostile files: a clear error, nothing read outside of their folder."""

from __future__ import annotations

import os

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import palingrad as pg
from palingrad.errors import OnnxError, PalingradError
from palingrad.onnx.reading import control, evaluate

X = np.zeros((2, 3), np.float32)


def model_of(nodes, initializers=(), shape=(2, 3), outputs=("y",)):
    infos = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs]
    graph = helper.make_graph(
        nodes, "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)], infos,
        initializer=list(initializers),
    )  # fmt: skip
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)])


def adding(tensor):
    return model_of([helper.make_node("Add", ["x", tensor.name], ["y"])], [tensor])


def external(location, **more):
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[3])
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in {"location": location, **more}.items():
        entry = tensor.external_data.add()
        entry.key, entry.value = key, str(value)
    return tensor


def saved(model, folder):
    folder.mkdir(exist_ok=True)
    path = folder / "m.onnx"
    path.write_bytes(model.SerializeToString())
    return path


def test_data_beside_the_model_is_read(tmp_path):
    path = saved(adding(external("w.bin", offset=4, length=12)), tmp_path / "m")
    (path.parent / "w.bin").write_bytes(np.array([9, 1, 2, 3], "<f4").tobytes())
    np.testing.assert_array_equal(pg.onnx.load(path)(X)[0], [1, 2, 3])


@pytest.mark.parametrize("how", ["parent", "absolute", "symlink", "folder link", "none", "itself"])
def test_data_elsewhere_is_never_read(how, tmp_path):
    secret = tmp_path / "secret.bin"
    secret.write_bytes(np.ones(3, "<f4").tobytes())
    folder = tmp_path / "m"
    folder.mkdir()
    location = {"parent": "../secret.bin", "absolute": str(secret), "symlink": "w.bin",
                "folder link": "up/secret.bin", "none": "", "itself": "."}[how]  # fmt: skip
    if how == "symlink":
        os.symlink(secret, folder / "w.bin")
    if how == "folder link":
        os.symlink(tmp_path, folder / "up")
    path = saved(adding(external(location)), folder)
    with pytest.raises(OnnxError, match=r"outside of the model's folder\. Nothing outside is read"):
        pg.onnx.load(path)


def test_external_data_of_another_size_or_missing(tmp_path):
    for number, (more, text) in enumerate(
        [({"offset": 4}, "12 bytes at 4 are needed"), ({"length": 4}, "are needed"),
         ({"offset": -4}, "are needed"), ({"offset": "x"}, "can't be read")]
    ):  # fmt: skip
        path = saved(adding(external("w.bin", **more)), tmp_path / str(number))
        (path.parent / "w.bin").write_bytes(np.ones(3, "<f4").tobytes())
        with pytest.raises(OnnxError, match=text):
            pg.onnx.load(path)
    with pytest.raises(OnnxError, match="can't be read"):
        pg.onnx.load(saved(adding(external("gone.bin")), tmp_path / "gone"))
    with pytest.raises(OnnxError, match="a model that isn't a file has no folder"):
        pg.onnx.load(adding(external("w.bin")))


def test_files_that_are_no_models(tmp_path):
    rng = np.random.default_rng(0)
    whole = adding(numpy_helper.from_array(np.ones(3, np.float32), "w")).SerializeToString()
    texts = [b"", b"PK\3\4 not this", b"\xff" * 1000, rng.bytes(5000), b"\x0a" * 100_000]
    cut = [whole[:count] for count in range(1, len(whole), 7)]
    flipped = []
    for place in range(0, len(whole), 5):
        changed = bytearray(whole)
        changed[place] ^= 1 << int(rng.integers(8))
        flipped.append(bytes(changed))
    path = tmp_path / "m.onnx"
    for data in [*texts, *cut, *flipped]:
        path.write_bytes(data)
        try:
            pg.onnx.load(path)(X)
        except PalingradError:
            continue
        assert data in flipped  # a changed name or number may leave a valid model
    for place in (tmp_path, tmp_path / "gone.onnx"):
        with pytest.raises(OnnxError, match=r"isn't a file|can't be read"):
            pg.onnx.load(place)


def test_cycles_and_names_without_values():
    node = helper.make_node
    cycle = [node("Add", ["x", "b"], ["a"]), node("Neg", ["a"], ["b"]), node("Neg", ["b"], ["y"])]
    with pytest.raises(OnnxError, match=r"Add '' reads 'b' before it is computed.*cycle"):
        pg.onnx.load(model_of(cycle))
    with pytest.raises(OnnxError, match="'y' is computed twice"):
        pg.onnx.load(model_of([node("Neg", ["x"], ["y"]), node("Abs", ["x"], ["y"])]))
    with pytest.raises(OnnxError, match="Neg reads 'z', which nothing computes"):
        pg.onnx.load(model_of([node("Neg", ["z"], ["y"])]))(X)
    with pytest.raises(OnnxError, match="the outputs reads 'z'"):
        pg.onnx.load(model_of([node("Neg", ["x"], ["y"])], outputs=("z",)))(X)


def test_functions_that_call_themselves():
    model = model_of([helper.make_node("F", ["x"], ["y"], domain="own")])
    function = helper.make_function(
        "own", "F", ["a"], ["b"], [helper.make_node("F", ["a"], ["b"], domain="own")],
        [helper.make_opsetid("own", 1)],
    )  # fmt: skip
    model.functions.append(function)
    with pytest.raises(OnnxError, match="functions call one another more than 100 deep"):
        pg.onnx.load(model)(X)


def test_graphs_within_graphs():
    body = helper.make_graph([], "g", [], [])
    for _ in range(25):
        body = helper.make_graph(
            [helper.make_node("If", ["c"], ["y"], then_branch=body)], "g", [], []
        )
    model = model_of([helper.make_node("If", ["x"], ["y"], then_branch=body)])
    with pytest.raises(OnnxError, match="more than 20 graphs lie within one another"):
        pg.onnx.load(model)


def test_functions_that_call_one_another_twice_each(monkeypatch):
    monkeypatch.setattr(evaluate, "_STEPS", 500)
    model = model_of([helper.make_node("F0", ["x"], ["y"], domain="own")])
    for number in range(40):
        name = f"F{number + 1}" if number < 39 else "Neg"
        domain = "own" if number < 39 else ""
        nodes = [helper.make_node(name, ["a"], ["t"], domain=domain),
                 helper.make_node(name, ["t"], ["b"], domain=domain)]  # fmt: skip
        imports = [helper.make_opsetid("own", 1), helper.make_opsetid("", 21)]
        model.functions.append(helper.make_function("own", f"F{number}", ["a"], ["b"], nodes,
                                                    imports))  # fmt: skip
    with pytest.raises(OnnxError, match="has more than 500 nodes"):
        pg.onnx.load(model)(X)


def test_arrays_that_double():
    nodes = [helper.make_node("Concat", [f"x{n}" if n else "x"] * 2, [f"x{n + 1}"], axis=0)
             for n in range(60)]  # fmt: skip
    nodes.append(helper.make_node("ReduceSum", ["x60"], ["y"]))
    with pytest.raises(OnnxError, match=r"of shape \(\d+, 3\), isn't made"):
        pg.onnx.load(model_of(nodes))(X)
    columns = [numpy_helper.from_array(np.ones((2**16, 1), np.float32), "c"),
               numpy_helper.from_array(np.ones((1, 2**18), np.float32), "r")]  # fmt: skip
    node = helper.make_node("Add", ["c", "r"], ["y"])
    with pytest.raises(OnnxError, match="isn't made"):
        pg.onnx.load(model_of([node], columns))(X)


def test_wrong_shapes_and_counts():
    short = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[3], raw_data=b"\0" * 8)
    with pytest.raises(OnnxError, match=r"'w' of shape \(3,\) has 2 numbers, not 3"):
        pg.onnx.load(adding(short))
    negative = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[-1])
    with pytest.raises(OnnxError, match=r"'w' has shape \(-1,\)"):
        pg.onnx.load(adding(negative))
    vast = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[2**40, 2**40])
    with pytest.raises(OnnxError, match="has 0 numbers"):
        pg.onnx.load(adding(vast))
    text = TensorProto(name="w", data_type=TensorProto.STRING, dims=[1], string_data=[b"a"])
    with pytest.raises(OnnxError, match="type number 8, for which palingrad has no dtype"):
        pg.onnx.load(adding(text))
    wrong = numpy_helper.from_array(np.ones(4, np.float32), "w")
    with pytest.raises(OnnxError, match=r"Add: .*\(2, 3\).*\(4,\)"):
        pg.onnx.load(adding(wrong))(X)


@pytest.mark.parametrize("op", ["ConstantOfShape", "Expand", "Tile", "Pad", "Range", "Resize"])
def test_a_few_bytes_dont_ask_for_all_memory(op):
    def array(*numbers, dtype=np.int64):
        return numpy_helper.from_array(np.array(numbers, dtype), "w")

    node = helper.make_node
    nodes, tensor = {
        "ConstantOfShape": ([node(op, ["w"], ["y"])], array(2**20, 2**20)),
        "Expand": ([node(op, ["x", "w"], ["y"])], array(2**40, 2, 3)),
        "Tile": ([node(op, ["x", "w"], ["y"])], array(2**20, 2**20)),
        "Pad": ([node(op, ["x", "w"], ["y"])], array(0, 0, 2**40, 0)),
        "Range": ([node("Shape", ["x"], ["s"]), node("Size", ["x"], ["n"]),
                   node("Squeeze", ["w"], ["l"]), node(op, ["n", "l", "n"], ["y"])],
                  array(2**50)),
        "Resize": ([node(op, ["x", "", "w"], ["y"])], array(1e9, 1e9, dtype=np.float32)),
    }[op]  # fmt: skip
    with pytest.raises(OnnxError, match="isn't made: at most"):
        pg.onnx.load(model_of(nodes, [tensor]))(X)


def test_endless_loops_end(monkeypatch):
    monkeypatch.setattr(control, "_UNROLLED", 50)
    body = helper.make_graph(
        [helper.make_node("Identity", ["c"], ["d"]), helper.make_node("Identity", ["a"], ["b"])],
        "g",
        [helper.make_tensor_value_info("n", TensorProto.INT64, []),
         helper.make_tensor_value_info("c", TensorProto.BOOL, []),
         helper.make_tensor_value_info("a", TensorProto.FLOAT, None)],
        [helper.make_tensor_value_info("d", TensorProto.BOOL, []),
         helper.make_tensor_value_info("b", TensorProto.FLOAT, None)],
    )  # fmt: skip
    model = model_of([helper.make_node("Loop", ["", "", "x"], ["y"], body=body)])
    with pytest.raises(OnnxError, match="more than 50 iterations"):
        pg.onnx.load(model)(X)


def test_what_is_exported_may_be_given_as_a_model_of_the_onnx_package():
    model = pg.onnx.export(lambda x: pg.sin(x), X)
    assert isinstance(model, onnx.ModelProto)
    np.testing.assert_array_equal(pg.onnx.load(model)(X), X)
