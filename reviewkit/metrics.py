"""What the course service counts for Prometheus. Labels are words of ours and never anybody's."""

import time

from prometheus_client import CollectorRegistry, Counter, Gauge, ProcessCollector, generate_latest

from reviewkit.model import Feed

JOBS = ("pull", "advance", "remind", "outbox", "sync")
"""What the course's clock does."""


class Metrics:
    """The counters of one course service."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.saves = Counter("reviewkit_saves", "Drafts that were kept.", registry=self.registry)
        self.acts = Counter("reviewkit_acts", "Events of pages that were done.", ["screen"], registry=self.registry)
        self.conflicts = Counter(
            "reviewkit_conflicts", "Events that somebody else, or another window, was before.", registry=self.registry
        )
        self.refusals = Counter("reviewkit_refusals", "What was refused.", ["why"], registry=self.registry)
        self.done = Gauge("reviewkit_clock_done_seconds", "When it last went well.", ["job"], registry=self.registry)
        self.failed = Counter("reviewkit_clock_failures", "How often it did not.", ["job"], registry=self.registry)
        self.feeds = Gauge("reviewkit_feeds", "Feeds, by how the last pull went.", ["state"], registry=self.registry)
        for job in JOBS:
            self.done.labels(job)
            self.failed.labels(job)
        ProcessCollector(namespace="reviewkit_service", registry=self.registry)

    def clock(self, job: str, *, went_well: bool) -> None:
        """A job of the clock has ended."""
        if went_well:
            self.done.labels(job).set(time.time())
        else:
            self.failed.labels(job).inc()

    def told(self, feeds: list[Feed]) -> str:
        """Everything, in Prometheus' text format; the feeds are looked at when somebody asks."""
        failing = sum(bool(feed.error) for feed in feeds)
        self.feeds.labels("ok").set(len(feeds) - failing)
        self.feeds.labels("failing").set(failing)
        return generate_latest(self.registry).decode()
