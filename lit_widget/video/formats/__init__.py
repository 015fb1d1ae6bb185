"""Masks in files: one file per format, all around one typed value, `MaskSet`."""
