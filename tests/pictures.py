"""Pictures of the demo's pages, for the README and for looking at them beside the design.

    python -m tests.pictures FOLDER [NAME ...]

starts the demo and writes NAME.desktop.light.png, NAME.phone.dark.png and so on for each of its main pages.
"""

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from itertools import product
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from reviewkit.demo.cast import ZONE
from tests.browser import installed
from tests.pages import DESKTOP, PHONE, QUIET, show_whole
from tests.serving import connected


def stay(page: Page) -> None:
    """The page that signing in leads to."""


def open_next(page: Page) -> None:
    page.get_by_test_id("next").click()
    page.wait_for_selector("[data-testid=track]")


def open_reviews(page: Page) -> None:
    page.get_by_test_id("nav-reviews").filter(visible=True).first.click()
    page.wait_for_selector("[data-testid=screen-reviews]")
    card = page.get_by_text("In progress").first
    card.click()
    page.wait_for_selector("[data-testid=criterion-claim]")


def open_row(name: str, *then: str) -> Callable[[Page], None]:
    """A row of Sign-off's first round, and what is pressed in its pane."""

    def go(page: Page) -> None:
        page.locator("[data-testid^=round-]").first.click()
        page.locator("[data-testid^=open-]", has_text=name).first.click()
        page.locator("[data-testid=pane]:not([aria-busy])", has_text=name).first.wait_for()
        for press in then:
            page.get_by_test_id(press).first.click()

    return go


def open_work(title: str) -> Callable[[Page], None]:
    """A submission of one's own, by the beginning of its title."""

    def go(page: Page) -> None:
        page.locator(".pl li", has_text=title).locator("a.btn").first.click()
        page.wait_for_selector("[data-testid=dialogue]")

    return go


PLACES: dict[str, tuple[str, Callable[[Page], None]]] = {
    "my-work-start": ("ilse", stay),
    "my-work": ("ilse", open_next),
    "my-work-dialogue": ("mira", open_next),
    "reviews-to-give": ("mira", open_reviews),
    "my-work-decided": ("bram", open_work("Lit windows")),
    "my-work-exempt": ("lucia", open_work("Shade is on")),
    "sign-off": ("anahera", open_row("Tarek")),
    "sign-off-decided": ("anahera", open_row("Bram", "level-by-level")),
    "sign-off-more": ("anahera", open_row("Wen", "more")),
    "sign-off-draft": ("anahera", open_row("Runa")),
    "sign-off-assistant": ("jory", open_row("Runa")),
}


def main(folder: Path, names: list[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    demo = subprocess.Popen([sys.executable, "-m", "reviewkit", "demo", "--json"], stdout=subprocess.PIPE, text=True)
    assert demo.stdout is not None
    try:
        links = {person["id"]: person["link"] for person in json.loads(demo.stdout.readline())["people"]}
        chromium = installed()
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=list(QUIET))
            chosen = {name: PLACES[name] for name in names or PLACES}
            for (name, (who, go)), (size, dark) in product(chosen.items(), product((DESKTOP, PHONE), (False, True))):
                context = browser.new_context(
                    viewport={"width": size[0], "height": size[1]},
                    color_scheme="dark" if dark else "light",
                    reduced_motion="reduce",
                    timezone_id=ZONE,
                )
                page = context.new_page()
                page.goto(links[who])
                page.get_by_test_id("enter").click()
                connected(page)
                go(page)
                connected(page)
                page.evaluate("document.fonts.ready")
                show_whole(page)
                kind = "desktop" if size == DESKTOP else "phone"
                page.screenshot(path=folder / f"{name}.{kind}.{'dark' if dark else 'light'}.png", full_page=True)
                context.close()
            browser.close()
    finally:
        demo.send_signal(signal.SIGTERM)
        demo.wait(60)


if __name__ == "__main__":
    if not sys.argv[1:] or sys.argv[1].startswith("-"):
        sys.exit(__doc__)  # a folder of such a name is asked for by nobody
    main(Path(sys.argv[1]), sys.argv[2:])
