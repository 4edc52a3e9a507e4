"""All that an application answers, as it stands, for whoever wants to see that nothing was left open."""

from collections.abc import Iterator
from dataclasses import dataclass

from tornado import web
from tornado.routing import PathMatches, RuleRouter

from reviewkit.server.jupyter import UNIMPLEMENTED

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


@dataclass(frozen=True, kw_only=True)
class Route:
    """One address or family of addresses (`pattern`, a regular expression), and the methods that do something there."""

    pattern: str
    methods: tuple[str, ...]


def routes(application: web.Application) -> list[Route]:
    """Every route of an application, whoever added it."""
    return list(_of(application.default_router))


def _of(router: RuleRouter) -> Iterator[Route]:
    for rule in router.rules:
        if isinstance(rule.target, RuleRouter):
            yield from _of(rule.target)
            continue
        pattern = rule.matcher.regex.pattern if isinstance(rule.matcher, PathMatches) else repr(rule.matcher)
        yield Route(pattern=pattern, methods=_methods(rule.target))


def _methods(handler: object) -> tuple[str, ...]:
    """What a handler does; everything, where it is no handler that could tell."""
    if not (isinstance(handler, type) and issubclass(handler, web.RequestHandler)):
        return METHODS
    return tuple(
        method
        for method in METHODS
        if method in handler.SUPPORTED_METHODS and getattr(handler, method.lower()) is not UNIMPLEMENTED
    )
