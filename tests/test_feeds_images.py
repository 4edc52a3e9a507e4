"""Pictures in posts: copied when they are pulled, drawn anew, and shown from here to those who may read the post."""

import io
import os
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from PIL import Image, PngImagePlugin
from playwright.sync_api import Browser, Page, expect

from reviewkit.course import Course
from reviewkit.errors import FeedError, Missing
from reviewkit.feeds import images
from reviewkit.feeds.drawing import SIDE, NoPicture, remade
from reviewkit.feeds.images import PER_POST, TRIES
from reviewkit.feeds.workers import Workers
from reviewkit.model import Feed, Freeze, Frozen, Post, Said
from reviewkit.pictures import Copied, names, sources, with_copies
from reviewkit.rubric import parse
from reviewkit.store import Store
from tests.asking import Asker
from tests.blogs import FakeBlogs, fake_blogs, post, rss
from tests.cast import ANN, BOB, CYD, EVE, PROF, RUBRIC, Clock, a_post, a_self_evaluation, a_setup
from tests.serving import Server, awaited, visit
from tests.under_way import a_round_under_way

__all__ = ["visit"]


@pytest.fixture
def blogs() -> Iterator[FakeBlogs]:
    with fake_blogs() as blogs:
        yield blogs


def drawing(kind: str = "PNG", size: tuple[int, int] = (40, 30), *, mode: str = "RGB", colour: object = 120) -> bytes:
    out = io.BytesIO()
    Image.new(mode, size, colour if isinstance(colour, tuple) else (colour,) * len(mode)).save(out, kind)  # type: ignore[arg-type]
    return out.getvalue()


def opened(body: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(body))
    assert image.format == "WEBP"
    return image


def enrolled(store: Store, url: str, *, clock: Clock | None = None) -> Course:
    setup = replace(a_setup(), tag="t", assignments=tuple(replace(each, tag="") for each in a_setup().assignments))
    store.keep_course(setup, [replace(ANN, feeds=(url,)), BOB, CYD, EVE, PROF], [])
    return Course(store, clock=clock or Clock(), allow_private=True)


def feed(*html: str) -> str:
    return rss(
        "B",
        *(post(f"Post {n}", each, tag="t", guid=f"g{n}", link=f"https://b.example/{n}") for n, each in enumerate(html)),
    )


def only(store: Store) -> Post:
    (one,) = store.posts()
    return one


def spaced(html: str) -> str:
    return " ".join(html.split())


def asked(blogs: FakeBlogs, path: str) -> int:
    return sum(each.path == path for each in blogs.asked)


# -- drawn anew ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP"])
def test_a_picture_is_drawn_anew_as_webp(kind: str) -> None:
    found = remade(drawing(kind))
    assert (found.width, found.height) == opened(found.body).size == (40, 30)


def test_nothing_of_where_and_by_whom_it_was_taken_is_left() -> None:
    out, exif = io.BytesIO(), Image.Exif()
    exif[0x010E], exif[0x013B], exif[0x8825] = "My garden", "Ann Lee", {1: "N", 2: (52.0, 1.0, 2.0)}
    Image.new("RGB", (40, 30)).save(out, "JPEG", exif=exif, comment=b"Ann Lee")
    text = PngImagePlugin.PngInfo()
    text.add_text("Author", "Ann Lee")
    png = io.BytesIO()
    Image.new("RGB", (40, 30)).save(png, "PNG", pnginfo=text)
    for body in (out.getvalue(), png.getvalue()):
        assert b"Ann Lee" in body
        copy = remade(body).body
        assert b"Ann Lee" not in copy
        assert not opened(copy).getexif()
        assert set(opened(copy).info) <= {"loop", "background", "timestamp", "duration"}


def test_a_photo_that_was_taken_sideways_stands_upright() -> None:
    out, exif = io.BytesIO(), Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (40, 30)).save(out, "JPEG", exif=exif)
    assert (remade(out.getvalue()).width, remade(out.getvalue()).height) == (30, 40)


