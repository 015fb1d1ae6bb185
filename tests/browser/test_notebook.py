"""What a person does with the widget in Notebook 7."""

from importlib.metadata import version

import pytest
from helpers import clip
from loop import FRAMES, whole_loop

pytestmark = [pytest.mark.browser, pytest.mark.hosts, pytest.mark.slow]

TARGET = clip("easy", 2, FRAMES).target


def test_annotate_reload_and_show_twice(open_lab, record_property):
    waiting = "import time\nwhile not w._annotation.state.prompts: time.sleep(0.05)"
    lab = open_lab("w = LITWidget(clip.frames)\nw", "w", waiting, host="notebook")
    whole_loop(lab.show(), TARGET)
    corrections, accepted, polling = lab.ask("(w.corrections, w.accepted, w._outbox.polling)")
    assert (corrections, accepted) == ([6], [10])

    lab.reload()
    views = lab.view(), lab.show(1, nth=1)
    for again in views:
        again.until("d.masks === '16' && d.adapterVersion === '1' && d.frame === '10'")
    lab.start(2)
    views[0].click(20, 20)
    views[1].until("d.prompts === '1'")
    lab.finish()
    record_property("host", f"Notebook {version('notebook')}")
    record_property("loop", "works, reload and a second view too")
    record_property("threads", "asked for" if polling else "arrive")
    record_property("click", "answered at once")
