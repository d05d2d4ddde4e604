"""Put an ONNX graph together, node by node."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 17
IR_VERSION = 8
ACTIVATIONS = {"sigmoid": "Sigmoid", "relu": "Relu", "elu": "Elu"}  # "linear": nothing
FEATURES, OUTPUT = "features", "output"


class Graph:
    """Nodes, constants and states of a graph under construction."""

    def __init__(self):
        self._nodes, self._constants = [], []
        self._states = {}  # units by name

    def constant(self, array, dtype=np.float32):
        """Add a constant; return its name."""
        name = f"constant_{len(self._constants)}"
        array = np.ascontiguousarray(array, dtype)
        self._constants.append(numpy_helper.from_array(array, name))
        return name

    def shape(self, *sizes):
        """Add a shape for Reshape, in which 0 keeps a size and -1 takes the rest."""
        return self.constant(sizes, np.int64)

    def node(self, kind, *inputs, output=None, n_outputs=1, **attributes):
        """Add a node; return the name of its output, or the names of its outputs."""
        outputs = [output or f"value_{len(self._nodes)}"]
        outputs += [f"{outputs[0]}_{i}" for i in range(1, n_outputs)]
        self._nodes.append(helper.make_node(kind, list(inputs), outputs, **attributes))
        return outputs[0] if n_outputs == 1 else outputs

    def state(self, units):
        """Add a state of shape (1, batch, units); return the name of its input."""
        name = f"state_{len(self._states)}"
        self._states[name] = units
        return name

    def set_next(self, state, values):
        """Reshape values to those of a state after the frames."""
        shape = self.shape(1, -1, self._states[state])
        self.node("Reshape", values, shape, output=f"next_{state}")

    def activate(self, values, activation):
        """Add an activation function."""
        return values if activation == "linear" else self.node(ACTIVATIONS[activation], values)

    def model(self, n_inputs, n_outputs, metadata):
        """Return the model of all nodes."""

        def tensor(name, *shape):
            return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)

        states = [tensor(name, 1, "batch", n) for name, n in self._states.items()]
        next_states = [tensor(f"next_{name}", 1, "batch", n) for name, n in self._states.items()]
        graph = helper.make_graph(
            self._nodes,
            "sksvs",
            [tensor(FEATURES, "batch", "n_frames", n_inputs), *states],
            [tensor(OUTPUT, "batch", "n_output_frames", n_outputs), *next_states],
            self._constants,
        )
        opsets = [helper.make_opsetid("", OPSET)]
        model = helper.make_model(graph, opset_imports=opsets, producer_name="sksvs")
        model.ir_version = IR_VERSION
        helper.set_model_props(model, metadata)
        onnx.checker.check_model(model)
        return model
