"""What a network computes: layers as plain facts, inputs and outputs, and its executions."""
