"""The few names of scikit-learn 0.2x that MatrixSlow's examples use: made-up data of the same form,
and MNIST from PALINGRAD_DATA in place of OpenML's."""
