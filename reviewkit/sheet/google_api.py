"""The requests to Google, through gspread: metadata, values, permissions, one write. Errors come out in words."""

import hashlib
import json
import secrets
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import gspread
import requests
from google.auth.exceptions import GoogleAuthError, RefreshError
from gspread.exceptions import APIError

from reviewkit.errors import SheetError
from reviewkit.sheet import SheetBusy, SheetChanged, SheetRefused
from reviewkit.sheet.rows import LAYOUTS, Layout

API = "https://sheets.googleapis.com/v4/spreadsheets"
DRIVE = "https://www.googleapis.com/drive/v3/files"
PAGES = 20
TIMEOUT = (10.0, 60.0)
"""Seconds to connect and to wait for an answer; gspread itself waits for ever."""

TAB, COLUMN, REVISION = "reviewkit-tab", "reviewkit-column", "reviewkit-revision"
"""Keys of our metadata. A tab's value is `name:sheetId`, so that a copy of the tab is not taken for it."""

TOKENS_FOR = 600.0
"""Seconds that a token outlives its write, so that a late copy of the request still finds it taken."""

JSON = {"Content-Type": "application/json; charset=utf-8"}


class NotTaken(SheetError):
    """Google took a request for wrong and did nothing."""


@dataclass(frozen=True, kw_only=True)
class Span:
    """A tab at Google: its layout, its sheetId, its columns as their metadata says, and whether it is there already
    (`new`: not yet) and bears our metadata."""

    layout: Layout
    sheet: int
    columns: dict[str, int] = field(default_factory=dict)
    state: Literal["marked", "unmarked", "new"] = "marked"

    @staticmethod
    def fresh(layout: Layout) -> "Span":
        return Span(layout=layout, sheet=secrets.randbelow(2**31 - 2) + 1, state="new")


@dataclass(frozen=True, kw_only=True)
class Tokens:
    """The revisions of the spreadsheet that can be seen: (revision, metadata id, seconds since 1970 it was made)."""

    spreadsheet: str
    seen: tuple[tuple[int, int, float], ...]

    def claim(self, number: int, now: float) -> tuple[int, list[dict[str, Any]]]:
        """The token of the write after `number` others of this cycle: its id, and the requests that begin the write."""
        latest = max((revision for revision, _, _ in self.seen), default=0)
        revision = latest + number + 1
        digest = hashlib.sha256(f"{self.spreadsheet} {revision}".encode()).digest()
        token = int.from_bytes(digest[:4]) % (2**31 - 2) + 1
        old = [id for known, id, made in self.seen if known != latest and now - made > TOKENS_FOR]
        return token, [
            _marked(REVISION, f"{revision} {int(now)}", {"spreadsheet": True}, id=token),
            *(
                {"deleteDeveloperMetadata": {"dataFilter": {"developerMetadataLookup": {"metadataId": id}}}}
                for id in (old if number == 0 else ())
            ),
        ]


@dataclass(frozen=True, kw_only=True)
class Marks:
    """What carries our metadata: our tabs by name, and the revision tokens."""

    tabs: dict[str, Span]
    tokens: Tokens


def _marked(key: str, value: str, location: dict[str, Any], *, id: int | None = None) -> dict[str, Any]:
    metadata: dict[str, Any] = {
        "metadataKey": key,
        "metadataValue": value,
        "location": location,
        "visibility": "DOCUMENT",
    }
    return {"createDeveloperMetadata": {"developerMetadata": metadata | ({} if id is None else {"metadataId": id})}}


def mark_tab(span: Span) -> dict[str, Any]:
    return _marked(TAB, f"{span.layout.name}:{span.sheet}", {"sheetId": span.sheet})


def mark_column(span: Span, header: str, column: int) -> dict[str, Any]:
    place = {"sheetId": span.sheet, "dimension": "COLUMNS", "startIndex": column, "endIndex": column + 1}
    return _marked(COLUMN, header, {"dimensionRange": place})


