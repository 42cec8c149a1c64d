"""The pages of an Ogg file (RFC 3533), without what is in them: are they all there?

libsndfile takes the last page it finds for the end. 20 µs for a clip of 10 s, a second for a day.
"""

import struct
from dataclasses import dataclass, field
from typing import BinaryIO

_HEAD = struct.Struct("<4sBBqIIIB")
_BEGINS, _ENDS = 2, 4


@dataclass
class _Streams:
    """The pages of the logical streams so far, by serial number."""

    pages: dict[int, int] = field(default_factory=dict)
    """Pages of each."""
    ended: set[int] = field(default_factory=set)

    def fault_of(self, flags: int, serial: int, page: int) -> str:
        """Return the fault of the next page; empty where it has none."""
        if flags & _BEGINS:
            if any(count > 1 for count in self.pages.values()):
                return "holds several recordings one after the other, of which libsndfile reads the first: split it"
            self.pages[serial] = page
        if page != self.pages.get(serial, 0):
            return f"is damaged: its page {self.pages.get(serial, 0)} is not there"
        self.pages[serial] = page + 1
        if flags & _ENDS:
            self.ended.add(serial)
        return ""


def ogg_fault(file: BinaryIO) -> str:
    """Return why an Ogg file is not one whole recording, in words that follow its name; empty where it is.

    A file without the page that ends its stream is taken for cut short: nothing tells it from one that is.
    """
    length = file.seek(0, 2)
    place, streams = 0, _Streams()
    while place < length:
        file.seek(place)
        head = file.read(_HEAD.size)
        if len(head) < _HEAD.size or not head.startswith(b"OggS"):
            break  # what follows the end of all streams is no audio
        _, _, flags, _, serial, page, _, segments = _HEAD.unpack(head)
        sizes = file.read(segments)
        place += _HEAD.size + segments + sum(sizes)
        if len(sizes) < segments or place > length:
            break
        if fault := streams.fault_of(flags, serial, page):
            return fault
    if not streams.pages or set(streams.pages) - streams.ended:
        return "is cut short: the page that ends the recording is not there"
    return ""
