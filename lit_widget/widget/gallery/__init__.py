"""Labelling images in a notebook: what `LITClassifier` is made of, beside what it shares with `LITWidget`."""
