"""The whole loop with mouse and keys alone, so that it can be played in any host: nothing is asked of the kernel."""

import numpy as np
from scipy.ndimage import distance_transform_edt

FRAMES = 16


def deepest(area):
    """The pixel of an area that is farthest from its edge, as (x, y)."""
    y, x = np.unravel_index(distance_transform_edt(np.pad(area, 1))[1:-1, 1:-1].argmax(), area.shape)
    return int(x), int(y)


def click_to_mask(view, target):
    """Click the object on the first frame and see its mask."""
    view.remember()
    view.click(*deepest(target[0]))
    view.until("d.prompts === '1' && Number(d.maskPixels) > 0 && d.status === 'idle'")
    assert view.changed() > 200


def follow(view):
    """Track to the end of the video."""
    view.press("t")
    view.until(f"d.job === 'track:done' && d.masks === '{FRAMES}'")


def correct_and_learn(view, target, frame=6):
    """Correct a frame with a click and train the adapter on it."""
    view.go_to(frame)
    view.click(*deepest(target[frame]))
    view.until("d.prompts === '1' && d.status === 'idle'")
    view.press("Enter")
    view.until("d.adapterVersion === '1' && d.status === 'idle'")
    assert "v1" in view.text("learned")


def accept_a_proposal(view, frame=10):
    """Say that a mask is wrong and accept what the adapter proposes instead."""
    view.go_to(frame)
    view.press("w")
    view.until(f"d.proposal === '{frame}:1' && d.status === 'idle'")
    view.press("a")
    view.until("d.proposal === '' && d.status === 'idle'")
    assert "saved 1 correction" in view.text("saved")


def whole_loop(view, target):
    """From the first click to an accepted proposal."""
    view.focus()
    click_to_mask(view, target)
    follow(view)
    correct_and_learn(view, target)
    accept_a_proposal(view)
