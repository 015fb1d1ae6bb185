"""Video segmentation: one mask per object and frame."""
