"""The model: what it takes, what is known of it, and how it runs. Training and service share it."""

import os

# ONNX Runtime keeps an identifier of the machine and reports to its makers, unless it is told so before it is loaded.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
