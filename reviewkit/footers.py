"""What publishing tools and habits put around a post, and what says who wrote it: taken out of a masked copy whole.

WordPress ends a feed's post with "The post ... appeared first on ...", Medium with "... was originally published in
...", themes with share buttons, a profile box and a licence. Such lines stand at the beginning or at the end and are
short; they are known by their shape (their words are links to the author's own site) or by how they begin, and the
search stops at the first line that is neither. In the middle of a post nothing is taken out.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from reviewkit.needles import folded, letters_in, words_of
from reviewkit.visible import CELLS, LINES, PARAGRAPHS, Close, Open, Piece, Words

LONGEST = 320
"""Characters of a line that a tool writes; a longer one is somebody's thought."""
LONGEST_BIO = 900
BUTTON = 3
"""Words of a link that is a button."""
LOOSE_WORDS = 12
"""Words that such a line has beside its links."""
MOST_LINES = 12
"""Lines at each end that are looked at."""
MOST_SHARE = 0.5
"""Of a post's letters: what would take more is no footer but the post."""

_FIRST_AT = re.compile(
    r"appeared first on|first appeared (?:on|in|at)|originally (?:published|posted|appeared|written)|cross-?posted"
    r"|erschien zuerst|zuerst erschienen|est apparu en premier|se publico primero|apareceu primeiro|proviene da"
    r"|verscheen eerst|verscheen als eerste|dok forst upp|pochodzi z|dukket forst opp|var forst|ilk once"
    r"|primero en |впервые появил|появились сначала|erst veroffentlicht|publie (?:a l'origine|initialement)"
)
"""A copy says where its original stands; in the words of the tools' own translations (folded)."""
_SUBSCRIBE = re.compile(
    r"reader-supported publication|free or paid subscriber|to receive new posts|share to x|blogthis"
    r"|(?:work|post|blog|site|article|text|content)s? (?:is|are) licen[sc]ed under"
)
_READ_ON = re.compile(
    r"^[\W_]*(?:(?:continue|keep) reading"
    r"|read (?:more|on|online|it on|in (?:the )?app|the (?:rest|full|original|whole))"
    r"|view (?:the )?(?:original|post|this|on|in)|weiterlesen|mehr lesen|lire la suite|leer mas|seguir leyendo"
    r"|leggi (?:tutto|l)|continua a leggere|lees (?:verder|meer)|las mer|continuar lendo|leia mais|czytaj dalej)\b"
)
_OF_A_SITE = re.compile(
    r"^[\W_]*(?:"
    r"(?:please |you can )?(?:also )?(?:follow|find|support|e-?mail|contact|write to|message|reach|tip) (?:me|us)"
    r"(?= (?:on|at|over|via|for|here|by|if|with)\b|\W*$|\W+@)"
    r"|(?:i'm|i am) (?:also )?on (?:twitter|mastodon|bluesky|instagram|linkedin|github|facebook|threads)\b"
    r"|(?:please )?subscribe\b|sign up (?:for|to)\b|join (?:my|our) |buy me a |thanks for reading|thank you for reading"
    r"|reply (?:via|by) (?:e-?)?mail|(?:leave|post|add) a (?:comment|reply)|(?:\d+ )?comments?\W*$|no comments"
    r"|if you (?:liked|enjoyed) (?:this|my)|enjoy(?:ed)? (?:this|my) (?:post|article|writing)"
    r"|filed under|posted in\b|categor(?:y|ies)\s*:|tags?\s*:|labels?\s*:|(?:boosted|reblogged) by\b"
    r"|tagged (?:as|with|in)?\b|topics?\s*:|related(?: posts?| articles?| reading)?\W*$|you (?:may|might) also like"
    r"|(?:previous|next|older|newer) (?:post|article|entry)|share (?:this|on|via)\b|like this\W|like loading"
    r"|copyright\b|©|\(c\) (?:19|20)\d\d|all rights reserved|powered by|proudly |generated (?:by|with)|built with"
    r"|permalink\b|this (?:post|entry|article) was (?:posted|published|written|filed)"
    r"|(?:\d+ )?min(?:ute)?s? read\b|\d+ min\.? (?:read|lesezeit)|(?:estimated )?reading time\W*\d"
    r"|listen to this (?:post|article)|last (?:updated|modified|edited)\b|via rss\b"
    r")"
)
_WHEN = re.compile(r"^[\W_]*(?:posted (?:by|on|at)|published (?:by|on)|written by)\b")
_ABOUT = re.compile(
    r"^[\W_]*(?:about (?:the (?:author|writer|blogger)|me|this blog|us)|author bio|bio"
    r"|uber (?:den autor|die autorin|mich)|a propos de (?:l'auteur|moi)|sobre (?:el autor|la autora|mi|o autor)"
    r"|sull'autore|over de auteur)\W*$"
)
_BYLINE = re.compile(r"^[\W_]*(?:by|von|par|por|di|door|av|autor|author|words by|text)\W")
_IS = re.compile(
    r"^\W{0,3}(?:is|was|are|lives?|works?|teach(?:es)?|writes?|stud(?:y|ies)|blogs?|holds?|has|runs?|grew|\(\w+/\w+)\b"
)
_NETWORKS = words_of(
    "twitter tweet facebook linkedin pinterest reddit whatsapp telegram mastodon bluesky threads tumblr pocket email"
    " mail print instapaper flipboard xing vk line skype x"
)
_AROUND_NETWORKS = words_of(
    "share this on to via click opens in new window a link friend like loading copy post it the with and or more e"
)


