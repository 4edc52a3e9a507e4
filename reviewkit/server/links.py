"""Sign-in links, for those who hand them out. How they are signed stands in `reviewkit.signing`."""

from reviewkit.signing import check_link, link, read_secret

__all__ = ["check_link", "link", "read_secret"]
