import numpy as np
import pytest
from PIL import Image

from lit_widget.video.formats.mask_set import CompactMasks, FormatError, MaskObject, MaskSet
from lit_widget.video.formats.registry import export_masks, read_masks, with_video
from lit_widget.video.frames import open_frames


def _masks(names, annotated):
    masks = CompactMasks((12, 14))
    for frame in annotated:
        masks.add(frame, 1, np.arange(12 * 14).reshape(12, 14) % (frame + 2) == 0)
    return MaskSet("clip", (12, 14), len(names), (MaskObject.unnamed(1),), masks, names)


@pytest.mark.parametrize("format_name", ["davis", "youtube-vos", "mose", "lvos", "vost", "yolo-seg"])
@pytest.mark.parametrize("annotated", [range(6), [2, 4]])
@pytest.mark.parametrize(("first", "every"), [(0, 1), (1, 1), (100, 1), (0, 5)])
def test_masks_come_back_to_the_frames_of_their_names(tmp_path, format_name, annotated, first, every):
    (tmp_path / "clip").mkdir()
    for number in range(6):
        path = tmp_path / "clip" / f"{first + every * number:05d}.jpg"
        Image.fromarray(np.full((12, 14, 3), number, np.uint8)).save(path)
    frames = open_frames(tmp_path / "clip")
    export_masks(_masks(frames.frame_names, annotated), tmp_path / "out", format_name)
    back = with_video(read_masks(tmp_path / "out", format_name), frames)
    assert back.annotated() == list(annotated)


def test_numbers_that_change_are_reported(tmp_path):
    masks = _masks(tuple(f"{each:05d}" for each in range(1, 7)), [2, 4])
    assert "frame 2 as 3" in str(export_masks(masks, tmp_path / "out", "davis"))
    assert "frame 2" not in str(export_masks(_masks(tuple("abcdef"), []), tmp_path / "none", "davis"))
    unnumbered = _masks(tuple(f"{each:05d}" for each in range(6)), [2, 4])
    assert "numbers of frames" not in str(export_masks(unnumbered, tmp_path / "kept", "davis"))


def test_deep_xml_is_refused_at_once(tmp_path):
    path = tmp_path / "deep.xml"
    path.write_text("<annotations>" + "<a>" * 1_000_000)
    with pytest.raises(FormatError, match="deep"):
        read_masks(path, "cvat")
