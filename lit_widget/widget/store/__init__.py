"""A session as one file: written as things happen, read back when it is opened again."""

from .actions import pack_making, unpack_making
from .file import SessionFile, SessionFileError
from .reader import Restored, Stored, prompt_again, read, restore
from .recorder import Recorder
from .video import MissingFrames, check_there, describe_video, find_video, shown

__all__ = [
    "MissingFrames",
    "Recorder",
    "Restored",
    "SessionFile",
    "SessionFileError",
    "Stored",
    "check_there",
    "describe_video",
    "find_video",
    "pack_making",
    "prompt_again",
    "read",
    "restore",
    "shown",
    "unpack_making",
]
