"""A simulated user, its costs and the protocol of the paper: runs without Jupyter."""
