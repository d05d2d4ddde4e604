"""The execution of a network that is trained: Keras layers and models."""
