import random
from fractions import Fraction

import av
import numpy as np
import pytest
from PIL import Image, ImageFile

from lit_widget.video.frames import Frames, VideoError, open_frames
from lit_widget.video.video_file import VideoFrames

HEIGHT, WIDTH, BLOCK = 64, 96, 24
BITS = 8


def picture(number, height=HEIGHT, width=WIDTH):
    """An image whose blocks spell a number in binary and survive lossy coding."""
    image = np.zeros((height, width, 3), np.uint8)
    for bit in range(BITS):
        y, x = height // 2 * (bit // 4), BLOCK * (bit % 4)
        image[y : y + height // 2, x : x + BLOCK] = 255 * (number >> bit & 1)
    return image


def number_in(image):
    h = image.shape[0] // 2
    return sum(
        int(image[h * (bit // 4) + h // 2, BLOCK * (bit % 4) + BLOCK // 2].mean() > 127) << bit for bit in range(BITS)
    )


def write(path, codec, numbers=range(60), *, fps=Fraction(30), times=None, options=None, muxer=None, gop=12, bframes=0):
    """Write a video whose frame i shows `numbers[i]`, at `times[i]` in 1/`fps` seconds if given."""
    with av.open(path, "w", options=muxer or {}) as container:
        stream = container.add_stream(codec, rate=fps, options=options or {})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        if not codec.startswith("mjpeg"):
            stream.codec_context.gop_size, stream.codec_context.max_b_frames = gop, bframes
        else:
            stream.pix_fmt = "yuvj420p"
        for i, number in enumerate(numbers):
            frame = av.VideoFrame.from_ndarray(picture(number), format="rgb24")
            frame.pts, frame.time_base = times[i] if times else i, 1 / fps
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


X264 = {"preset": "ultrafast"}
NTSC = Fraction(30000, 1001)
VARIABLE = [0, 1, 2, 5, 6, 12, 13, 30, 31, 33, *range(40, 90)]

VIDEOS = {
    "h264 with B-frames": ("a.mp4", "libx264", {"bframes": 3, "fps": NTSC, "options": X264}),
    "open GOP": ("a.mp4", "libx264", {"options": {"x264-params": "bframes=3:keyint=12:open-gop=1:b-pyramid=2"}}),
    "HEVC, open GOP": ("a.mp4", "libx265", {"options": {"x265-params": "bframes=3:keyint=12:open-gop=1:log-level=0"}}),
    "one long GOP": ("a.mp4", "libx264", {"gop": 1000, "bframes": 2}),
    "key frames where the encoder likes": ("a.mkv", "libx264", {"options": {"x264-params": "keyint=20:min-keyint=1"}}),
    "periodic intra refresh": ("a.mp4", "libx264", {"options": {"x264-params": "intra-refresh=1:keyint=12"}}),
    "variable frame rate": ("a.mp4", "libx264", {"times": VARIABLE, "bframes": 2}),
    "QuickTime, all intra": ("a.mov", "libx264", {"gop": 1}),
    "MPEG-4 in AVI": ("a.avi", "mpeg4", {"bframes": 2, "fps": NTSC}),
    "H.264 in AVI, wrong timestamps": ("a.avi", "libx264", {"bframes": 3}),
    "motion JPEG": ("a.avi", "mjpeg", {}),
    "VP8": ("a.webm", "libvpx", {"fps": NTSC}),
    "VP9": ("a.webm", "libvpx-vp9", {"options": {"lag-in-frames": "16", "auto-alt-ref": "1", "cpu-used": "8"}}),
    "h264 in Matroska": ("a.mkv", "libx264", {"bframes": 3, "fps": NTSC}),
}


def seeks(frames):
    """A list that grows whenever a video starts decoding anew."""
    calls, seek = [], frames._seek
    frames._seek = lambda key: (calls.append(key), seek(key))[1]
    return calls


@pytest.mark.parametrize(("name", "codec", "options"), VIDEOS.values(), ids=VIDEOS)
def test_every_index_is_exact_in_any_order(tmp_path, name, codec, options):
    write(tmp_path / name, codec, **options)
    with VideoFrames(tmp_path / name, cache_bytes=3 * picture(0).nbytes) as frames:
        assert len(frames) == 60
        assert (frames.height, frames.width, frames.name) == (HEIGHT, WIDTH, "a")
        restarts = seeks(frames)
        assert [number_in(frame) for frame in frames] == list(range(60))
        assert restarts == []
        order = list(range(60)) * 2
        random.Random(0).shuffle(order)
        assert [number_in(frames[i]) for i in order] == order
        assert [number_in(frames[i]) for i in reversed(range(60))] == list(reversed(range(60)))


def test_pixels_do_not_depend_on_the_way_to_a_frame(tmp_path):
    write(tmp_path / "a.mp4", "libx264", bframes=3)
    with VideoFrames(tmp_path / "a.mp4", cache_bytes=0) as frames:
        forwards = list(frames)
        assert all(np.array_equal(frames[i], forwards[i]) for i in (59, 3, 30, 31, 0, 47))


def test_fps(tmp_path):
    assert open_frames(write(tmp_path / "a.mp4", "libx264", fps=NTSC)).fps == pytest.approx(29.97, abs=0.001)
    assert open_frames(write(tmp_path / "b.avi", "mpeg4", fps=Fraction(25, 2))).fps == 12.5


def test_memory_is_bounded(tmp_path):
    write(tmp_path / "a.mp4", "libx264", [i % 256 for i in range(2000)], gop=50, options=X264)
    limit = 10 * picture(0).nbytes
    frames = VideoFrames(tmp_path / "a.mp4", cache_bytes=limit)
    for i in (*range(2000), 5, 1999, 1000):
        assert number_in(frames[i]) == i % 256
        kept = frames._recent._frames.values()
        assert sum(plane.buffer_size for frame in kept for plane in frame.planes) <= limit


def test_stepping_backwards_decodes_a_group_once(tmp_path):
    frames = open_frames(write(tmp_path / "a.mp4", "libx264", gop=20, options=X264))
    list(frames)
    frames._recent._frames.clear()
    restarts = seeks(frames)
    for i in reversed(range(60)):
        frames[i]
    assert len(restarts) == 3


def test_a_frame_is_the_callers_own(tmp_path):
    write(tmp_path / "a.mp4", "mpeg4")
    array = np.stack([picture(i) for i in range(3)])
    for frames in (open_frames(tmp_path / "a.mp4"), open_frames(array), open_frames(list(array))):
        frames[1][:] = 7
        assert number_in(frames[1]) == 1


def test_a_hidden_vp8_reference_is_no_frame(tmp_path):
    write(tmp_path / "a.webm", "libvpx")
    with av.open(tmp_path / "a.webm") as source, av.open(tmp_path / "b.webm", "w") as sink:
        stream = sink.add_stream_from_template(source.streams.video[0])
        for i, packet in enumerate(p for p in source.demux(video=0) if p.size):
            data = bytearray(bytes(packet))
            if i == 20:
                data[0] &= ~0x10  # show_frame
            copy = av.Packet(bytes(data))
            copy.stream, copy.pts, copy.dts, copy.is_keyframe = stream, packet.pts, packet.dts, packet.is_keyframe
            copy.time_base = packet.time_base
            sink.mux(copy)
    frames = open_frames(tmp_path / "b.webm")
    assert [number_in(frame) for frame in frames] == [*range(20), *range(21, 60)]
    assert number_in(frames[40]) == 41


def test_an_edit_list_that_starts_within_a_group(tmp_path):
    muxer = {"avoid_negative_ts": "disabled", "use_editlist": "1"}
    path = write(tmp_path / "a.mp4", "libx264", times=list(range(-6, 54)), bframes=2, muxer=muxer)
    with VideoFrames(path, cache_bytes=0) as frames:
        assert len(frames) == 54
        assert [number_in(frames[i]) for i in (53, 1, 0, 20, 5)] == [59, 7, 6, 26, 11]


def test_rotated_video(tmp_path):
    path = write(tmp_path / "a.mp4", "libx264")
    data = bytearray(path.read_bytes())
    matrix = data.index(b"tkhd") + 4 + 40
    one = 1 << 16
    values = (0, one, 0, -one & 0xFFFFFFFF, 0, 0, HEIGHT << 16, 0, 1 << 30)  # a quarter turn clockwise when shown
    data[matrix : matrix + 36] = b"".join(v.to_bytes(4, "big") for v in values)
    path.write_bytes(data)
    frames = open_frames(path)
    assert (frames.height, frames.width) == (WIDTH, HEIGHT)
    assert number_in(np.rot90(frames[37], 1)) == 37


# --- Damage -----------------------------------------------------------------------------------------------------------


def truncated(path, share):
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    return path


def test_truncated_mp4_stays_usable(tmp_path):
    path = write(tmp_path / "a.mp4", "libx264", bframes=3, muxer={"movflags": "faststart"})
    with pytest.warns(UserWarning, match="damaged after frame"):
        frames = open_frames(truncated(path, 0.8))
    assert 5 < len(frames) < 60
    assert [number_in(frame) for frame in frames] == list(range(len(frames)))
    with pytest.raises(VideoError, match=f"frame 59 cannot be read: .* damaged after frame {len(frames) - 1}: "):
        frames[59]
    with pytest.raises(IndexError):
        frames[60]


@pytest.mark.parametrize(("name", "codec"), [("a.webm", "libvpx-vp9"), ("a.mkv", "libx264")])
def test_truncated_matroska_stays_usable(tmp_path, name, codec):
    frames = open_frames(truncated(write(tmp_path / name, codec), 0.7))
    assert 5 < len(frames) < 60
    assert [number_in(frame) for frame in frames] == list(range(len(frames)))
    with pytest.raises(IndexError, match=f"frames 0 to {len(frames) - 1}"):
        frames[len(frames)]


def test_a_hole_in_the_middle(tmp_path):
    path = write(tmp_path / "a.avi", "mjpeg")
    with av.open(path) as container:
        packets = [(p.pos, p.size) for p in container.demux(video=0) if p.size]
    data = bytearray(path.read_bytes())
    for pos, size in packets[20:22]:
        data[pos : pos + size] = bytes(size)
    path.write_bytes(data)
    frames = open_frames(path)
    assert [number_in(frames[i]) for i in (*range(20), *range(22, 60))] == [*range(20), *range(22, 60)]
    with pytest.raises(VideoError, match=r"frame 21 of .* is damaged; the last good frame before it is 19"):
        frames[21]
    assert number_in(frames[3]) == 3


def test_changing_size_is_reported_where_it_happens(tmp_path):
    packets = []
    for name, size in (("a", (WIDTH, HEIGHT)), ("b", (2 * WIDTH, HEIGHT))):
        with av.open(tmp_path / f"{name}.avi", "w") as container:
            stream = container.add_stream("mjpeg", rate=25)
            stream.width, stream.height = size
            stream.pix_fmt = "yuvj420p"
            for i in range(5):
                container.mux(stream.encode(av.VideoFrame.from_ndarray(picture(i, *size[::-1]), format="rgb24")))
            container.mux(stream.encode())
        with av.open(tmp_path / f"{name}.avi") as container:
            packets += [bytes(p) for p in container.demux(video=0) if p.size]
    with av.open(tmp_path / "c.mkv", "w") as container:
        stream = container.add_stream("mjpeg", rate=25)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuvj420p"
        for i, data in enumerate(packets):
            packet = av.Packet(data)
            packet.stream, packet.pts, packet.dts, packet.time_base = stream, i, i, Fraction(1, 25)
            packet.is_keyframe = True
            container.mux(packet)
    frames = open_frames(tmp_path / "c.mkv")
    assert number_in(frames[4]) == 4
    with pytest.raises(VideoError, match=r"frame 5 of .* is 192 x 64 pixels but frame 0 is 96 x 64"):
        frames[5]
    assert number_in(frames[2]) == 2


@pytest.mark.parametrize("content", [b"", b"not a video at all" * 100, b"\0" * 5000])
def test_unreadable_video(tmp_path, content):
    (tmp_path / "a.mp4").write_bytes(content)
    with pytest.raises(VideoError, match=r"a\.mp4 cannot be read as a video"):
        open_frames(tmp_path / "a.mp4")


def test_video_cut_before_its_index(tmp_path):
    with pytest.raises(VideoError, match="cannot be read as a video"):
        open_frames(truncated(write(tmp_path / "a.mp4", "libx264"), 0.5))


def test_sound_only(tmp_path):
    with av.open(tmp_path / "a.mp4", "w") as container:
        stream = container.add_stream("aac", rate=44100)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 4096), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 44100
        container.mux([*stream.encode(frame), *stream.encode()])
    with pytest.raises(VideoError, match="no video stream"):
        open_frames(tmp_path / "a.mp4")


def test_closed_video(tmp_path):
    with open_frames(write(tmp_path / "a.mp4", "mpeg4")) as frames:
        pass
    with pytest.raises(VideoError, match="'a' is closed"):
        frames[0]


# --- Images, lists and arrays -----------------------------------------------------------------------------------------


def save(path, number=0, **options):
    Image.fromarray(picture(number)).save(path, **options)
    return path


def test_folder_in_natural_order(tmp_path):
    for number in (10, 2, 1, 33):
        save(tmp_path / f"frame{number}.png", number)
    save(tmp_path / "frame7.JPG", 7)
    (tmp_path / ".hidden.png").write_bytes(b"")
    (tmp_path / "notes.txt").write_text("not a frame")
    frames = open_frames(str(tmp_path))
    assert [number_in(frame) for frame in frames] == [1, 2, 7, 10, 33]
    assert (frames.height, frames.width, frames.name, frames.fps) == (HEIGHT, WIDTH, tmp_path.name, 24)


def test_a_folder_opens_from_headers(tmp_path, monkeypatch):
    for name in ("0.png", "1.png", "2.jpg"):
        save(tmp_path / name)
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda image: pytest.fail(f"{image.filename} was decoded"))
    assert len(open_frames(tmp_path)) == 3


def test_mixed_list(tmp_path):
    items = [picture(0), Image.fromarray(picture(1)), save(tmp_path / "a.png", 2), str(save(tmp_path / "b.png", 3))]
    assert [number_in(frame) for frame in open_frames(items)] == [0, 1, 2, 3]
    assert [number_in(frame) for frame in open_frames(tuple(items))] == [0, 1, 2, 3]
    assert items[1].getpixel((0, 0)) == (255, 255, 255)  # still open


def test_array_and_frames():
    frames = open_frames(np.stack([picture(i) for i in range(4)]))
    assert [number_in(frame) for frame in frames] == [0, 1, 2, 3]
    assert open_frames(frames) is frames


def test_grey_arrays_are_frames():
    grey = np.stack([picture(i)[..., 0] for i in range(4)])
    frames = open_frames(grey)
    assert [number_in(frame) for frame in frames] == [0, 1, 2, 3]
    assert frames[1].flags.writeable
    assert frames[1].flags.c_contiguous


@pytest.mark.parametrize("suffix", ["jpg", "png"])
def test_exif_rotation(tmp_path, suffix):
    exif = Image.Exif()
    exif[0x0112] = 6
    save(tmp_path / f"a.{suffix}", 37, exif=exif)
    for source in (tmp_path, [Image.open(tmp_path / f"a.{suffix}")]):
        frames = open_frames(source)
        assert (frames.height, frames.width) == (WIDTH, HEIGHT)
        assert number_in(np.rot90(frames[0], 1)) == 37


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "1", "CMYK", "LA"])
def test_any_8_bit_image_becomes_rgb(mode):
    frames = open_frames([Image.fromarray(picture(37)).convert(mode)])
    assert number_in(frames[0]) == 37


