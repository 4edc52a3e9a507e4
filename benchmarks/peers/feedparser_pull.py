"""A class's feeds through feedparser as it comes, in threads, without keeping anything. Told what to do by pull.py."""

import json
import sys
from concurrent.futures import ThreadPoolExecutor

import feedparser

feeds = json.loads(sys.stdin.readline())
tags: dict[str, str | None] = {}
seen: set[tuple[str, str]] = set()


def pull(feed: str) -> tuple[int, int]:
    found = feedparser.parse(feed, etag=tags.get(feed))
    tags[feed] = found.get("etag") or tags.get(feed)
    new = {(feed, entry.get("id") or entry.get("link", "")) for entry in found.entries} - seen
    seen.update(new)
    return len(new), int(found.get("status") not in (200, 304))


print("ready", flush=True)
while sys.stdin.readline():
    with ThreadPoolExecutor(40) as threads:
        rows = list(threads.map(pull, feeds))
    print(json.dumps({"new": sum(new for new, _ in rows), "failed": sum(failed for _, failed in rows)}), flush=True)
