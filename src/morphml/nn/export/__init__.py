"""Networks as files: readable Python, ONNX, torch.export, TorchScript."""
