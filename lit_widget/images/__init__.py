"""Live image classification with CLIP: the second task, which keeps the core honest."""
