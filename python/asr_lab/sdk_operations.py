"""Every operation that the SDK package for Site Recovery lists, and what the lab does with it.

Read from the installed azure-mgmt-recoveryservicessiterecovery itself: the operation groups of its client, and the
requests that the package builds for them. The documentation page and a test are made from this.
"""

import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from types import FunctionType

from azure.core.credentials import AccessToken
from azure.mgmt.recoveryservicessiterecovery import SiteRecoveryManagementClient
from azure.mgmt.recoveryservicessiterecovery.operations import _operations

from asr_lab.arm import routes
from asr_lab.arm.resources import not_simulated
from asr_lab.arm.versions import SITE_RECOVERY_VERSIONS
from asr_lab.arm.wire import ArmError, Request

_BUILDER = re.compile(r"^build_(?P<name>\w+)_request$")
_PLACE = re.compile(r"<(\w+)>")
_SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True)
class SdkOperation:
    """A method of an operation group, such as ``replication_fabrics`` ``begin_create``, and the request it sends."""

    group: str
    name: str
    method: str
    path: str

    @property
    def sdk(self) -> str:
        """Group and method as a client writes them."""
        return f"{self.group}.{self.name}"

    @property
    def template(self) -> str:
        """The path with its parameters in braces."""
        return _PLACE.sub(r"{\1}", self.path)


class _NoCredential:
    """A credential that is never asked: no request is sent."""

    def get_token(self, *scopes: str, **_options: object) -> AccessToken:
        raise PermissionError(f"no token for {', '.join(scopes)}: the operations are only listed")


def sdk_operations() -> list[SdkOperation]:
    """Return every operation of every operation group, in the package's order."""
    client = SiteRecoveryManagementClient(_NoCredential(), _SUBSCRIPTION)
    requests = dict(_requests())
    return [
        SdkOperation(group, name, *requests[f"{group}_{name.removeprefix('begin_')}"])
        for group, operations in vars(client).items()
        if not group.startswith("_")
        for name, method in vars(type(operations)).items()
        if isinstance(method, FunctionType) and not name.startswith("_")
    ]


def _requests() -> Iterator[tuple[str, tuple[str, str]]]:
    """Yield name -> (method, path) of the requests that the package builds; parameters stand as ``<name>``."""
    for name, build in vars(_operations).items():
        match = _BUILDER.match(name)
        if match is None:
            continue
        places = [one for one in inspect.signature(build).parameters.values() if one.kind is not one.VAR_KEYWORD]
        given = {one.name: f"<{one.name}>" for one in places if one.default is one.empty}
        request = build(**given)
        yield match["name"], (request.method, request.url.partition("?")[0].replace("%3C", "<").replace("%3E", ">"))


def answer(operation: SdkOperation) -> str:
    """Return what the lab does with an operation: "served", "empty", "missing", "refuse" or "unknown".

    The middle three are those of ``rules/not_simulated.yml``; "unknown" is an operation that nothing answers.
    """
    routes.load()
    request = Request(operation.method, operation.path, {"api-version": SITE_RECOVERY_VERSIONS[-1]})
    try:
        found, _ = routes.find(request)
    except ArmError:
        return "unknown"
    handler = found.handler
    return handler.answer if isinstance(handler, not_simulated.NotSimulated) else "served"
