"""A class's feeds through reader, its own way: its storage, its update in threads. Told what to do by pull.py."""

import json
import sys
import tempfile

from reader import make_reader

feeds = json.loads(sys.stdin.readline())
with tempfile.TemporaryDirectory() as folder:
    reader = make_reader(f"{folder}/reader.db")
    for feed in feeds:
        reader.add_feed(feed)
    print("ready", flush=True)
    while sys.stdin.readline():
        found = list(reader.update_feeds_iter(workers=40, scheduled=False))
        failed = sum(isinstance(each.value, Exception) for each in found)
        new = sum(each.value.new for each in found if each.value and not isinstance(each.value, Exception))
        print(json.dumps({"new": new, "failed": failed}), flush=True)
