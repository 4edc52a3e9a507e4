"""The fixtures that several tests share."""

from tests.pages import browser
from tests.stores import made_sqlite, postgresql, sqlite_store, sqlite_url, store, store_url

__all__ = ["browser", "made_sqlite", "postgresql", "sqlite_store", "sqlite_url", "store", "store_url"]
