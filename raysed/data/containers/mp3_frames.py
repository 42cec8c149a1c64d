"""The frames of an MPEG audio file (ISO 11172-3, 13818-3): how many there are, and what a header tells.

Without a header, libsndfile guesses the length from the first frame's bit rate and decodes no more than that:
of 8.1 s at a variable bit rate 1.64 s were left. About a second for four hours.
"""

import io
import struct
from dataclasses import dataclass
from functools import lru_cache
from typing import BinaryIO

_KBITS = {
    (1, 1): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (1, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (1, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (2, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (2, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_KBITS[2, 3] = _KBITS[2, 2]
"""By version (2 for 2.5 too) and layer, bit rate indices 1 to 14."""
_RATES_HZ = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
_BLOCK = 1 << 20
_LARGEST = 2048
"""More than any frame, in bytes."""


@dataclass(frozen=True)
class Head:
    """The first four bytes of a frame, understood."""

    bits: int
    kind: int
    """Version, layer and rate: equal for all frames of a recording."""
    length: int
    """Bytes of the whole frame."""
    samples: int
    """Of each channel."""
    tag_at: int
    """The byte at which a frame that only tells the length says so."""


@dataclass(frozen=True)
class Mp3:
    """The frames of a file and what its header says of them."""

    first: Head
    begin: int
    """Byte of the first frame with sound."""
    frames: int
    """Whole frames from there."""
    told: int | None
    """Frames by the header, None where there is none."""
    short: bool
    """True where the header tells more bytes than there are."""

    @property
    def is_told(self) -> bool:
        """Tell whether the header speaks of all there is; of files joined to one it tells the first only."""
        return self.told is not None and self.frames <= self.told


@lru_cache(maxsize=1024)  # few differ in a file
def read_head(four: bytes) -> Head | None:
    """A frame's header; None where the bytes are none, or of a bit rate that is not told."""
    bits = int.from_bytes(four, "big")
    version, layer = bits >> 19 & 3, 4 - (bits >> 17 & 3)
    rate, kbits = bits >> 10 & 3, bits >> 12 & 15
    if bits >> 21 != 0x7FF or version == 1 or layer == 4 or rate == 3 or kbits in (0, 15):
        return None
    older = version == 3
    per_second = 1000 * _KBITS[1 if older else 2, layer][kbits - 1]
    rate_hz, padding = _RATES_HZ[version][rate], bits >> 9 & 1
    samples = {1: 384, 2: 1152, 3: 1152 if older else 576}[layer]
    slot = 4 if layer == 1 else 1
    length = slot * (samples * per_second // (8 * slot * rate_hz) + padding)
    mono = bits >> 6 & 3 == 3
    side = (17 if mono else 32) if older else (9 if mono else 17)
    return Head(bits, bits & 0xFFFE0C00, length, samples, 4 + side)


def scan_mp3(file: BinaryIO) -> Mp3 | None:
    """Count the frames of a file; None where no two follow each other.

    Raises ValueError where parts of different rates are joined: they cannot be decoded as one recording.
    """
    walk = _Walk(file)
    first = walk.next()
    if first is None:
        return None
    place, begin = walk.place, walk.place
    told, told_bytes = _told(walk.bytes_at(place, _LARGEST), first)
    short = told_bytes is not None and walk.length - place < told_bytes
    if told is not None:
        begin += first.length
        frames = 0
    else:
        frames = 1
    walk.place += first.length
    while (head := walk.next()) is not None:
        if head.kind != first.kind:
            raise ValueError(
                "holds parts of different rates or kinds one after the other: split it"
            )
        frames += 1
        walk.place += head.length
    return Mp3(first, begin, frames, told, short)


def with_length(file: BinaryIO, found: Mp3) -> io.RawIOBase:
    """The same sound behind a header that tells the counted frames, which decoders believe."""
    bits = found.first.bits | 0x10000  # without a checksum
    while (head := read_head(bits.to_bytes(4, "big"))) is None or head.length < head.tag_at + 12:
        bits += 0x1000  # the next bit rate
    tag = bytes(head.tag_at - 4) + b"Info" + struct.pack(">II", 1, found.frames)
    return _Joined((bits.to_bytes(4, "big") + tag).ljust(head.length, b"\0"), file, found.begin)


def _told(frame: bytes, head: Head) -> tuple[int | None, int | None]:
    """Frames and bytes by the header in a first frame: Xing's or Fraunhofer's."""
    if frame[36:40] == b"VBRI" and len(frame) >= 54:
        size, frames = struct.unpack(">II", frame[46:54])
        return frames, size
    tag = frame[head.tag_at : head.tag_at + 16]
    if tag[:4] not in (b"Xing", b"Info") or len(tag) < 16:
        return None, None
    flags, *values = struct.unpack(">III", tag[4:])
    if not flags & 1:
        return None, None
    return values[0], values[1] if flags & 2 else None


class _Walk:
    """From frame to frame through a file, past tags and what else is no frame."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.length = file.seek(0, 2)
        self.place = 0
        self._held, self._at = b"", 0

    def bytes_at(self, place: int, count: int) -> bytes:
        """Up to `count` bytes from `place` on."""
        if not self._at <= place <= place + count <= self._at + len(self._held):
            self._file.seek(place)
            self._held, self._at = self._file.read(_BLOCK), place
        return self._held[place - self._at : place - self._at + count]

    def next(self) -> Head | None:
        """The next whole frame's header, at `place`; None where there is no more."""
        head = read_head(self.bytes_at(self.place, 4))
        if head is None:
            head = self._found()
        if head is None or self.place + head.length > self.length:
            return None
        return head

    def _found(self) -> Head | None:
        """Past a tag, or to the next two frames in a row."""
        while self.place < self.length - 4:
            start = self.bytes_at(self.place, 10)
            if start.startswith(b"ID3") and len(start) == 10:
                size = sum(
                    (byte & 0x7F) << shift
                    for byte, shift in zip(start[6:], (21, 14, 7, 0), strict=True)
                )
                self.place += 10 + size
            elif head := read_head(start[:4]):
                after = self.place + head.length
                following = read_head(self.bytes_at(after, 4))
                if after == self.length or (following and following.kind == head.kind):
                    return head
                self.place += 1
            else:
                step = self.bytes_at(self.place + 1, _BLOCK >> 1).find(b"\xff")
                self.place += 1 + step if step >= 0 else _BLOCK >> 1
        return None


class _Joined(io.RawIOBase):
    """Some bytes before the rest of a file."""

    def __init__(self, head: bytes, file: BinaryIO, begin: int) -> None:
        self._head, self._file, self._begin = head, file, begin
        self._length = len(head) + file.seek(0, 2) - begin
        self._place = 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return the place of the next bytes."""
        return self._place

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move the place as in any file."""
        self._place = offset + (0, self._place, self._length)[whence]
        return self._place

    def readinto(self, buffer: "memoryview") -> int:  # type: ignore[override]
        """Fill `buffer` as far as there is anything."""
        size = len(buffer)
        content = self._head[self._place : self._place + size]
        self._file.seek(self._begin + max(0, self._place - len(self._head)))
        content += self._file.read(size - len(content))
        buffer[: len(content)] = content
        self._place += len(content)
        return len(content)
