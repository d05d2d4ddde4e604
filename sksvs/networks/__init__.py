"""What a network computes: its layers, its inputs and outputs, and two executions of the layers.

To add a network of layers that exist, write a builder here (`gru`, `drnn` and `crn` are examples),
an estimator that calls it in `_layers`, a row for each new parameter in `sksvs.parameters`, and a
row in docs/training.rst. A new kind of layer is a class in `spec`, and a row in the table `LAYERS`
of each execution: `keras.build`, which trains, and `onnx.layers`, which predicts.
"""
