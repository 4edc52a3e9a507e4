"""A small Google of the tests' own: one spreadsheet, in memory, behind real TLS on loopback.

The product's code runs as it is (gspread, google-auth, requests): `environment()` names this server as the HTTPS
proxy, and its certificate authority, so that the real addresses lead here. It knows the few requests that the product
makes, applies a `batchUpdate` whole or not at all, and refuses whatever it does not know.
"""

import copy
import json
import re
import ssl
import threading
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.certificates import certified

HOSTS = ("sheets.googleapis.com", "www.googleapis.com", "oauth2.googleapis.com", "iamcredentials.googleapis.com")
"""The last one is asked by google-auth of its own accord, in the background; here it knows nothing."""

BOT = "bot@reviewkit-tests.iam.gserviceaccount.com"
PROF = "prof@example.org"


# -- keys and certificates -------------------------------------------------------------------------------------------


def write_key(path: Path, account: str = BOT) -> Path:
    """A service account's key file with a key made on the spot."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.touch(mode=0o600)
    path.write_text(
        json.dumps(
            {
                "type": "service_account",
                "project_id": "tests",
                "private_key_id": "1",
                "private_key": pem.decode(),
                "client_email": account,
                "token_uri": "https://oauth2.googleapis.com/token",
            }
        )
    )
    return path


# -- the spreadsheet -------------------------------------------------------------------------------------------------


class Refused(Exception):
    """An answer with a status and a message, as Google gives it."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass
class Tab:
    id: int
    title: str
    width: int = 26
    height: int = 100
    rows: list[list[object]] = field(default_factory=list)
    protected: list[dict[str, Any]] = field(default_factory=list)
    validated: set[tuple[int, int]] = field(default_factory=set)
    hidden: set[int] = field(default_factory=set)

    def put(self, row: int, column: int, value: object) -> None:
        if row >= self.height or column >= self.width:
            raise Refused(400, "The cell is outside of the grid.")
        self.rows += [[] for _ in range(row + 1 - len(self.rows))]
        self.rows[row] += [""] * (column + 1 - len(self.rows[row]))
        self.rows[row][column] = value

    def values(self) -> list[list[object]]:
        """Trimmed at the right and at the end, as Google gives them."""
        rows = [list(row) for row in self.rows]
        for row in rows:
            while row and row[-1] == "":
                row.pop()
        while rows and not rows[-1]:
            rows.pop()
        return rows


