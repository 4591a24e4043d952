"""Where the next page of a list is: on the same host, and nowhere that was read already."""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import urljoin, urlsplit

from asr_migrate.domain.errors import ServiceError, WireError


def followed(link: str | None, host: str, read: Collection[str], doing: str) -> str | None:
    """Return a ``nextLink`` as a whole address, None when there is no next page.

    ``host`` is the resource manager (``https://...``, no slash at its end): a relative link is joined to it, and a link
    to any other host is refused, because the request would carry our token there. ``read`` are the links of the pages
    that were read. Raises WireError, which names the link's host and not its query.
    """
    if not link:
        return None
    whole = urljoin(f"{host}/", str(link))
    named, mine = urlsplit(whole), urlsplit(host)
    if (named.scheme, named.netloc.lower()) != (mine.scheme, mine.netloc.lower()):
        raise WireError(
            f"{doing}: the next page is said to be at {named.scheme}://{named.hostname}, not at {host}",
            code="ForeignLink",
            cause="A nextLink of another host was not followed; the request would have carried the token there",
            remedy="Check asr_cloud.resource_manager and the proxy of the controller.",
        )
    if whole in read:
        raise ServiceError(
            f"{doing}: the next page at {named.hostname} is one that was read already",
            code="RepeatedLink",
            cause="The list would never end",
            remedy="Run the same playbook again; report it with the list's address when it stays so.",
            transient=True,
        )
    return whole
