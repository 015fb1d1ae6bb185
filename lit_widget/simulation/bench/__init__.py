"""The paper's experiments on public data sets, as units that any number of processes can share."""
