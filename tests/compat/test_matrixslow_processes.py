"""MatrixSlow's trainers of several processes: the numbers of one, and who leaves is said."""

import multiprocessing
import os
import socket
import time

import numpy as np
import pytest

import palingrad.compat.matrixslow as ms
from palingrad.errors import ArgumentError

# Fresh processes, forked from one that has imported what they need.
METHODS = multiprocessing.get_all_start_methods()
FORKS = multiprocessing.get_context("forkserver" if "forkserver" in METHODS else "spawn")
FORKS.set_forkserver_preload([__name__])
SAMPLES, BATCH, EPOCHS = 24, 4, 3
KINDS = ("ps", "ring")


def addresses(count):
    """Free ports of this machine."""
    made = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    found = [f"127.0.0.1:{one.getsockname()[1]}" for one in made]
    for one in made:
        one.close()
    return found


def cluster(workers):
    ps, *others = addresses(workers + 1)
    return {"ps": [ps], "workers": others}


def network(seed):
    """(input, label, loss, optimizer) of a network with 4 Variables, their values by the seed."""
    x = ms.core.Variable((3, 1), trainable=False, name="x")
    label = ms.core.Variable((2, 1), trainable=False, name="label")
    output = ms.layer.fc(ms.layer.fc(x, 3, 5, "Logistic"), 5, 2, "None")
    loss = ms.ops.loss.CrossEntropyWithSoftMax(output, label)
    rng = np.random.default_rng(seed)
    for node in ms.core.get_trainable_variables_from_graph():
        node.set_value(rng.normal(size=node.shape()))
    return x, label, loss, ms.optimizer.Adam(ms.default_graph, loss, 0.05)


def samples(workers):
    rng = np.random.default_rng(1)
    points = rng.normal(size=(workers, SAMPLES, 3))
    labels = np.eye(2)[(points.sum(-1) > 0).astype(int)]
    return points, labels


def trained():
    return {n.name: np.asarray(n.value) for n in ms.core.get_trainable_variables_from_graph()}


def averaged(workers):
    """The weights of one process, whose mini-batches are those of all workers."""
    ms.default_graph.nodes.clear()
    x, label, loss, optimizer = network(0)
    points, labels = (
        one.reshape(workers, -1, BATCH, one.shape[-1]).swapaxes(0, 1).reshape(-1, one.shape[-1])
        for one in samples(workers)
    )
    trainer = ms.trainer.SimpleTrainer([x], label, loss, optimizer, EPOCHS, BATCH * workers)
    trainer.train_and_eval({"x": points}, labels)
    found = trained()
    ms.default_graph.nodes.clear()
    return found


def serve(conf, results):
    try:
        ms.dist.ps.ParameterServiceServer(conf).serve()
        results.put(("server", None))
    except Exception as error:
        results.put(("server", str(error)))


def work(kind, conf, index, results, dies, shorter):
    """One worker; worker `dies` ends in its 2nd epoch, worker `shorter` has fewer mini-batches."""
    x, label, loss, optimizer = network(index)  # other first values in each worker
    points, labels = (one[index] for one in samples(len(conf["workers"])))
    if index == shorter:
        points, labels = points[:-BATCH], labels[:-BATCH]
    make = {
        "ps": ms.trainer.DistTrainerParameterServer,
        "ring": ms.trainer.DistTrainerRingAllReduce,
    }
    try:
        trainer = make[kind](
            [x], label, loss, optimizer, EPOCHS, BATCH, cluster_conf=conf, worker_index=index
        )
        step = trainer.one_step

        def one_step(*args, **kargs):
            if trainer.epoch == 1 and index == dies:
                os._exit(9)
            step(*args, **kargs)

        trainer.one_step = one_step
        trainer.train_and_eval({"x": points}, labels)
        results.put((index, trained()))
    except Exception as error:
        results.put((index, f"{type(error).__name__}: {error}"))


def together(kind, workers, dies=None, shorter=None):
    """What each process of a training ended with."""
    conf, results = cluster(workers), FORKS.Queue()
    processes = [
        FORKS.Process(target=work, args=(kind, conf, index, results, dies, shorter))
        for index in range(workers)
    ]
    if kind == "ps":
        processes.append(FORKS.Process(target=serve, args=(conf, results)))
    for process in processes:
        process.start()
    try:
        found = dict(results.get(timeout=90) for _ in range(len(processes) - (dies is not None)))
        start = time.monotonic()
        for process in processes:
            process.join(20)
        assert time.monotonic() - start < 10
        assert all(process.exitcode is not None for process in processes)
    finally:
        for process in processes:
            process.kill()
    return found


@pytest.mark.parametrize("workers", [2, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_processes_train_as_one_that_averages(kind, workers):
    found = together(kind, workers)
    assert found.pop("server", None) is None
    assert not any(isinstance(one, str) for one in found.values()), found
    expected = averaged(workers)
    assert len(expected) == 4
    for index in range(workers):
        for name, value in expected.items():
            np.testing.assert_allclose(found[index][name], value, rtol=1e-12, atol=1e-14)
            np.testing.assert_array_equal(found[index][name], found[0][name])  # to the bit


@pytest.mark.parametrize("kind", KINDS)
def test_a_worker_that_dies_ends_the_others(kind):
    found = together(kind, 3, dies=1)
    assert sorted(found, key=str) == [0, 2, *(["server"] if kind == "ps" else [])]
    for text in found.values():
        assert "worker 1 has left" in text
    assert found[0].startswith("WorkerError: the training ended: ")


@pytest.mark.parametrize("kind", KINDS)
def test_fewer_mini_batches_in_one_worker_is_an_error(kind):
    found = together(kind, 2, shorter=1)
    assert "worker 1 has left" in found[0]
    assert "fewer mini-batches" in found[0]


def test_what_a_cluster_needs(monkeypatch):
    x, label, loss, optimizer = network(0)
    ps, ring = ms.trainer.DistTrainerParameterServer, ms.trainer.DistTrainerRingAllReduce
    rest = ([x], label, loss, optimizer, 1)
    try:
        with pytest.raises(ArgumentError, match="no list of 'ps'"):
            ps(*rest, cluster_conf={"workers": ["localhost:1"]})
        with pytest.raises(ArgumentError, match="an address is 'localhost:5000'"):
            ring(*rest, cluster_conf={"workers": ["localhost"]}, worker_index=0)
        with pytest.raises(ArgumentError, match="worker_index is 0 to 1"):
            ring(*rest, cluster_conf=cluster(2), worker_index=2)
        with pytest.raises(ArgumentError, match="sync=False"):
            ms.dist.ps.ParameterServiceServer(cluster(2), sync=False)
        monkeypatch.setattr(ms.dist.messages, "START_SECONDS", 0.2)
        with pytest.raises(ms.dist.WorkerError, match="parameter server didn't answer"):
            ps(*rest, cluster_conf=cluster(2), worker_index=0)
        with pytest.raises(ms.dist.WorkerError, match="worker 1 didn't answer"):
            ring(*rest, cluster_conf=cluster(2), worker_index=0)
        alone = ring(*rest, batch_size=1, cluster_conf=cluster(1), worker_index=0)
        alone.train_and_eval({"x": np.ones((2, 3))}, np.eye(2))
    finally:
        ms.default_graph.nodes.clear()
