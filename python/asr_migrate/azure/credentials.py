"""Signing in to Azure the way every Azure tool does: from the environment, or what the machine offers."""

from __future__ import annotations

import os
from typing import Any

from azure.core.credentials_async import AsyncTokenCredential
from azure.core.pipeline.transport import AsyncHttpTransport
from azure.identity.aio import DefaultAzureCredential, EnvironmentCredential

from asr_migrate.domain.cloud import CloudSettings

SECRET_VARIABLES = ("AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET")
CERTIFICATE_VARIABLES = ("AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_CERTIFICATE_PATH")


def credential(cloud: CloudSettings, transport: AsyncHttpTransport[Any, Any]) -> AsyncTokenCredential:
    """Return the credential for ``cloud``.

    A service principal in the environment is used alone, so that nothing else (instance metadata, command lines) is
    asked when its secret is wrong; without one, azure-identity tries what the machine offers.
    """
    options: dict[str, Any] = {
        "authority": cloud.authority,
        "disable_instance_discovery": not cloud.instance_discovery,
        "transport": transport,
    }
    complete = any(all(os.environ.get(name) for name in names) for names in (SECRET_VARIABLES, CERTIFICATE_VARIABLES))
    return EnvironmentCredential(**options) if complete else DefaultAzureCredential(**options)