def packed(body: object) -> bytes:
    """JSON as it is sent: UTF-8, for escapes would treble the size of some languages."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


class Api:
    """One spreadsheet with one service account. Signs in at the first request; raises SheetError in words."""

    def __init__(self, spreadsheet: str, key_file: Path) -> None:
        self.spreadsheet, self.key_file = spreadsheet, key_file
        self.account = "the service account"
        self.warnings: tuple[str, ...] = ()
        self._http: Any = None

    def close(self) -> None:
        if self._http is not None:
            self._http.session.close()
            self._http = None

    def marks(self) -> Marks:
        """What carries our metadata by now."""
        lookups = [{"developerMetadataLookup": {"metadataKey": key}} for key in (TAB, COLUMN, REVISION)]
        answer = self._ask("POST", f"{API}/{self.spreadsheet}/developerMetadata:search", {"dataFilters": lookups})
        layouts = {layout.name: layout for layout in LAYOUTS}
        sheets: dict[str, int] = {}
        columns: dict[int, dict[str, int]] = {}
        tokens = []
        for match in answer.get("matchedDeveloperMetadata", []):
            metadata = match["developerMetadata"]
            key, value, place = metadata["metadataKey"], metadata.get("metadataValue", ""), metadata["location"]
            if key == TAB:
                name, _, made_for = value.rpartition(":")
                if name in layouts and made_for == str(place.get("sheetId", 0)):
                    sheets[name] = place.get("sheetId", 0)
            elif key == COLUMN and "dimensionRange" in place:
                at = place["dimensionRange"]
                columns.setdefault(at.get("sheetId", 0), {})[value] = at.get("startIndex", 0)
            elif key == REVISION and len(parts := value.split()) == 2 and all(part.isdecimal() for part in parts):
                tokens.append((int(parts[0]), int(metadata["metadataId"]), float(parts[1])))
        tabs = {}
        for name, sheet in sheets.items():
            known = {header: at for header, at in columns.get(sheet, {}).items() if header in layouts[name].headers}
            tabs[name] = Span(layout=layouts[name], sheet=sheet, columns=known)
        return Marks(tabs=tabs, tokens=Tokens(spreadsheet=self.spreadsheet, seen=tuple(tokens)))

    def titles(self) -> dict[str, int]:
        """Every tab of the spreadsheet: title -> sheetId."""
        answer = self._ask("GET", f"{API}/{self.spreadsheet}", params={"fields": "sheets.properties(sheetId,title)"})
        sheets = [each["properties"] for each in answer.get("sheets", [])]
        return {each["title"]: each.get("sheetId", 0) for each in sheets}

    def grids(self, spans: list[Span]) -> dict[int, tuple[str, list[list[Any]]]]:
        """sheetId -> title and values of the tabs, all of one moment. A tab that is gone is missing."""
        if not spans:
            return {}
        body = {
            "dataFilters": [_whole(span) for span in spans],
            "majorDimension": "ROWS",
            "valueRenderOption": "UNFORMATTED_VALUE",
            "dateTimeRenderOption": "FORMATTED_STRING",
        }
        answer = self._ask("POST", f"{API}/{self.spreadsheet}/values:batchGetByDataFilter", body)
        grids = {}
        for each in answer.get("valueRanges", []):
            values = each["valueRange"]
            title = values["range"].rpartition("!")[0]
            if title.startswith("'"):
                title = title[1:-1].replace("''", "'")
            for asked in each.get("dataFilters", []):
                if (sheet := _sheet_of(asked)) is not None:
                    grids[sheet] = (title, values.get("values", []))
        return grids

    def permissions(self) -> list[dict[str, Any]]:
        """Who may do what with the file. Raises SheetRefused where Google does not tell."""
        found: list[dict[str, Any]] = []
        asked = {
            "fields": "nextPageToken,permissions(type,role,emailAddress,domain,deleted)",
            "pageSize": "100",
            "supportsAllDrives": "true",
        }
        for _ in range(PAGES):
            answer = self._ask("GET", f"{DRIVE}/{self.spreadsheet}/permissions", params=asked)
            found += answer.get("permissions", [])
            if not (after := answer.get("nextPageToken")):
                return found
            asked["pageToken"] = after
        raise SheetRefused(f"The spreadsheet is shared with more than {PAGES * 100} people.")

    def write(self, changes: list[dict[str, Any]]) -> None:
        """All of it or nothing, and never twice. Raises NotTaken where Google calls it wrong."""
        self._ask("POST", f"{API}/{self.spreadsheet}:batchUpdate", {"requests": changes}, writing=True)

    def why_refused(self, token: int, error: NotTaken) -> SheetError:
        """What a refused write means: somebody else wrote first, or Google will not have it."""
        lookup = {"dataFilters": [{"developerMetadataLookup": {"metadataId": token}}]}
        answer = self._ask("POST", f"{API}/{self.spreadsheet}/developerMetadata:search", lookup)
        if answer.get("matchedDeveloperMetadata"):
            return SheetChanged(
                "Another sync wrote to the spreadsheet in the meantime; nothing was written, sync again."
            )
        return SheetError(f"{error} Nothing was written. If somebody changed tabs or columns just now, sync again.")

    # -- one request
    def _ask(
        self, method: str, url: str, body: object = None, *, params: Any = None, writing: bool = False
    ) -> dict[str, Any]:
        data = None if body is None else packed(body)

        unsure = " It may have been written all the same: the next sync looks first." if writing else ""
        http = self._signed_in()
        try:
            return dict(http.request(method.lower(), url, params=params, data=data, headers=dict(JSON)).json())
        except APIError as error:
            raise self._in_words(error, unsure) from error
        except RefreshError as error:
            if error.retryable:
                raise SheetBusy(
                    "Google could not sign the service account in just now; nothing was written."
                ) from error
            raise SheetRefused(
                f"Google does not accept the key of {self.account}; make a new key and put it into the file that "
                "REVIEWKIT_GOOGLE_KEY names."
            ) from error
        except (requests.RequestException, GoogleAuthError) as error:
            raise SheetBusy(f"Google could not be reached or did not answer in time.{unsure}") from error

    def _signed_in(self) -> Any:
        if self._http is None:
            name = self.key_file.name
            try:
                if stat.S_IMODE(self.key_file.stat().st_mode) & 0o077:
                    self.warnings = (f"Others on this machine can read the key file {name}: run chmod 600 on it.",)
                client: Any = gspread.service_account(filename=self.key_file)
            except (OSError, ValueError, KeyError, GoogleAuthError) as error:
                reason = error.strerror if isinstance(error, OSError) else "it is not a service account's key in JSON"
                raise SheetRefused(
                    f"The key file {self.key_file} (REVIEWKIT_GOOGLE_KEY) cannot be used: {reason}. "
                    "Nothing was read or written."
                ) from error
            client.set_timeout(TIMEOUT)
            self._http = client.http_client
            self.account = self._http.auth.service_account_email
        return self._http

    def _in_words(self, error: APIError, unsure: str) -> SheetError:
        status = error.response.status_code
        said = str(error.error.get("message", ""))[:300]
        match status:
            case 400:
                return NotTaken(f"Google did not take the request: {said}")
            case 401:
                return SheetRefused(f"Google does not accept the key of {self.account}; make a new one.")
            case 403 if "rate" in said.lower() or "quota" in said.lower():
                return SheetBusy("Google has had enough requests for now; nothing was written.")
            case 403 if "has not been used" in said or "disabled" in said:
                return SheetRefused(f"A Google API (Sheets, Drive) is not switched on for this key's project: {said}")
            case 403:
                return SheetRefused(
                    f"{self.account} may not edit the spreadsheet: share it with that address as an editor."
                )
            case 404:
                return SheetRefused(
                    "There is no such spreadsheet any more (or the address in course.toml is wrong); "
                    "the course's records are safe, nothing is lost."
                )
            case 429:
                return SheetBusy(
                    "Google has had enough requests for this minute; nothing was written.", wait=_wait(error.response)
                )
            case _ if status >= 500:
                return SheetBusy(f"Google had a fault of its own ({status}).{unsure}", wait=_wait(error.response))
            case _:
                return SheetError(f"Google answered {status} ({said}); nothing was written.")


def _whole(span: Span) -> dict[str, Any]:
    """A filter for all cells of a tab: by its metadata, which no longer matches when the tab is gone."""
    if span.state != "marked":
        return {"gridRange": {"sheetId": span.sheet}}
    return {
        "developerMetadataLookup": {
            "metadataKey": TAB,
            "metadataValue": f"{span.layout.name}:{span.sheet}",
            "metadataLocation": {"sheetId": span.sheet},
        }
    }


def _sheet_of(asked: dict[str, Any]) -> int | None:
    if "gridRange" in asked:
        return int(asked["gridRange"].get("sheetId", 0))
    value = asked.get("developerMetadataLookup", {}).get("metadataValue", "")
    return int(value.rpartition(":")[2]) if ":" in value else None


def _wait(response: requests.Response) -> float:
    after = response.headers.get("Retry-After", "")
    return min(max(float(after), 1.0), 3600.0) if after.isdecimal() else 60.0
