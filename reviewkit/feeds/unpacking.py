"""A document as a site sends it, packed or plain: unpacked within limits, or known and not unpacked at all."""

import hashlib
import zlib
from collections.abc import Awaitable, Callable

import aiohttp

from reviewkit.errors import FeedError

ON_THE_WIRE = 5 * 1024 * 1024
INFLATED = 10 * 1024 * 1024
PACKETS = 100
"""Packets of gzip one after the other; a handful is usual, and each one costs."""
BIG = 512 * 1024
HELD = 128 * 1024
"""Bytes of a document as it is sent that wait until all of it is there: it may be known, and then is not unpacked."""
SENT = 32
"""Characters of the digest of a document as it was sent."""
LATER = "Nothing is lost: the next pull tries again."


async def document(
    answer: aiohttp.ClientResponse, *, said: str, known: str, grow: Callable[[], Awaitable[None]]
) -> tuple[bytes, str]:
    """The document, inflated, within both limits, and its digest as it was sent; `grow` is awaited before it is big.

    One whose digest is `known` comes as nothing, where that shows before it is inflated. Raises FeedError.
    """
    encoding = answer.headers.get("Content-Encoding", "").strip().lower()
    if encoding not in ("", "identity", "gzip", "x-gzip", "deflate"):
        raise FeedError(f"Your site packs its feed in a way that was not asked for ({encoding[:20]}).", url=said)
    unpacked = _Unpacked(encoding, said, grow)
    digest = hashlib.sha256(f"{encoding}\n".encode())
    wire, held = 0, list[bytes]()
    try:
        async for chunk in answer.content.iter_chunked(65536):
            wire += len(chunk)
            if wire > ON_THE_WIRE:
                raise too_big(said)
            digest.update(chunk)
            held.append(chunk)
            if not known or wire > HELD:
                await unpacked.take(held)
        sent = digest.hexdigest()[:SENT]
        if held and sent == known:
            return b"", sent
        await unpacked.take(held)
    except BaseException:
        unpacked.out.clear()  # an error remembers this frame, and a class of bombs would remember all they unpacked to
        held.clear()
        raise
    if not unpacked.inflate.whole:
        raise FeedError(f"Your site stopped in the middle of its feed. {LATER}", url=said)
    return bytes(unpacked.out), sent


class _Unpacked:
    """What a document is so far. Raises FeedError for one that is packed wrongly or too big."""

    def __init__(self, encoding: str, said: str, grow: Callable[[], Awaitable[None]]) -> None:
        self.inflate = _Inflate(encoding)
        self.out = bytearray()
        self._said = said
        self._grow = grow
        self._small = True

    async def take(self, chunks: list[bytes]) -> None:
        """Add what these hold; they are gone then."""
        for chunk in chunks:
            try:
                if self._small:
                    self.out += self.inflate(chunk, BIG + 1 - len(self.out))
                    if len(self.out) <= BIG:
                        continue
                    self._small, chunk = False, b""
                    await self._grow()
                self.out += self.inflate(chunk, INFLATED + 1 - len(self.out))
            except zlib.error as error:
                raise FeedError(f"Your site sent a feed that is packed wrongly. {LATER}", url=self._said) from error
            if len(self.out) > INFLATED:
                raise too_big(self._said)
        chunks.clear()


class _Inflate:
    """Unpacks at most as much as it is told to, whatever the packed bytes promise; `left` waits for the next call."""

    def __init__(self, encoding: str) -> None:
        self._plain = encoding in ("", "identity")
        self._deflate = encoding == "deflate"
        self._unpack = zlib.decompressobj(zlib.MAX_WBITS if self._deflate else 16 + zlib.MAX_WBITS)
        self._begun = False
        self._packets = 1
        self.left = b""

    @property
    def whole(self) -> bool:
        return self._plain or not self._begun or self._unpack.eof

    def __call__(self, chunk: bytes, most: int) -> bytes:
        if self._plain:
            return chunk
        chunk = self.left + chunk
        if self._deflate and not self._begun and chunk[0] & 0x0F != 8:
            # Some servers send deflate without the wrapping that the standard asks for.
            self._unpack = zlib.decompressobj(-zlib.MAX_WBITS)
        self._begun = True
        out = bytearray()
        while chunk and len(out) < most:
            out += self._unpack.decompress(chunk, most - len(out))
            if self._unpack.eof and self._unpack.unused_data and not self._deflate:
                # gzip may be several packets one after the other
                self._packets += 1
                if self._packets > PACKETS:
                    raise zlib.error("too many packets")
                chunk, self._unpack = self._unpack.unused_data, zlib.decompressobj(16 + zlib.MAX_WBITS)
            else:
                chunk = self._unpack.unconsumed_tail
        self.left = chunk
        return bytes(out)


def too_big(said: str) -> FeedError:
    return FeedError(
        "Your feed is too big to be read (5 MB as sent, 10 MB unpacked); let it show fewer posts.", url=said
    )
