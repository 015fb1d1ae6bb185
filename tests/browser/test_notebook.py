"""What a person does with the widget in Notebook 7."""

import pytest
from helpers import clip
from loop import FRAMES, whole_loop

pytestmark = [pytest.mark.browser, pytest.mark.slow]

TARGET = clip("easy", 2, FRAMES).target


def test_annotate_reload_and_show_twice(open_lab):
    lab = open_lab("w = LITWidget(clip.frames)\nw", "w", host="notebook")
    whole_loop(lab.show(), TARGET)
    assert lab.ask("(w.corrections, w.accepted)") == ([6], [10])

    lab.reload()
    views = lab.view(), lab.show(1, nth=1)
    for again in views:
        again.until("d.masks === '16' && d.adapterVersion === '1' && d.frame === '10'")
    views[0].click(20, 20)
    views[1].until("d.prompts === '1'")
