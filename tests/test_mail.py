"""Letters, sent to a real mail server on loopback: safe on the way, and silent about whom they go to when they fail."""

import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from reviewkit import mail
from reviewkit.errors import MailError
from tests.cast import ANN
from tests.mailbox import Mailbox, mailbox


@pytest.fixture(params=["starttls", "tls"])
def box(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mailbox]:
    with mailbox(tmp_path, request.param) as running:
        monkeypatch.setenv("SSL_CERT_FILE", str(running.authority))
        yield running


def refusal(box: Mailbox, **other: object) -> str:
    with pytest.raises(MailError) as caught:
        mail.send(box.settings(**other), ANN.email, "Hello", "The gauge was silent.")
    assert box.letters == []
    message = str(caught.value)
    assert ANN.email not in message
    assert "gauge" not in message
    return message


def test_a_letter_arrives_whole_and_never_travels_in_the_clear(box: Mailbox) -> None:
    mail.send(box.settings(), ANN.email, "Your link\nfor Straße", "Grüße.\n\nhttps://course.example/enter/" + 200 * "x")
    (letter,) = box.letters
    assert box.to == [[ANN.email]]
    assert box.under_tls == [True]
    assert letter["Subject"] == "Your link for Straße"
    assert letter["From"] == "course@reviews.example"
    assert letter["Auto-Submitted"] == "auto-generated"
    assert letter["Message-ID"].endswith("@reviews.example>")
    text = letter.get_content().replace("\r\n", "\n")
    assert "Grüße." in text
    assert "https://course.example/enter/" + 200 * "x" + "\n" in text, "a link stays in one piece"


def test_trying_it_out_sends_nothing(box: Mailbox) -> None:
    mail.try_out(box.settings())
    assert box.letters == []


def test_a_wrong_password_is_said(box: Mailbox) -> None:
    wrong = box.folder / "wrong"
    wrong.touch(0o600)
    wrong.write_text("let me in")
    assert "does not take this user and password" in refusal(box, password_file=wrong)


def test_a_password_that_others_can_read_is_not_used(box: Mailbox) -> None:
    box.password_file.chmod(0o644)
    assert stat.S_IMODE(box.password_file.stat().st_mode) == 0o644
    assert "chmod 600" in refusal(box)


def test_a_user_without_a_password_is_a_mistake(box: Mailbox) -> None:
    assert "REVIEWKIT_SMTP_PASSWORD_FILE" in refusal(box, password_file=None)
    assert "cannot be read" in refusal(box, password_file=box.folder / "nowhere")


def test_a_server_that_cannot_prove_who_it_is_gets_no_letter(box: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    assert "certificate" in refusal(box)
    monkeypatch.setenv("SSL_CERT_FILE", str(box.authority))
    assert "certificate" in refusal(box, host="127.0.0.1"), "the certificate is for another name"


def test_a_server_without_room_is_not_quoted(box: Mailbox) -> None:
    box.full = True
    assert "did not take the letter (452)" in refusal(box)


@pytest.mark.parametrize("address", ["", "ann", "ann@", "ann@x.example\nBcc: eve@x.example", "a@b, c@d"])
def test_what_is_no_address_gets_no_letter(box: Mailbox, address: str) -> None:
    with pytest.raises(MailError):
        mail.send(box.settings(), address, "Hello", "x")
    assert box.letters == []


def test_without_tls_mail_goes_no_further_than_this_machine(tmp_path: Path) -> None:
    box = Mailbox(port=25, folder=tmp_path, security="none")
    for host in ("mail.example", "192.0.2.9"):
        with pytest.raises(MailError, match="in the clear"):
            mail.try_out(box.settings(host=host))


def test_a_server_that_offers_no_tls_gets_no_letter_and_no_password(tmp_path: Path) -> None:
    with mailbox(tmp_path, "none") as running:
        with pytest.raises(MailError, match="no way to do this safely"):
            mail.send(running.settings(security="starttls"), ANN.email, "Hello", "x")
        assert running.letters == []
        mail.send(running.settings(security="none", user=""), ANN.email, "Hello", "On this machine it may.")
        assert len(running.letters) == 1


def test_a_server_that_is_away_is_named(tmp_path: Path) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        box = Mailbox(port=nobody.getsockname()[1], folder=tmp_path, security="starttls")
        assert f"The mail server 127.0.0.1:{box.port} does not answer" in refusal(box, host="127.0.0.1")