@dataclass
class Spreadsheet:
    id: str = "tests-0000000000-spreadsheet"
    tabs: list[Tab] = field(default_factory=lambda: [Tab(id=0, title="Sheet1")])
    metadata: list[dict[str, Any]] = field(default_factory=list)
    given: int = 0

    def tab(self, id: int) -> Tab:
        for tab in self.tabs:
            if tab.id == id:
                return tab
        raise Refused(400, f"No grid with id: {id}")

    def titled(self, title: str) -> Tab:
        return next(tab for tab in self.tabs if tab.title == title)

    def matching(self, lookup: dict[str, Any]) -> list[dict[str, Any]]:
        wanted = {key: lookup[key] for key in ("metadataId", "metadataKey", "metadataValue") if key in lookup}
        place = lookup.get("metadataLocation")
        return [
            each
            for each in self.metadata
            if all(each.get(key) == value for key, value in wanted.items())
            and (place is None or each["location"].get("sheetId") == place["sheetId"])
        ]

    # -- columns take their metadata with them
    def insert_column(self, tab: Tab, at: int) -> None:
        tab.width += 1
        for row in tab.rows:
            if len(row) > at:
                row.insert(at, "")
        for place in self._columns(tab):
            if place["startIndex"] >= at:
                place["startIndex"] += 1
                place["endIndex"] += 1

    def delete_column(self, tab: Tab, at: int) -> None:
        tab.width -= 1
        for row in tab.rows:
            del row[at : at + 1]
        gone = [place for place in self._columns(tab) if place["startIndex"] == at]
        self.metadata = [each for each in self.metadata if each["location"].get("dimensionRange") not in gone]
        for place in self._columns(tab):
            if place["startIndex"] > at:
                place["startIndex"] -= 1
                place["endIndex"] -= 1

    def _columns(self, tab: Tab) -> list[dict[str, Any]]:
        places = (each["location"].get("dimensionRange") for each in self.metadata)
        return [place for place in places if place and place["sheetId"] == tab.id]

    def delete_tab(self, tab: Tab) -> None:
        self.tabs.remove(tab)
        self.metadata = [
            each
            for each in self.metadata
            if tab.id
            not in (each["location"].get("sheetId"), each["location"].get("dimensionRange", {}).get("sheetId"))
        ]

    # -- requests of a batchUpdate
    def apply(self, request: dict[str, Any]) -> None:
        ((kind, what),) = request.items()
        verb = getattr(self, "_" + re.sub("[A-Z]", lambda found: "_" + found[0].lower(), kind), None)
        if verb is None:
            raise Refused(400, f"Unknown request: {kind}")
        verb(what)

    def _add_sheet(self, what: dict[str, Any]) -> None:
        asked = what["properties"]
        if any(tab.title == asked["title"] or tab.id == asked["sheetId"] for tab in self.tabs):
            raise Refused(400, "A sheet with that name or id already exists.")
        grid = asked["gridProperties"]
        self.tabs.append(Tab(asked["sheetId"], asked["title"], width=grid["columnCount"], height=grid["rowCount"]))

    def _create_developer_metadata(self, what: dict[str, Any]) -> None:
        new = copy.deepcopy(what["developerMetadata"])
        self.given += 1
        new.setdefault("metadataId", self.given)
        if any(each["metadataId"] == new["metadataId"] for each in self.metadata):
            raise Refused(400, "That id is taken.")
        at = new["location"].get("dimensionRange")
        if at and at["startIndex"] >= self.tab(at["sheetId"]).width:
            raise Refused(400, "The column is outside of the grid.")
        self.metadata.append(new)

    def _delete_developer_metadata(self, what: dict[str, Any]) -> None:
        gone = self.matching(what["dataFilter"]["developerMetadataLookup"])
        self.metadata = [each for each in self.metadata if each not in gone]

    def _repeat_cell(self, what: dict[str, Any]) -> None:
        self.tab(what["range"]["sheetId"])

    def _add_protected_range(self, what: dict[str, Any]) -> None:
        self.tab(what["protectedRange"]["range"]["sheetId"]).protected.append(what["protectedRange"])

    def _update_dimension_properties(self, what: dict[str, Any]) -> None:
        if what["properties"].get("hiddenByUser"):
            self.tab(what["range"]["sheetId"]).hidden.add(what["range"]["startIndex"])

    def _append_dimension(self, what: dict[str, Any]) -> None:
        assert what["dimension"] == "COLUMNS"
        self.tab(what["sheetId"]).width += what["length"]

    def _insert_dimension(self, what: dict[str, Any]) -> None:
        at = what["range"]
        assert at["dimension"] == "ROWS"
        tab = self.tab(at["sheetId"])
        tab.height += at["endIndex"] - at["startIndex"]
        tab.rows[at["startIndex"] : at["startIndex"]] = [[] for _ in range(at["startIndex"], at["endIndex"])]

    def _update_cells(self, what: dict[str, Any]) -> None:
        start = what["start"]
        tab = self.tab(start["sheetId"])
        for down, row in enumerate(what["rows"]):
            for right, cell in enumerate(row["values"]):
                tab.put(start["rowIndex"] + down, start["columnIndex"] + right, _entered(cell))

    def _append_cells(self, what: dict[str, Any]) -> None:
        tab = self.tab(what["sheetId"])
        start = len(tab.values())
        tab.height = max(tab.height, start + len(what["rows"]))
        for down, row in enumerate(what["rows"], start=start):
            for right, cell in enumerate(row["values"]):
                tab.put(down, right, _entered(cell))
                if "dataValidation" in cell:
                    tab.validated.add((down, right))


def _entered(cell: dict[str, Any]) -> object:
    entered = cell.get("userEnteredValue", {})
    if "formulaValue" in entered:
        return Formula(entered["formulaValue"])
    return entered.get("stringValue", entered.get("numberValue", entered.get("boolValue", "")))


class Formula(str):
    """Text that Google would compute."""


# -- the server ------------------------------------------------------------------------------------------------------


@dataclass
class Fault:
    """The next matching request: `drop-before` (nothing happens), `drop-after` (it does, the answer is lost), or a
    status with a body."""

    path: str
    action: str = "status"
    status: int = 500
    message: str = "A fault."
    headers: dict[str, str] = field(default_factory=dict)


