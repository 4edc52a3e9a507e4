"""What the server signs, and what it does not take for its own."""

import stat
from pathlib import Path

import pytest
from itsdangerous import URLSafeSerializer, URLSafeTimedSerializer

from reviewkit import signing
from reviewkit.errors import ConfigError, NotAllowed
from reviewkit.signing import Link, OnceLink, PageToken

SECRET = b"s" * 40
HOUR = 3600
ANNS = Link(person="ann", serial=3)
PAGE = PageToken(person="ann", screen="my-work", page="p1", serial=3, session="s1")


def test_a_link_says_whose_it_is_and_which() -> None:
    address = signing.link(SECRET, "ann", 3, "https://course.example/")
    assert address.startswith("https://course.example/enter/")
    assert signing.check_link(SECRET, address.rsplit("/", 1)[1]) == ANNS


def test_names_of_any_kind_go_into_a_link() -> None:
    for person in ("åsa@høgskole.example", "a/b?c", "42"):
        token = signing.link(SECRET, person, 1, "").removeprefix("/enter/")
        assert signing.check_link(SECRET, token).person == person
        assert "/" not in token


def test_each_statement_is_good_for_one_thing_only() -> None:
    link = signing.link(SECRET, "ann", 3, "").removeprefix("/enter/")
    cookie, page, server = signing.sign_in(SECRET, ANNS), signing.page_token(SECRET, PAGE), signing.server_token(SECRET)
    session = signing.check_sign_in(SECRET, cookie)
    assert (session.person, session.serial) == ("ann", 3)
    assert signing.check_page_token(SECRET, page) == PAGE
    assert signing.is_server_token(SECRET, server)
    for wrong in (cookie, page, server, "", "x"):
        with pytest.raises(NotAllowed):
            signing.check_link(SECRET, wrong)
    for wrong in (link, page, server, "", "x"):
        with pytest.raises(NotAllowed):
            signing.check_sign_in(SECRET, wrong)
    for wrong in (link, cookie, server, "", "x"):
        with pytest.raises(NotAllowed):
            signing.check_page_token(SECRET, wrong)
    for wrong in (link, cookie, page, "", "x"):
        assert not signing.is_server_token(SECRET, wrong)


def test_another_secret_signs_nothing_here() -> None:
    with pytest.raises(NotAllowed):
        signing.check_page_token(b"t" * 40, signing.page_token(SECRET, PAGE))


def test_a_signed_statement_of_another_shape_is_refused() -> None:
    for said in ([1, 2, 3, 4], {"person": "ann"}, ["ann"], "ann"):
        value = URLSafeTimedSerializer(SECRET, salt="page").dumps(said)
        with pytest.raises(NotAllowed):
            signing.check_page_token(SECRET, value if isinstance(value, str) else value.decode())


def test_a_sign_in_ends_when_it_is_not_used_for_its_hours() -> None:
    cookie = signing.sign_in(SECRET, ANNS, now=1000)
    for later in (0, 10 * HOUR, 12 * HOUR - 1):
        assert signing.check_sign_in(SECRET, cookie, hours=12, now=1000 + later).since == 1000
    with pytest.raises(NotAllowed, match="Open your personal link again"):
        signing.check_sign_in(SECRET, cookie, hours=12, now=1000 + 12 * HOUR)


def test_a_sign_in_that_is_used_goes_on_for_thirty_days_and_no_longer() -> None:
    cookie = signing.sign_in(SECRET, ANNS, now=0)
    for hour in range(10, 30 * 24, 10):
        session = signing.check_sign_in(SECRET, cookie, hours=12, now=hour * HOUR)
        assert session.since == 0
        cookie = signing.sign_in(SECRET, session, now=hour * HOUR)
    with pytest.raises(NotAllowed):
        signing.check_sign_in(SECRET, cookie, hours=12, now=30 * 24 * HOUR)


def test_each_sign_in_is_a_session_of_its_own_and_stays_it_when_it_is_renewed() -> None:
    one, other = (signing.check_sign_in(SECRET, signing.sign_in(SECRET, ANNS, now=0), now=1) for _ in range(2))
    assert one.id != other.id
    assert len(one.id) > 20
    assert signing.check_sign_in(SECRET, signing.sign_in(SECRET, one, now=60), now=61).id == one.id


def test_a_cookie_of_before_there_were_sessions_asks_to_sign_in_again() -> None:
    old = URLSafeSerializer(SECRET, salt="sign-in").dumps(["ann", 3, 1000, 1000])
    with pytest.raises(NotAllowed, match="Open your personal link again"):
        signing.check_sign_in(SECRET, old if isinstance(old, str) else old.decode(), now=1001)


def test_a_link_for_one_use_says_until_when_and_no_two_are_the_same() -> None:
    one, other = (signing.link_for_one_use(SECRET, "ann", 3, "https://c.example/", until=99.9) for _ in range(2))
    assert one.startswith("https://c.example/enter/")
    first, second = (signing.check_link(SECRET, each.rsplit("/", 1)[1]) for each in (one, other))
    assert isinstance(first, OnceLink)
    assert isinstance(second, OnceLink)
    assert (first.person, first.serial, first.until) == ("ann", 3, 99)
    assert first.key != second.key


def test_what_is_counted_names_nobody() -> None:
    assert signing.keyed(SECRET, "to", "ann@x.example") == signing.keyed(SECRET, "to", "ann@x.example")
    others = [signing.keyed(SECRET, "toann", "@x.example"), signing.keyed(b"t" * 40, "to", "ann@x.example")]
    assert signing.keyed(SECRET, "to", "ann@x.example") not in others
    assert signing.keyed(SECRET, "\udc80")


def test_old_pages_end(monkeypatch: pytest.MonkeyPatch) -> None:
    page = signing.page_token(SECRET, PAGE)
    monkeypatch.setattr(signing, "PAGE_AGE", -1)
    with pytest.raises(NotAllowed, match="open for a week"):
        signing.check_page_token(SECRET, page)


def test_the_secret_is_made_once_and_readable_by_its_owner_alone(tmp_path: Path) -> None:
    secret = signing.read_secret(tmp_path)
    assert len(secret) >= 32
    assert signing.read_secret(tmp_path) == secret
    (file,) = tmp_path.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_secret_that_others_may_read_is_refused(tmp_path: Path) -> None:
    signing.read_secret(tmp_path)
    (tmp_path / signing.SECRET_FILE).chmod(0o640)
    with pytest.raises(ConfigError, match="chmod 600"):
        signing.read_secret(tmp_path)


def test_a_named_secret_is_read_and_never_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    named = tmp_path / "elsewhere"
    monkeypatch.setenv("REVIEWKIT_SECRET_FILE", str(named))
    with pytest.raises(ConfigError, match="cannot be read"):
        signing.read_secret(tmp_path)
    named.write_text("k" * 40)
    named.chmod(0o600)
    assert signing.read_secret(tmp_path) == b"k" * 40
    assert list(tmp_path.iterdir()) == [named]
