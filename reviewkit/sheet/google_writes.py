"""From a plan to the requests of one `batchUpdate`. Pure: every text goes out as a raw string, never as a formula."""

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from reviewkit.sheet.google_api import Span, mark_column, mark_tab, packed
from reviewkit.sheet.reconcile import Plan, Put
from reviewkit.sheet.rows import SEAL, Column

CHUNK = 1_800_000
"""Bytes of one request; Google advises at most 2 MB."""

ROWS_AT_ONCE = 100
SPARE_ROWS = 50
PIXELS = 8
TEXT = {"numberFormat": {"type": "TEXT"}}


def new_tab(span: Span, title: str, plan: Plan, account: str) -> list[dict[str, Any]]:
    """Make a tab with its format and its protection; the cells come with `writes`."""
    sheet, width = {"sheetId": span.sheet}, len(span.layout.columns)
    grid = {"rowCount": len(plan.append) + 1 + SPARE_ROWS, "columnCount": width, "frozenRowCount": 1}
    inputs = [plan.columns[header] for header in span.layout.inputs]
    shown = {**TEXT, "wrapStrategy": "WRAP", "verticalAlignment": "TOP"}
    holes = [{**sheet, "startRowIndex": 1, "startColumnIndex": at, "endColumnIndex": at + 1} for at in inputs]
    return [
        {"addSheet": {"properties": {**sheet, "title": title, "gridProperties": grid}}},
        mark_tab(span),
        _format(sheet, shown, "userEnteredFormat(numberFormat,wrapStrategy,verticalAlignment)"),
        _format(
            {**sheet, "startRowIndex": 0, "endRowIndex": 1},
            {"textFormat": {"bold": True}},
            "userEnteredFormat.textFormat.bold",
        ),
        {
            "addProtectedRange": {
                "protectedRange": {
                    "range": sheet,
                    "unprotectedRanges": holes,
                    "description": "Written by reviewkit",
                    "editors": {"users": [account]},
                }
            }
        },
    ]


def _format(area: dict[str, Any], format: dict[str, Any], fields: str) -> dict[str, Any]:
    return {"repeatCell": {"range": area, "cell": {"userEnteredFormat": format}, "fields": fields}}


def writes(span: Span, plan: Plan) -> list[dict[str, Any]]:
    """The requests that carry out a plan; none where nothing differs."""
    requests: list[dict[str, Any]] = []
    if span.state == "unmarked":
        requests.append(mark_tab(span))
    if plan.insert_header:
        requests.append({"insertDimension": {"range": _rows(span, 0, 1), "inheritFromBefore": False}})
    if plan.new and span.state != "new":
        # They stand after the last column that holds anything, so that this many more always make room for them.
        requests.append({"appendDimension": {"sheetId": span.sheet, "dimension": "COLUMNS", "length": len(plan.new)}})
    for column in span.layout.columns:
        at = plan.columns[column.header]
        if column.header not in span.columns or column.header in plan.new:
            requests.append(mark_column(span, column.header, at))
        if column.header in plan.new:
            requests.append(_dimension(span, column, at))
    requests += _updates(span, plan.puts)
    requests += _appends(span, plan)
    return requests


def _rows(span: Span, start: int, end: int) -> dict[str, Any]:
    return {"sheetId": span.sheet, "dimension": "ROWS", "startIndex": start, "endIndex": end}


def _dimension(span: Span, column: Column, at: int) -> dict[str, Any]:
    return {
        "updateDimensionProperties": {
            "range": {"sheetId": span.sheet, "dimension": "COLUMNS", "startIndex": at, "endIndex": at + 1},
            "properties": {"pixelSize": column.width * PIXELS, "hiddenByUser": column.header == SEAL},
            "fields": "pixelSize,hiddenByUser",
        }
    }


def _value(text: str) -> dict[str, Any]:
    return {"userEnteredValue": {"stringValue": text}} if text else {}


def _updates(span: Span, puts: tuple[Put, ...]) -> Iterator[dict[str, Any]]:
    """One request for each run of neighbouring cells, so that nothing between them is touched."""
    ordered = enumerate(sorted(puts, key=lambda put: (put.row, put.column)))
    for _, run in groupby(ordered, key=lambda pair: (pair[1].row, pair[1].column - pair[0])):
        cells = [put for _, put in run]
        yield {
            "updateCells": {
                "start": {"sheetId": span.sheet, "rowIndex": cells[0].row, "columnIndex": cells[0].column},
                "rows": [{"values": [_value(put.text) for put in cells]}],
                "fields": "userEnteredValue",
            }
        }


def _appends(span: Span, plan: Plan) -> Iterator[dict[str, Any]]:
    """Rows after the last one that holds anything, wherever that is by then. New inputs get format and drop-down."""
    inputs = {plan.columns[column.header]: column for column in span.layout.columns if column.owner == "instructor"}
    fields = "userEnteredValue" + (",userEnteredFormat.numberFormat,dataValidation" if inputs else "")
    for start in range(0, len(plan.append), ROWS_AT_ONCE):
        rows = [
            {"values": [_input(inputs[at]) if at in inputs else _value(text) for at, text in enumerate(line)]}
            for line in plan.append[start : start + ROWS_AT_ONCE]
        ]
        yield {"appendCells": {"sheetId": span.sheet, "rows": rows, "fields": fields}}


def _input(column: Column) -> dict[str, Any]:
    if not column.choices:
        return {"userEnteredFormat": TEXT}
    values = [{"userEnteredValue": word} for word in column.choices]
    rule = {"condition": {"type": "ONE_OF_LIST", "values": values}, "showCustomUi": True, "strict": False}
    return {"userEnteredFormat": TEXT, "dataValidation": rule}


def chunks(requests: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """The requests in their order, in as few writes as Google takes. None where there is nothing to write."""
    chunk: list[dict[str, Any]] = []
    size = 0
    for request in requests:
        length = len(packed(request)) + 1
        if chunk and size + length > CHUNK:
            yield chunk
            chunk, size = [], 0
        chunk.append(request)
        size += length
    if chunk:
        yield chunk
