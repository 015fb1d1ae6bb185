"""A session as one file: written as things happen, read back when it is opened again."""

from .file import SessionFile, SessionFileError
from .reader import Restored, Stored, prompt_again, read, restore
from .recorder import Recorder
from .video import MissingFrames, describe_video, find_video

__all__ = [
    "MissingFrames",
    "Recorder",
    "Restored",
    "SessionFile",
    "SessionFileError",
    "Stored",
    "describe_video",
    "find_video",
    "prompt_again",
    "read",
    "restore",
]
