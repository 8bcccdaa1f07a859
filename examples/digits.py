"""A classifier of handwritten digits, trained by a compiled function, in twenty lines."""

import palingrad as pg


def main() -> None:
    digits = pg.data.load("digits")
    pg.set_seed(0)
    model = pg.nn.Sequential(
        pg.nn.Linear(64, 128), pg.relu, pg.nn.Dropout(0.2), pg.nn.Linear(128, 10)
    )
    rate = pg.optim.cosine_decay(0.02, steps=20 * 23)
    adam = pg.optim.Adam(rate)

    @pg.function
    def step(x, labels):
        loss = pg.cross_entropy(model(x, training=True), labels)
        adam.minimize(loss)
        return loss

    for epoch in range(20):
        for x, labels in pg.data.batches(digits.train, 64, seed=0, epoch=epoch):
            loss = step(x, labels)
        if epoch % 5 == 4:
            test = pg.train.evaluate(model, (digits.test.inputs, digits.test.labels))
            print(f"epoch {epoch + 1:2}  loss {loss:.2f}  test accuracy {test.accuracy:.1%}")


if __name__ == "__main__":
    main()
