"""How a crawler looks for a word: in bytes as they come, and in all that can be unpacked or decoded from them."""

import base64
import binascii
import gzip
import io
import re
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from html import unescape
from urllib.parse import unquote_to_bytes


@dataclass(frozen=True, kw_only=True)
class Leak:
    thing: str
    word: str
    where: str
    viewer: str


CODED = re.compile(rb"[A-Za-z0-9+/_-]{10,}={0,2}")
LONGEST_CODED = 20_000


def readings(raw: bytes, deep: int = 3) -> Iterator[str]:
    """Bytes as they can be read: unpacked, what a picture holds beside its pixels, and each part that is encoded (JSON,
    percent, HTML, base64) decoded."""
    if raw[:2] == b"\x1f\x8b":
        with suppress(OSError, EOFError, zlib.error):
            yield from readings(gzip.decompress(raw), deep - 1)
            return
    if raw[:4] == b"PK\x03\x04":  # a workbook is a zip file
        with zipfile.ZipFile(io.BytesIO(raw)) as packed:
            for name in packed.namelist():
                yield name
                yield from readings(packed.read(name), deep - 1)
        return
    for told in beside_the_pixels(raw):
        yield from readings(told, deep - 1)
        for start in (0, 1):
            for code in ("utf-16-le", "utf-16-be"):
                yield told[start:].decode(code, "replace")
    text = raw.decode("utf-8", "replace")
    yield text
    if not deep:
        return
    others = set[bytes]()
    if "\\u" in text or "\\x" in text:
        others.add(re.sub(r"\\+(?:u([0-9a-f]{4})|x([0-9a-f]{2}))", _sign, text, flags=re.I).encode())
    if re.search(r"%[0-9A-Fa-f]{2}", text):
        others.add(unquote_to_bytes(text))
    if re.search(r"&#?\w+;", text):
        others.add(unescape(text).encode("utf-8", "replace"))
    others |= set(_coded(raw))
    for other in others - {raw}:
        yield from readings(other, deep - 1)


def _sign(found: re.Match[str]) -> str:
    sign = chr(int(next(filter(None, found.groups())), 16))
    return sign if not "\ud800" <= sign <= "\udfff" else "?"


def _coded(raw: bytes) -> Iterator[bytes]:
    """What base64 (at any of its four places) and deflate hide, where it is text or packed."""
    for run in CODED.findall(raw):
        if len(run) > LONGEST_CODED:
            continue
        for start in range(4):
            part = run[start:].rstrip(b"=").replace(b"-", b"+").replace(b"_", b"/")
            part = part[: len(part) - (len(part) % 4 == 1)]
            with suppress(binascii.Error):
                found = base64.b64decode(part + b"=" * (-len(part) % 4))
                with suppress(zlib.error):
                    found = zlib.decompress(found)
                if found[:2] == b"\x1f\x8b" or _is_text(found):
                    yield found


def _is_text(found: bytes) -> bool:
    """Enough of it is readable to hold a word."""
    return re.search(rb"[\w .@-]{4,}", found) is not None


@lru_cache(4000)
def _forms(word: str) -> tuple[str, str]:
    return plain(word), bare(word)


def plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def bare(text: str) -> str:
    """Without accents, as addresses and file names have it."""
    apart = unicodedata.normalize("NFKD", text.casefold().replace("ł", "l").replace("ø", "o"))
    return "".join(sign for sign in apart if not unicodedata.combining(sign))


_HOUR = re.compile(r"\d\d:\d\d")


def _only_ticks(word: str, text: str) -> bool:
    """Whether an hour of the day stands there by chance alone: as minutes and seconds of another moment."""
    return bool(_HOUR.fullmatch(word)) and not re.search(rf"(?<!\d:){word}", text)


def leaks(raw: bytes, forbidden: Mapping[str, str], *, where: str, viewer: str) -> list[Leak]:
    """Every forbidden word in these bytes, however it is written."""
    found = dict[str, str]()
    for text in readings(raw):
        there = plain(text)
        there_bare = there if there.isascii() else bare(text)
        for word, thing in forbidden.items():
            form, bare_form = _forms(word)
            if word not in found and (form in there or bare_form in there_bare) and not _only_ticks(word, there):
                found[word] = thing
    return [Leak(thing=thing, word=word, where=where, viewer=viewer) for word, thing in found.items()]


# -- pictures

PIXELS = {
    b"RIFF": {b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF"},
    b"\x89PNG": {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"},
}


def beside_the_pixels(body: bytes) -> list[bytes]:
    """What a picture (WebP, PNG or JPEG) holds beside its pixels: EXIF, XMP, profiles, comments, texts, and what
    stands behind its end. Packed texts are unpacked. Nothing for what is no picture."""
    if body[:4] == b"RIFF" and body[8:12] == b"WEBP":
        return [data for kind, data in _riff(body) if kind not in PIXELS[b"RIFF"]]
    if body[:4] == b"\x89PNG":
        return [each for kind, data in _png(body) if kind not in PIXELS[b"\x89PNG"] for each in _unpacked(data)]
    if body[:3] == b"\xff\xd8\xff":
        return list(_jpeg(body))
    return []


def _riff(body: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 12
    while at + 8 <= len(body):
        kind, size = body[at : at + 4], struct.unpack_from("<I", body, at + 4)[0]
        yield kind, body[at + 8 : at + 8 + size]
        at += 8 + size + size % 2


def _png(body: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 8
    while at + 12 <= len(body):
        size, kind = struct.unpack_from("!I", body, at)[0], body[at + 4 : at + 8]
        yield kind, body[at + 8 : at + 8 + size]
        at += 12 + size
        if kind == b"IEND":
            break
    if body[at:]:
        yield b"", body[at:]


def _unpacked(data: bytes) -> Iterator[bytes]:
    """A chunk, and what is packed in it behind some words of its own."""
    yield data
    for start in re.finditer(rb"\x78[\x01\x5e\x9c\xda]", data):
        with suppress(zlib.error):
            yield zlib.decompressobj().decompress(data[start.start() :])


def _jpeg(body: bytes) -> Iterator[bytes]:
    at = 2
    while body[at : at + 1] == b"\xff" and (kind := body[at + 1]) != 0xDA:
        size = struct.unpack_from("!H", body, at + 2)[0]
        if kind == 0xFE or 0xE1 <= kind <= 0xEF:
            yield body[at + 4 : at + 2 + size]
        at += 2 + size
    end = body.rfind(b"\xff\xd9")
    if end >= 0 and body[end + 2 :]:
        yield body[end + 2 :]
