"""A trained model is saved, and served by HTTP from its folder, without the code that made it.

`palingrad serve FOLDER` does what the lines with uvicorn do here.
"""

import json
import tempfile
import threading
import time
import urllib.error
import urllib.request

import uvicorn

import palingrad as pg

digits = pg.data.load("digits")
pg.set_seed(0)
model = pg.models.mlp(64, 64, 10)
pg.train.fit(model, (digits.train.inputs, digits.train.labels), optimizer=pg.optim.Adam(0.01))

with tempfile.TemporaryDirectory() as folder:
    pg.io.save_model(folder, model, digits.test.inputs[:1])
    app = pg.serving.application(folder)
    print(pg.io.load_model(folder))

server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning"))
thread = threading.Thread(target=server.run)
thread.start()
while not server.started:
    time.sleep(0.01)
port = server.servers[0].sockets[0].getsockname()[1]  # a free one


def ask(document):
    """The answer to a POST."""
    body = json.dumps(document).encode()
    headers = {"content-type": "application/json"}
    request = urllib.request.Request(f"http://127.0.0.1:{port}/predict", body, headers)
    try:
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return json.load(error)


scores = ask({"x": digits.test.inputs[:100].tolist()})["y"]
right = sum(
    row.index(max(row)) == label for row, label in zip(scores, digits.test.labels, strict=False)
)
print("most are right:", right >= 90)
print(ask({"x": [[0.5] * 63]})["error"]["message"])
server.should_exit = True
thread.join()
