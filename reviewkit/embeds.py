"""What a masked copy says in place of embedded players, and which links are somebody's profile."""

import re
from collections import Counter
from collections.abc import Sequence
from urllib.parse import urlsplit

from reviewkit.identity import MANY_PEOPLE
from reviewkit.needles import folded, words_of
from reviewkit.visible import Close, Open, Piece, Words

VIDEO, RECORDING, EMBEDDED = "[a video]", "[a recording]", "[something embedded]"
_PLAYERS = {"video": VIDEO, "audio": RECORDING, "iframe": EMBEDDED, "embed": EMBEDDED, "object": EMBEDDED}
_VIDEO_HOSTS = words_of(
    "youtube.com youtu.be youtube-nocookie.com vimeo.com player.vimeo.com dailymotion.com tiktok.com twitch.tv"
    " videopress.com loom.com"
)
_RECORDING_HOSTS = words_of(
    "soundcloud.com w.soundcloud.com open.spotify.com anchor.fm podcasters.spotify.com bandcamp.com mixcloud.com"
    " podcasts.apple.com"
)
_MINE = words_of(
    "me my mine myself here profile page account channel feed blog site website portfolio handle link bio the on at"
    " i i'm am follow find us our @"
)
"""What people call a link to themselves, beside the name of the place."""
_PLATFORM_WORDS = words_of(
    "twitter x mastodon bluesky bsky github gitlab codeberg linkedin instagram facebook youtube tiktok tumblr medium"
    " substack threads reddit orcid researchgate goodreads flickr vimeo soundcloud spotify behance dribbble patreon"
    " ko-fi pinterest pixelfed letterboxd lastfm strava keybase researcher scholar fediverse social"
)
_OWN_PLACES = _PLATFORM_WORDS | words_of(
    "profile page account channel feed blog weblog site website portfolio handle homepage newsletter podcast"
)
_MY = re.compile(r"\bmy((?: [\w'-]+){0,3})\W{0,3}$")
_ME = re.compile(
    r"\b(?:(?:find|follow|reach|contact) me(?: [\w'-]+){0,3}|i(?:'m| am)(?: also)? (?:on|at)"
    r"|i (?:also )?(?:blog|write|post|toot|tweet)(?: [\w'-]+)? (?:on|at))\W{0,3}$"
)
_BESIDE_PLACES = words_of("is at on old new other own personal id here the under called named") | _MINE
_PROFILE_PATH = re.compile(r"/(?:(?:in|user|users|u|profile|people|channel|c|author)/)?@?[\w.~-]{2,60}/?\Z")


def media_of(found: Sequence[Piece], replaced: Counter[str]) -> list[Piece]:
    """The pieces with words in place of embedded players and of all that is inside them."""
    left: list[Piece] = []
    inside = ""
    for piece in found:
        if inside:
            inside = "" if isinstance(piece, Close) and piece.tag == inside else inside
        elif isinstance(piece, Open) and piece.tag in _PLAYERS:
            address = piece.get("src") or piece.get("data") or ""
            replaced[address or f"<{piece.tag}>"] += 1
            left.append(Words(f" {_of_host(address) or _PLAYERS[piece.tag]} "))
            inside = piece.tag if piece.tag != "embed" else ""
        else:
            left.append(piece)
    return left


def plays(address: str, said: str) -> str:
    """The words for a link that is what is left of an embedded player: it says nothing but its own address, or stands
    in brackets. Empty for all other links."""
    bare = said.strip()
    if bare.startswith("[") or re.match(r"https?://\S+\Z", bare) or not bare:
        return _of_host(address)
    return ""


def is_own(address: str, said: str, before: str) -> bool:
    """Whether a link leads to its author by what they say of it: "my old blog", "follow me on ...", or no more than the
    name of a site of many people ("Mastodon", "GitHub") for somebody's page there. `before` is the text before it."""
    words = re.findall(r"[\w'-]+", folded(said))
    told = folded(before[-60:]).replace("’", "'")
    if _ME.search(told):
        return True
    if mine := _MY.search(told):
        beside = mine.group(1).split()
        place = next((word for word in (*beside, *words[:3]) if word in _OWN_PLACES), "")
        if place and all(word in _OWN_PLACES or word in _BESIDE_PLACES for word in beside):
            return True
    if not words or len(words) > 6 or not all(word in _MINE or word in _PLATFORM_WORDS for word in words):
        return False
    try:
        parts = urlsplit(address)
        host = (parts.hostname or "").removeprefix("www.")
    except ValueError:
        return False
    names_place = any(word in _PLATFORM_WORDS for word in words)
    return bool(_PROFILE_PATH.match(parts.path)) and (host in MANY_PEOPLE or parts.path[1:2] == "@" or names_place)


def _of_host(address: str) -> str:
    try:
        host = (urlsplit(address if "//" in address else f"//{address}").hostname or "").removeprefix("www.")
    except ValueError:
        return ""
    if host in _VIDEO_HOSTS:
        return VIDEO
    return RECORDING if host in _RECORDING_HOSTS or host.endswith(".bandcamp.com") else ""