def test_index_out_of_range():
    frames = open_frames(np.zeros((3, 4, 5, 3), np.uint8))
    assert frames[np.int64(2)].shape == (4, 5, 3)
    for index in (-1, 3):
        with pytest.raises(IndexError, match="'array' has frames 0 to 2"):
            frames[index]
    with pytest.raises(TypeError):
        frames[0:2]


def test_sources_that_are_refused(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").write_text("hello")
    for source, reason in [
        (tmp_path / "missing.mp4", "there is no file or folder"),
        (tmp_path / "empty", "holds no JPEG or PNG images"),
        (tmp_path / "notes.txt", "is not a video that can be read"),
        ("https://example.org/a.mp4", "is a web address"),
        ([], "there are no frames"),
        (np.zeros((0, 4, 4, 3), np.uint8), "there are no frames"),
        (
            np.zeros((4, 4, 3), np.uint8),
            r"must be uint8, .*got \(4, 4, 3\) uint8; .* array\[None\]",
        ),
        (np.zeros((3, 4, 4, 1), np.uint8), r"array\[\.\.\., 0\]"),
        (np.zeros((3, 4, 4)), r"\(array \* 255\)"),
        (np.zeros((3, 4, 4, 3)), "float64"),
        ([np.zeros((4, 4, 3), np.uint8), np.zeros((4, 4))], r"frame 1 must be an \(h, w, 3\) uint8 array"),
        ([np.zeros((4, 4, 3), np.uint8), np.zeros((4, 5, 3), np.uint8)], "frame 1 is 5 x 4 pixels but frame 0 is 4"),
        ([7], "frame 0 is a int"),
        (["missing.png"], r"frame 0 \(missing.png\) does not exist"),
        ([tmp_path / "notes.txt"], "is not an image"),
        ([Image.new("I;16", (4, 4))], "more than 8 bits"),
        (7, "cannot read frames from a int"),
    ]:
        with pytest.raises(VideoError, match=reason):
            open_frames(source)


def test_folder_of_changing_sizes_is_refused_at_once(tmp_path):
    save(tmp_path / "0.png")
    Image.new("RGB", (50, 40)).save(tmp_path / "1.png")
    with pytest.raises(VideoError, match=r"frame 1 \(.*1\.png\) is 50 x 40 pixels but frame 0 is 96 x 64"):
        open_frames(tmp_path)


@pytest.mark.parametrize("name", ["1.png", "1.jpg"])
def test_damaged_image(tmp_path, name):
    save(tmp_path / "0.png", 5)
    noise = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / name)
    truncated(tmp_path / name, 0.7)
    frames = open_frames(tmp_path)
    assert number_in(frames[0]) == 5
    with pytest.raises(VideoError, match=r"frame 1 .* is damaged"):
        frames[1]


def test_oversized_image(tmp_path, monkeypatch):
    save(tmp_path / "0.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    with pytest.raises(VideoError, match=r"frame 0 .* is too large"):
        open_frames(tmp_path)


def test_frames_can_be_implemented_elsewhere():
    class Black(Frames):
        name, fps, height, width = "black", 25.0, 2, 3

        def __len__(self):
            return 5

        def _read(self, index):
            return np.full((2, 3, 3), index, np.uint8)

    with Black() as frames:
        assert [int(frame[0, 0, 0]) for frame in frames] == [0, 1, 2, 3, 4]