class FakeGoogle:
    """Start with a folder for its certificate; stop when done."""

    def __init__(self, folder: Path) -> None:
        self.file = Spreadsheet()
        self.permissions = [
            {"type": "user", "role": "owner", "emailAddress": PROF},
            {"type": "user", "role": "writer", "emailAddress": BOT},
        ]
        self.requests: list[tuple[str, str, bytes]] = []
        self.faults: list[Fault] = []
        self.token_error = ""
        self._lock = threading.Lock()
        self.authority, certificate = certified(folder, *HOSTS)
        self.key = write_key(folder / "key.json")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        google = self

        class Handler(_Handler):
            fake = google
            tls = context

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def environment(self) -> dict[str, str]:
        address = f"http://127.0.0.1:{self._server.server_address[1]}"
        return {"HTTPS_PROXY": address, "https_proxy": address, "REQUESTS_CA_BUNDLE": str(self.authority)}

    def count(self, path: str) -> int:
        return sum(path in asked for _, asked, _ in self.requests)

    def replay(self, path: str) -> int:
        """The last request with such a path arrives once more (a copy that was late); its status."""
        method, asked, body = [each for each in self.requests if path in each[1]][-1]
        return self.answer(method, asked, body)[0]

    # -- one request
    def answer(self, method: str, path: str, body: bytes) -> tuple[int, dict[str, Any], dict[str, str]]:
        with self._lock:
            self.requests.append((method, path, body))
            fault = next((each for each in self.faults if each.path in path), None)
            if fault:
                self.faults.remove(fault)
                if fault.action == "status":
                    return fault.status, _error(fault.status, fault.message), fault.headers
                if fault.action == "drop-before":
                    return 0, {}, {}
            try:
                status, said = 200, self._route(method, path, body)
            except Refused as refused:
                status, said = refused.status, _error(refused.status, str(refused))
            return (0 if fault else status), said, {}

    def _route(self, method: str, path: str, body: bytes) -> dict[str, Any]:
        where = urllib.parse.urlsplit(path).path
        if where == "/token":
            if self.token_error:
                raise Refused(400, self.token_error)
            return {"access_token": "t", "expires_in": 3600, "token_type": "Bearer"}
        if where == f"/drive/v3/files/{self.file.id}/permissions":
            return {"permissions": self.permissions}
        head = f"/v4/spreadsheets/{self.file.id}"
        routes: dict[tuple[str, str], Callable[[dict[str, Any]], dict[str, Any]]] = {
            ("GET", head): lambda _: {"sheets": [{"properties": _named(tab)} for tab in self.file.tabs]},
            ("POST", head + "/developerMetadata:search"): self._search,
            ("POST", head + "/values:batchGetByDataFilter"): self._values,
            ("POST", head + ":batchUpdate"): self._update,
        }
        if (method, where) not in routes:
            raise Refused(404, "Requested entity was not found.")
        return routes[method, where](json.loads(body) if body else {})

    def _search(self, asked: dict[str, Any]) -> dict[str, Any]:
        found = [
            {"developerMetadata": each, "dataFilters": [filter]}
            for filter in asked["dataFilters"]
            for each in self.file.matching(filter["developerMetadataLookup"])
        ]
        return copy.deepcopy({"matchedDeveloperMetadata": found} if found else {})

    def _values(self, asked: dict[str, Any]) -> dict[str, Any]:
        assert asked["valueRenderOption"] == "UNFORMATTED_VALUE"
        ranges = []
        for filter in asked["dataFilters"]:
            lookup = filter.get("developerMetadataLookup")
            places = [filter["gridRange"]] if lookup is None else [m["location"] for m in self.file.matching(lookup)]
            for place in places:
                tab = self.file.tab(place.get("sheetId", 0))
                title = tab.title.replace("'", "''")
                ranges.append(
                    {"valueRange": {"range": f"'{title}'!A1:Z100", "values": tab.values()}, "dataFilters": [filter]}
                )
        return copy.deepcopy({"valueRanges": ranges})

    def _update(self, asked: dict[str, Any]) -> dict[str, Any]:
        before = copy.deepcopy(self.file)
        try:
            for request in asked["requests"]:
                self.file.apply(request)
        except Refused:
            self.file = before
            raise
        return {"spreadsheetId": self.file.id, "replies": [{} for _ in asked["requests"]]}


def _named(tab: Tab) -> dict[str, Any]:
    return {"title": tab.title} | ({"sheetId": tab.id} if tab.id else {})


def _error(status: int, message: str) -> dict[str, Any]:
    if message == "invalid_grant":
        return {"error": message, "error_description": "Invalid JWT Signature."}
    return {"error": {"code": status, "message": message, "status": "FAILED"}}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    fake: FakeGoogle
    tls: ssl.SSLContext

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: tests are quiet."""

    def do_CONNECT(self) -> None:
        assert self.path.rpartition(":")[0] in HOSTS, "nothing but Google is ever asked"
        self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        self.connection = self.tls.wrap_socket(self.connection, server_side=True)
        self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb")
        self.close_connection = False

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        status, said, headers = self.fake.answer(self.command, self.path, body)
        if status == 0:
            self.close_connection = True
            return
        data = json.dumps(said).encode()
        self.send_response(status)
        for name, value in {**headers, "Content-Type": "application/json", "Content-Length": str(len(data))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)
        self.wfile.flush()

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def finish(self) -> None:
        super().finish()
        self.connection.close()