@dataclass(frozen=True, kw_only=True)
class Line:
    """A stretch of pieces (their places in the document) that stands on lines of its own."""

    places: tuple[int, ...]
    text: str
    loose: str
    """The text outside links."""
    own: tuple[str, ...]
    """The words (folded) of links that lead to the author."""
    links: int
    """All its links."""
    home: bool
    """One of those leads to a site as a whole."""
    heading: bool


def without_footers(
    found: Sequence[Piece],
    *,
    title: str,
    gives_away: Callable[[str], bool],
    name_at_start: Callable[[str], int],
) -> tuple[list[Piece], list[str]]:
    """The pieces without what stands around the post, and the words of what was taken out.

    `gives_away` says whether an address leads to the author, `name_at_start` how many characters of a text are the
    author's name at its beginning (0: none).
    """
    lines = [line for line in _lines(found, gives_away) if line.text]
    whole = sum(len(line.text) for line in lines)

    def about_them(line: Line) -> bool:
        """A profile box: it begins with the author's name and says what they are."""
        length = name_at_start(line.text) if len(line.text) <= LONGEST_BIO else 0
        return bool(length and _IS.match(folded(line.text[length:])))

    taken = _head(lines, title, name_at_start)
    taken |= _tail(lines, title, about_them)
    if not taken or sum(len(lines[each].text) for each in taken) > MOST_SHARE * whole:
        return list(found), []
    gone = {place for each in taken for place in lines[each].places}
    left = [piece for place, piece in enumerate(found) if place not in gone]
    return _tidied(left), [" ".join(lines[each].text.split()) for each in sorted(taken)]


def _head(lines: Sequence[Line], title: str, name_at_start: Callable[[str], int]) -> set[int]:
    """Lines at the beginning: a byline, when it was written, how long it takes to read."""
    taken: set[int] = set()
    for place, line in enumerate(lines[:4]):
        said = folded(line.text)
        byline = _BYLINE.match(said)
        by_them = False
        if byline and len(said) <= 120:
            rest = line.text[byline.end() :].lstrip()
            length = name_at_start(rest)
            by_them = bool(length) and len(re.findall(r"[^\W\d_]+", rest[length:])) <= 3
        if by_them or (len(said) <= 160 and not line.heading and _of_a_tool(line, said, title)):
            taken.add(place)
        else:
            break
    return taken


def _tail(lines: Sequence[Line], title: str, about_them: Callable[[Line], bool]) -> set[int]:
    """Lines at the end, back to the first that is the author's own thought."""
    taken: set[int] = set()
    last = len(lines)
    for place in range(last - 1, max(0, last - MOST_LINES) - 1, -1):  # a box under "About the author", to the end
        line = lines[place]
        if _ABOUT.match(folded(line.text)) and sum(len(each.text) for each in lines[place:]) <= 2 * LONGEST_BIO:
            taken |= set(range(place, last))
            last = place
    for place in range(last - 1, max(0, last - MOST_LINES) - 1, -1):
        line = lines[place]
        said = folded(line.text)
        if about_them(line) or (len(said) <= LONGEST and _of_a_tool(line, said, title)):
            taken.add(place)
        else:
            break
    return taken


