"""The experiments by name, described once for the command line, which is to answer without loading torch."""

HELP = {
    "main": "corrections and minutes at τ 0.5 and 0.75 (paper table 1)",
    "tau": "corrections over the IoU below which a mask is an error",
    "budget": "quality of the masks by how many corrections are given (paper figure 4)",
    "analysis": "how many corrections pairs need, when, and what they are good for (paper figure 3)",
    "trackers": "corrections with SAM 2, SAMURAI and DAM4SAM",
    "design": "corrections of the paper's ablations, the adapter's location included",
    "epochs": "corrections by epochs of an update (paper figure 6a)",
    "batch": "corrections by how many of them are learned in one update, and how many in one step",
    "predicted-iou": "corrections where predicted IoU calls the user, and where it judges proposals, too",
}
"""Every experiment with one line of help."""
