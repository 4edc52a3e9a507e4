"""What a private link opens without a sign-in: one's own dates as a calendar, and whether letters remind of them."""

import html

from tornado import web

from reviewkit.errors import NotAllowed, ReviewkitError
from reviewkit.server.pages import LinkHandler

ON = "You get a letter when something of yours is due soon, at most one a day."
OFF = "You get no letters about what is due. Your pages tell it."


class CalendarHandler(LinkHandler):
    """Somebody's own dates, for their calendar program, which asks again from time to time."""

    async def get(self, token: str) -> None:
        try:
            text = await self.settings["door"].calendar(token)
        except NotAllowed as error:
            raise web.HTTPError(404) from error
        except ReviewkitError as error:
            raise web.HTTPError(503) from error
        self.set_header("Content-Type", "text/calendar; charset=utf-8")
        self.set_header("Content-Disposition", 'inline; filename="dates.ics"')
        self.set_header("Cache-Control", "private, no-store")
        self.finish(text)


class RemindersHandler(LinkHandler):
    """Switches letters that remind off and on. Looking at it does nothing (mail scanners do)."""

    async def get(self, token: str) -> None:
        await self.answer(token, None)

    async def post(self, token: str) -> None:
        await self.answer(token, self.get_body_argument("wanted", "") == "yes")

    async def answer(self, token: str, change: bool | None) -> None:
        try:
            wanted = await self.settings["door"].reminders(token, change)
        except ReviewkitError as error:
            self.refused(error)
            return
        self.words(
            "Letters that remind you",
            ON if wanted else OFF,
            form=(
                f'<form method="post" action="/reminders/{html.escape(token)}">'
                f'<button class="btn p" name="wanted" value="{"no" if wanted else "yes"}" data-testid="reminders">'
                f"{'Send me none' if wanted else 'Send them again'}</button></form>"
            ),
        )
