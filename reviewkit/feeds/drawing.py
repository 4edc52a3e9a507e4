"""A picture drawn anew from its pixels, in a worker process: strangers' pictures can cost what they like."""

import io

from reviewkit.pictures import Picture

SIDE = 1600
"""Pixels of a copy's longer side at most."""
PIXELS = 24_000_000
"""Pixels that are unpacked: more than most cameras make, and what a worker's memory holds."""
DOT = 3
"""Pixels of a side up to which a picture shows nothing, and only counts readers."""
QUALITY = 82
FORMATS = ("JPEG", "PNG", "WEBP", "GIF")


class NoPicture(ValueError):
    """What is no picture of a kind that is taken."""


def remade(body: bytes) -> Picture:
    """A picture drawn anew from its pixels: upright, small enough, without metadata. Raises NoPicture.

    A dot comes back without a body. Meant for a worker process: strangers' pictures can cost what they like.
    """
    from PIL import Image, ImageOps

    Image.MAX_IMAGE_PIXELS = None  # we count ourselves, after the cheap shrinking that JPEG allows
    try:
        with Image.open(io.BytesIO(body), formats=FORMATS) as image:
            if max(image.size) <= DOT or min(image.size) < DOT:
                return Picture(body=b"", width=0, height=0)
            image.draft("RGB", (SIDE, SIDE))
            if image.width * image.height > PIXELS:
                raise NoPicture
            image.load()  # of an animation, its first frame
            clear = image.has_transparency_data
            upright = ImageOps.exif_transpose(image)
            drawn = upright.convert("RGBA" if clear else "RGB")
        drawn.thumbnail((SIDE, SIDE))
        bare = Image.new(drawn.mode, drawn.size)
        bare.paste(drawn)
        out = io.BytesIO()
        bare.save(out, "WEBP", quality=QUALITY, method=3)
    except (MemoryError, NoPicture):
        raise
    except Exception as error:  # whatever its decoders raise on hostile bytes
        raise NoPicture from error
    return Picture(body=out.getvalue(), width=bare.width, height=bare.height)
