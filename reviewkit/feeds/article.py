"""The article behind an excerpt: when a feed shows only the beginning of a post, and what its page says in full."""

import re

from reviewkit.feeds.clean import Cleaned, Refused, clean
from reviewkit.model import Entry

SHORT = 1500
"""Characters up to which a text that breaks off is taken for an excerpt."""
SUMMARY = 700
"""Characters up to which a text that stands in a summary's place may be one."""
LONGEST_PAGE = 3 * 1024 * 1024
"""Bytes of a page that is looked through."""

_FOOTER = re.compile(r"\s*(?:The post|Der Beitrag|L’article|La entrada|Il post)\b[^\n]{1,300}$")
_BREAKS_OFF = re.compile(
    r"(?:…|\.\.\.|\[\s*(?:…|\.\.\.|&hellip;)\s*\])"
    r"(?:\s*(?:read|continue|keep|weiter|mehr|lire|leer|leggi|lees|läs|les|czytaj|читать)[^\n]{0,80})?\s*[»→>\]]*\s*$"
    r"|\b(?:continue reading|read more|read the (?:rest|full)|keep reading|weiterlesen|mehr lesen|lire la suite"
    r"|leer más|seguir leyendo|continua a leggere|leggi tutto|lees verder|läs mer|les mer|czytaj dalej)"
    r"[^\n]{0,120}$",
    re.IGNORECASE,
)


def breaks_off(text: str) -> bool:
    """Whether a text ends as excerpts end: with an ellipsis, or with an invitation to read on."""
    plain = _FOOTER.sub("", text.strip())
    return bool(_BREAKS_OFF.search(plain))


def is_excerpt(entry: Entry, *, summary: bool = False) -> bool:
    """Whether an entry may be the beginning of a longer article, so that its page is worth a look.

    `summary`: its text stood where a feed puts a summary. A note without a title is whole as it is; so is a post
    without a page of its own.
    """
    if not entry.link or not entry.title or len(entry.text) > SHORT:
        return False
    return breaks_off(entry.text) or (summary and len(entry.text) <= SUMMARY)


def is_whole(excerpt: str, article: str) -> bool:
    """Whether the page's text is the article that the excerpt begins, and says more than it does."""
    begun, full = _words(_FOOTER.sub("", excerpt)), _words(article)
    if not begun:
        return len(full) >= 20
    beginning = begun[: min(8, max(1, len(begun) - 2))]
    said = " ".join(full)
    return len(full) > len(begun) * 1.3 and f"{' '.join(beginning)} " in f"{said} "


def main_text(html: bytes | str, url: str) -> Cleaned | None:
    """The main text of an article's page, cleaned; None where none can be told from what stands around it.

    Meant for a worker process: strangers' pages can cost what they like.
    """
    if len(html) > LONGEST_PAGE:
        return None
    import trafilatura  # brings parsers of megabytes that nothing else needs

    try:
        found = trafilatura.extract(
            html,
            url=url,
            output_format="html",
            include_comments=False,
            include_formatting=True,
            include_links=True,
            include_images=False,
            include_tables=True,
            with_metadata=False,
        )
        cleaned = clean(found, base=url) if found else None
    except MemoryError:
        raise
    except Refused:
        return None
    except Exception:  # noqa: BLE001 - whatever its parsers raise on hostile markup: there is no text then
        return None
    return cleaned if cleaned and cleaned.text else None


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())
