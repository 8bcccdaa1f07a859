"""A network trained by the chain rule as it is written: a Jacobian for each edge, and products.

`pg.local_jacobian` gives ∂node/∂input as an operator that keeps its structure: the ReLU's is
diagonal, a matrix product's is a Kronecker product. One row, ∂loss/∂node, is multiplied by them
from the loss backwards and summed where paths meet. The gradients are those of `pg.gradients`.
`python examples/jacobians.py mnist` does the same with 784 inputs.
"""

import sys
from itertools import pairwise

import numpy as np

import palingrad as pg

name = sys.argv[1] if len(sys.argv) > 1 else "digits"
data = pg.data.load(name)
inputs = int(np.prod(data.train.inputs.shape[1:]))
rng = np.random.default_rng(0)
parameters = []
for width, following in pairwise((inputs, 64, 32, 10)):
    w = rng.normal(0, np.sqrt(2 / width), (width, following))
    parameters += [pg.Variable(w.astype(np.float32)), pg.Variable(np.zeros(following, np.float32))]


def logits(x):
    h = pg.tensor(x.reshape(len(x), -1))
    for w, b in zip(parameters[:-2:2], parameters[1:-2:2]):
        h = pg.relu(h @ w + b)
    return h @ parameters[-2] + parameters[-1]


def jacobians(loss):
    """∂loss/∂p of each parameter p, from the local Jacobians of all nodes between them."""
    order = pg.postorder(loss)
    leads = set(parameters)  # the nodes that depend on a parameter
    for node in order:
        if leads & set(node.inputs):
            leads.add(node)
    rows = {}
    for node in reversed(order):
        for place, x in enumerate(node.inputs):
            if node in leads and x in leads:
                slope = pg.local_jacobian(node, place)
                term = slope if node is loss else rows[node] @ slope
                rows[x] = rows[x] + term if x in rows else term
    return [rows[p].dense().reshape(p.shape) for p in parameters]


def accuracy():
    found = np.argmax(logits(data.test.inputs).numpy(), 1)
    return np.mean(found == data.test.labels)


first = pg.cross_entropy(logits(data.train.inputs[:64]), data.train.labels[:64])
for one, other in zip(jacobians(first), pg.gradients(first, parameters)):
    np.testing.assert_allclose(one, other.numpy(), rtol=1e-4, atol=1e-6)
for node in pg.postorder(first)[-4:]:
    if node.inputs:
        print(f"{type(node).__name__:12} {pg.local_jacobian(node, 0)}")
print(f"test accuracy before {accuracy():.0%}")
for epoch in range(1 if name == "mnist" else 8):
    for x, labels in pg.data.batches(data.train, 64, seed=0, epoch=epoch):
        loss = pg.cross_entropy(logits(x), labels)
        for p, slope in zip(parameters, jacobians(loss)):
            p.assign(p.value - 0.1 * slope)
print(f"test accuracy above 85 %: {accuracy() > 0.85}")
