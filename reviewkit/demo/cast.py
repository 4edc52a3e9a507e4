"""Who is in the demo: twelve students with a site each, an instructor and an assistant. All of them are invented."""

from dataclasses import dataclass
from typing import Literal

Platform = Literal[
    "wordpress",
    "ghost",
    "blogger",
    "mastodon",
    "hugo",
    "jekyll",
    "medium",
    "tumblr",
    "jsonfeed",
    "atom",
    "by hand",
]

TITLE = "Data Stories"
TAG = "datastories"
ZONE = "Europe/Berlin"
RUBRIC = "data-stories"


@dataclass(frozen=True, kw_only=True)
class Member:
    """Somebody of the demo. `feed` is the path of the feed in the roster; `try_this` says what waits for them.

    `signs_posts`: a plug-in of theirs signs every post in the feed (see site.py).
    """

    id: str
    name: str
    try_this: str
    site: str = ""
    about: str = ""
    platform: Platform | None = None
    feed: str = ""
    signs_posts: bool = False
    office: Literal["instructor", "assistant"] = "instructor"
    """Of those who have no site."""

    @property
    def role(self) -> str:
        return "student" if self.platform else self.office

    @property
    def email(self) -> str:
        return f"{self.id}@datastories.example"


STUDENTS = (
    Member(
        id="mira",
        name="Mira Sandvoll",
        try_this="a counter-proposal to reply to; reviews to give",
        site="Downstream",
        about="Reading a river before breakfast.",
        platform="wordpress",
        feed="/mira/feed/",
    ),
    Member(
        id="ilse",
        name="Ilse Kornath",
        try_this="a self-evaluation, half typed",
        site="Paper Weather",
        about="Drawings of rain and other small matters.",
        platform="ghost",
        feed="/ilse/rss/",
    ),
    Member(
        id="tarek",
        name="Tarek Belhouari",
        try_this="a far-apart grade, with the instructor; reviews to give",
        site="The Second Shelf",
        about="From the returns desk.",
        platform="blogger",
        feed="/tarek/feeds/posts/default",
    ),
    Member(
        id="wen",
        name="Wen Luoyan",
        try_this="reviews to give; one grade with the instructor",
        site="Wen Luoyan",
        about="Counting what will not sit still.",
        platform="mastodon",
        feed="/@wen.rss",
    ),
    Member(
        id="odo",
        name="Odo Mantegari",
        try_this="a signed grade, higher than the one proposed; reviews to give",
        site="Stop Requested",
        about="Notes from the ring line.",
        platform="hugo",
        feed="/odo/index.xml",
    ),
    Member(
        id="runa",
        name="Runa Petrarsdóttir",
        try_this="reviews to give; one grade with the instructor",
        site="High Marks",
        about="Walls, water and what was written down.",
        platform="jekyll",
        feed="/runa/feed.xml",
    ),
    Member(
        id="esi",
        name="Esi Amoakwa",
        try_this="reviews to answer; a post to choose",
        site="Stories by Esi Amoakwa on Medium",
        about="Stories by Esi Amoakwa on Medium",
        platform="medium",
        feed="/feed/@esi",
    ),
    Member(
        id="bram",
        name="Bram Oosterlaken",
        try_this="a grade decided without agreement, with a dissent; reviews to give",
        site="Night Train Ledger",
        about="Seat by the window, left side.",
        platform="tumblr",
        feed="/bram/rss",
    ),
    Member(
        id="nela",
        name="Nela Dobruska",
        try_this="a proposal revised after reviews, and signed; reviews to give",
        site="Nela's page",
        about="made by hand, mostly at night",
        platform="by hand",
        feed="/nela/rss.xml",
    ),
    Member(
        id="lucia",
        name="Lucía Ferrandel",
        try_this="a signed grade; exempt from the second round",
        site="Sombra",
        about="Where to sit, and when.",
        platform="wordpress",
        feed="/lucia/tag/datastories/feed/",
        signs_posts=True,
    ),
    Member(
        id="zeynep",
        name="Zeynep Aksoylu",
        try_this="a grade that was reopened and signed again; a post that forgot its tag",
        site="Stairs and Landings",
        about="A town on a slope.",
        platform="atom",
        feed="/zeynep/atom.xml",
    ),
    Member(
        id="yaw",
        name="Yaw Dankrom",
        try_this="joined late: only the second round; reviews to give",
        site="Soil in the Margins",
        about="An allotment, a kitchen scale and a notebook.",
        platform="jsonfeed",
        feed="/yaw/feed.json",
    ),
)
INSTRUCTOR = Member(id="anahera", name="Anahera Tarawhai", try_this="two grades to accept, one to discuss")
ASSISTANT = Member(
    id="jory",
    name="Jory Pellingham",
    try_this="everything to read but who reviewed whom; a word drafted for the instructor",
    office="assistant",
)
EVERYBODY = (*STUDENTS, INSTRUCTOR, ASSISTANT)


def member(id: str) -> Member:
    return next(each for each in EVERYBODY if each.id == id)