def test_a_large_picture_is_made_smaller_and_what_is_clear_stays_clear() -> None:
    found = remade(drawing(size=(4000, 1000), mode="RGBA", colour=(1, 2, 3, 0)))
    assert (found.width, found.height) == (SIDE, SIDE // 4)
    assert opened(found.body).convert("RGBA").getpixel((5, 5))[3] == 0  # type: ignore[index]


def bomb(width: int = 30_000, height: int = 30_000) -> bytes:
    """A PNG of a few hundred bytes that says it is large."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack("!I", len(data)) + name + data + struct.pack("!I", zlib.crc32(name + data))

    head = struct.pack("!IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = zlib.compress(bytes(1000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"<html>not found</html>",
        drawing()[:60],
        bomb(),
        drawing("BMP"),
        drawing("TIFF"),
    ],
    ids=["nothing", "svg", "page", "cut off", "bomb", "bmp", "tiff"],
)
def test_what_is_no_picture_of_a_kind_that_is_taken_is_refused(body: bytes) -> None:
    with pytest.raises(NoPicture):
        remade(body)


def test_a_dot_is_nothing_to_show() -> None:
    assert remade(drawing("GIF", (1, 1))).body == b""


def test_a_worker_draws_pictures_and_outlives_bombs() -> None:
    async def both() -> tuple[int, str]:
        async with Workers() as workers:
            with pytest.raises(FeedError) as refused:
                await workers.picture(bomb(), url="https://b.example/x.png")
            return (await workers.picture(drawing("JPEG"), url="https://b.example/x.jpg")).width, str(refused.value)

    assert awaited(both()) == (40, "This is not a picture that can be copied.")


# -- in cleaned HTML -------------------------------------------------------------------------------------------------


def test_copies_stand_in_the_places_of_pictures_with_their_size_and_words_where_there_is_none() -> None:
    html = (
        '<p><img src="https://x.example/a" alt="A &quot;cat&quot;"> and <img src="https://x.example/b" alt="dog"></p>'
    )
    name = "n" * 24
    assert sources(html) == ["https://x.example/a", "https://x.example/b"]
    shown = with_copies(html, {"https://x.example/a": Copied(name=name, width=4, height=3)})
    assert shown == (
        f'<p><img src="/pictures/{name}" alt="A &quot;cat&quot;" width="4" height="3"> and  [Picture: dog] </p>'
    )
    assert (sources(shown), names(shown)) == ([], {name})


# -- through a pull --------------------------------------------------------------------------------------------------


def test_a_pull_copies_pictures_once_and_nothing_of_a_post_leads_elsewhere(store: Store, blogs: FakeBlogs) -> None:
    blogs.show("/cat.png", drawing(), content_type="image/png")
    html = f'<p>Look <img src="{blogs.url("/cat.png")}" alt="A cat" onerror="x()"></p>'
    url = blogs.show("/feed", feed(html))
    course = enrolled(store, url)
    course.pull()
    latest = only(store).latest
    (name,) = names(latest.html)
    assert blogs.address not in latest.html
    assert 'alt="A cat" width="40" height="30"' in latest.html
    assert latest.text == "Look [Picture: A cat]"
    assert opened(store.picture(name).body).size == (40, 30)
    blogs.show("/feed", feed(f"<p>More</p>{html}"))
    course.pull()
    assert (asked(blogs, "/cat.png"), names(only(store).latest.html)) == (1, {name})


def test_the_same_picture_under_two_addresses_is_kept_once(sqlite_store: Store, blogs: FakeBlogs) -> None:
    tags = [f'<img src="{blogs.show(path, drawing(), content_type="image/png")}">' for path in ("/a.png", "/b.png")]
    course = enrolled(sqlite_store, blogs.show("/feed", feed("<p>x</p>" + "".join(tags))))
    course.pull()
    assert len(names(only(sqlite_store).latest.html)) == 1


def test_a_picture_that_comes_later_joins_the_revision_and_changes_nothing_else(store: Store, blogs: FakeBlogs) -> None:
    html = f'<p>Look <img src="{blogs.url("/cat.png")}" alt="A cat"></p>'
    course = enrolled(store, blogs.show("/feed", feed(html), headers={"ETag": '"1"'}))
    course.pull()
    before = only(store)
    assert spaced(before.latest.html) == "<p>Look [Picture: A cat] </p>"
    blogs.show("/cat.png", drawing(), content_type="image/png")
    course.pull()
    after = only(store)
    assert len(names(after.latest.html)) == 1
    assert (len(after.revisions), after.latest.digest, after.latest.text) == (
        1,
        before.latest.digest,
        before.latest.text,
    )
    course.pull()
    assert asked(blogs, "/cat.png") == 2


def test_a_link_cannot_be_exchanged_in_a_revision_along_with_a_picture(store: Store, blogs: FakeBlogs) -> None:
    html = f'<p><a href="https://good.example/">Look</a> <img src="{blogs.url("/cat.png")}" alt="A cat"></p>'
    course = enrolled(store, blogs.show("/feed", feed(html)))
    course.pull()
    blogs.show("/cat.png", drawing(), content_type="image/png")
    blogs.show("/feed", feed(html.replace("good", "evil")))
    course.pull()
    assert "good.example" in only(store).latest.html
    assert "evil.example" not in only(store).latest.html


def test_a_picture_that_is_not_to_be_had_is_asked_for_a_few_times_only(sqlite_store: Store, blogs: FakeBlogs) -> None:
    course = enrolled(sqlite_store, blogs.show("/feed", feed(f'<p>x <img src="{blogs.url("/no.png")}"></p>')))
    for _ in range(TRIES + 2):
        course.pull()
    assert asked(blogs, "/no.png") == TRIES
    assert spaced(only(sqlite_store).latest.html) == "<p>x [Picture] </p>"


def test_what_is_no_picture_is_asked_for_once(sqlite_store: Store, blogs: FakeBlogs) -> None:
    blogs.show("/a.svg", "<svg xmlns='http://www.w3.org/2000/svg'/>", content_type="image/svg+xml")
    course = enrolled(sqlite_store, blogs.show("/feed", feed(f'<p>x <img src="{blogs.url("/a.svg")}" alt="Map"></p>')))
    course.pull()
    course.pull()
    assert asked(blogs, "/a.svg") == 1
    assert spaced(only(sqlite_store).latest.html) == "<p>x [Picture: Map] </p>"


def test_a_dot_that_only_counts_readers_is_shown_nowhere(sqlite_store: Store, blogs: FakeBlogs) -> None:
    blogs.show("/dot.gif", drawing("GIF", (1, 1)), content_type="image/gif")
    course = enrolled(sqlite_store, blogs.show("/feed", feed(f'<p>x <img src="{blogs.url("/dot.gif")}"></p>')))
    course.pull()
    assert spaced(only(sqlite_store).latest.html) == "<p>x </p>"


def test_a_post_of_a_hundred_pictures_and_a_feed_of_many_such_posts_are_bounded(
    sqlite_store: Store, blogs: FakeBlogs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(images, "PER_PULL", 4)
    many = "".join(f'<img src="{blogs.url(f"/{n}.png")}">' for n in range(PER_POST + 10))
    course = enrolled(sqlite_store, blogs.show("/feed", feed(f"<p>x</p>{many}")))
    course.pull()
    assert sum(each.path.endswith(".png") for each in blogs.asked) == 4
    for _ in range(40):
        course.pull()
    assert {each.path for each in blogs.asked if each.path.endswith(".png")} == {f"/{n}.png" for n in range(PER_POST)}


def test_a_picture_on_an_inner_network_is_never_asked_for(sqlite_store: Store) -> None:
    async def tried() -> str:
        from reviewkit.feeds.fetch import Fetcher

        async with Fetcher(agent="x") as fetcher:
            with pytest.raises(FeedError) as refused:
                await fetcher.fetch("http://127.0.0.1/latest/meta-data.png")
            return str(refused.value)

    assert "not on the public internet" in awaited(tried())


# -- who sees it -----------------------------------------------------------------------------------------------------


def test_a_picture_is_for_its_author_the_instructor_and_the_reviewers_of_the_post(
    sqlite_store: Store, blogs: FakeBlogs
) -> None:
    store = sqlite_store
    blogs.show("/cat.png", drawing(), content_type="image/png")
    course = enrolled(store, blogs.show("/feed", feed(f'<p>x <img src="{blogs.url("/cat.png")}"></p>')))
    rubric = parse(RUBRIC, name="data-stories")
    store.keep_course(course.setup, [], [rubric])
    course.pull()
    one = only(store)
    (name,) = names(one.latest.html)

    def may(*people: object) -> list[bool]:
        found = []
        for who in people:
            try:
                course.picture(who, name)  # type: ignore[arg-type]
                found.append(True)
            except Missing:
                found.append(False)
        return found

    assert may(ANN, PROF, BOB, CYD, EVE) == [True, True, False, False, False]
    frozen = (Frozen(post=one.id, digest=one.latest.digest),)
    assignment = course.setup.assignments[0].id
    said = Said(by=ANN.id, at=course.clock(), via="page", what=Freeze(revisions=frozen, rubric=rubric.digest))
    made = store.open_submission(ANN.id, assignment, rubric.digest, frozen, said)
    (duty,) = store.keep_allocations(assignment, [(made.submission.id, BOB.id)], seed=1)
    assert may(ANN, PROF, BOB, CYD, EVE) == [True, True, True, False, False]
    store.keep_allocations(assignment, [(made.submission.id, CYD.id)], seed=1, instead_of=duty.id, at=course.clock())
    assert may(ANN, PROF, BOB, CYD, EVE) == [True, True, False, True, False], "who passed it on reads it no more"
    store.keep_pull(Feed(person=CYD.id, url=CYD.feeds[0]), [a_post(CYD)], seen=course.clock())
    (other,) = store.posts(CYD.id)
    theirs = (Frozen(post=other.id, digest=other.latest.digest),)
    own = replace(said, by=CYD.id, what=Freeze(revisions=theirs, rubric=rubric.digest))
    work = store.open_submission(CYD.id, assignment, rubric.digest, theirs, own).submission.id
    staff = replace(CYD, role="instructor")
    assert may(ANN, CYD, staff, PROF) == [True, False, False, True], "not before their own self-evaluation"
    course.self_evaluate(CYD, work, a_self_evaluation(), seen=1)
    assert may(CYD, staff) == [True, True]
    with pytest.raises(Missing):
        course.picture(PROF, "../../server.secret")


def test_copies_that_no_post_shows_are_tidied_away(store: Store, blogs: FakeBlogs) -> None:
    blogs.show("/cat.png", drawing(), content_type="image/png")
    clock = Clock()
    course = enrolled(store, blogs.show("/feed", feed(f'<p>x <img src="{blogs.url("/cat.png")}"></p>')), clock=clock)
    course.pull()
    (name,) = names(only(store).latest.html)
    other = store.keep_picture("https://x.example/", remade(drawing(size=(9, 9))), tries=1, at=clock())
    assert other is not None
    assert store.tidy_pictures(clock()) == 0
    assert store.tidy_pictures(clock() + timedelta(days=3)) == 1
    assert store.picture(name)
    with pytest.raises(Missing):
        store.picture(other.name)
    assert store.picture_sources(["https://x.example/"]) == {}


# -- in a browser ----------------------------------------------------------------------------------------------------


@pytest.mark.browser
@pytest.mark.xdist_group("pictures")
def test_readers_load_pictures_from_here_alone_and_a_stranger_none(
    tmp_path: Path, browser: Browser, visit: Callable[..., Page]
) -> None:
    round_ = a_round_under_way(tmp_path / "course")
    address = f"/pictures/{round_.picture}"
    with Server(round_.course_file) as server:
        reached = {}
        for who, where in (
            (ANN, f"/my-work?submission={round_.submission}"),
            (round_.reviewer, f"/reviews?open={round_.duty}"),
            (PROF, f"/sign-off?open={round_.submission}"),
        ):
            for size in ((1280, 900), (390, 844)):
                page = visit(server, who, viewport={"width": size[0], "height": size[1]})
                asked: list[str] = []
                page.on("request", lambda request, asked=asked: asked.append(request.url))
                page.goto(f"{server.url}{where}")
                if who is ANN:
                    page.get_by_text("Read what was frozen").click()
                if who is PROF:
                    page.get_by_test_id("read-post").first.click()
                if who is round_.reviewer and size[0] < 760:
                    page.get_by_test_id("side-read").click()
                image = page.locator(f'img[src="{address}"]').first
                image.scroll_into_view_if_needed()
                expect(image).to_have_js_property("complete", True)
                expect(image).to_have_js_property("naturalWidth", 1200)
                width = image.evaluate("each => [each.getBoundingClientRect().width, innerWidth]")
                assert width[0] <= width[1], "no wider than the screen"
                assert {urlsplit(each).netloc for each in asked if not each.startswith("data:")} == {
                    urlsplit(server.url).netloc
                }
                reached[who.id] = True
                folder = os.environ.get("REVIEWKIT_PICTURES")
                if folder:
                    page.screenshot(path=f"{folder}/{who.role}-{who.id}-{size[0]}.png")
        assert len(reached) == 3
        headers = Asker(server, round_.reviewer).get(address)[1]
        assert headers["Content-Type"] == "image/webp"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cache-Control"] == "private, max-age=31536000, immutable"
        assert headers["Content-Security-Policy"].startswith("default-src 'none'; sandbox")
        for nobody in (None, EVE, round_.other):
            assert Asker(server, nobody).get(address)[0] == 404