def _of_a_tool(line: Line, said: str, title: str) -> bool:
    if (
        len(line.own) >= 2
        and line.home
        and len(line.loose.split()) <= LOOSE_WORDS
        and folded(title.strip()) in line.own
    ):
        return True  # "The post TITLE appeared first on SITE", in whatever language
    buttons = line.own and len(line.own) == line.links and all(len(words.split()) <= BUTTON for words in line.own)
    if buttons and not letters_in(line.loose):
        return True  # "Subscribe now", "Older | Newer"
    if _SUBSCRIBE.search(said):
        return True
    if _FIRST_AT.search(said) and (line.own or (title and folded(title) in said) or len(said) <= 160):
        return True
    if _READ_ON.match(said) and len(said) <= 120:
        return True
    words = re.findall(r"\w+", said)
    if len(words) <= 40 and sum(word in _NETWORKS for word in words) >= min(2, len(words)) > 0:
        return all(word in _NETWORKS or word in _AROUND_NETWORKS for word in words)
    return bool(_OF_A_SITE.match(said) or (len(said) <= 100 and _WHEN.match(said)))


def _lines(found: Sequence[Piece], gives_away: Callable[[str], bool]) -> list[Line]:
    lines: list[Line] = []
    places: list[int] = []
    heading = False

    def end() -> None:
        if places:
            lines.append(_line(found, places, gives_away, heading=heading))
            places.clear()

    for place, piece in enumerate(found):
        if not isinstance(piece, Words) and (piece.tag in PARAGRAPHS or piece.tag in LINES or piece.tag in CELLS):
            end()
            if re.fullmatch(r"h[1-6]", piece.tag):
                heading = isinstance(piece, Open)
        else:
            places.append(place)
    end()
    return lines


def _line(found: Sequence[Piece], places: Sequence[int], gives_away: Callable[[str], bool], *, heading: bool) -> Line:
    text: list[str] = []
    loose: list[str] = []
    own: list[str] = []
    links = 0
    home = False
    link: list[str] | None = None  # the words of the link that we are in
    open_now: list[tuple[str, int]] = []
    whole: list[int] = []  # a tag that begins or ends outside stays: what is around it needs it
    for place in places:
        piece = found[place]
        match piece:
            case Words(said):
                text.append(said)
                whole.append(place)
                (loose if link is None else link).append(said)
            case Open(tag, _):
                address = piece.get("href") or "" if tag == "a" else ""
                # A link inside the post (a footnote's) leads nowhere.
                if address and "#" not in address and gives_away(address):
                    own.append("")
                    home = home or _is_home(address)
                if tag == "a":
                    link = []
                    links += 1
                if tag in ("img", "wbr"):
                    whole.append(place)
                else:
                    open_now.append((tag, place))
            case Close(tag):
                if tag == "a" and link is not None:
                    if own and not own[-1]:
                        own[-1] = folded("".join(link).strip())
                    link = None
                if open_now and open_now[-1][0] == tag:
                    whole += [open_now.pop()[1], place]
    return Line(
        places=tuple(whole),
        text="".join(text).strip(),
        loose="".join(loose).strip(),
        own=tuple(own),
        links=links,
        home=home,
        heading=heading,
    )


def _is_home(address: str) -> bool:
    try:
        return len([part for part in urlsplit(address).path.split("/") if part]) <= 1
    except ValueError:
        return False


def _tidied(found: list[Piece]) -> list[Piece]:
    """Without elements that are empty now, and without rules and line ends that end the post."""
    left: list[Piece] = []
    for piece in found:
        if isinstance(piece, Close):
            while left and isinstance(left[-1], Words) and not left[-1].text.strip() and len(left) > 1:
                before = left[-2]
                if not (isinstance(before, Open) and before.tag == piece.tag):
                    break
                left.pop()
            last = left[-1] if left else None
            if isinstance(last, Open) and last.tag == piece.tag and piece.tag not in CELLS:
                left.pop()
                continue
        left.append(piece)
    while left:
        last = left[-1]
        empty = (
            not last.text.strip() if isinstance(last, Words) else isinstance(last, Open) and last.tag in ("hr", "br")
        )
        if not empty:
            break
        left.pop()
    return left
