"""How clients are pointed at the lab: text for a terminal, with the lab's own addresses and files in it.

Secrets are never part of the text: commands read them from the lab's files.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from asr_lab.lab_state import State


@dataclass(frozen=True)
class Place:
    """Where a lab is: what its ``env`` file and its state directory say."""

    url: str
    ec2_url: str
    region: str
    tenant: str
    client: str
    subscription: str
    directory: Path

    @property
    def ca(self) -> Path:
        """The file that clients must trust."""
        return self.directory / "ca.pem"

    @property
    def secret_file(self) -> Path:
        """The file that holds the client secret of the one service principal."""
        return self.directory / "secrets" / "azure_client_secret"

    @property
    def page(self) -> str:
        """The web page."""
        return f"{self.url}/_lab/"


def place(state: State, settings: Mapping[str, str]) -> Place:
    """Return where the lab of these settings (``State.read_environment``) is."""
    return Place(
        url=f"https://{settings['ASR_LAB_NET']}.0.1:8443",
        ec2_url=settings["AWS_ENDPOINT_URL"],
        region=settings["AWS_DEFAULT_REGION"],
        tenant=settings["AZURE_TENANT_ID"],
        client=settings["AZURE_CLIENT_ID"],
        subscription=settings["AZURE_SUBSCRIPTION_ID"],
        directory=state.directory,
    )


def _env(at: Place) -> str:
    return f"""\
# Sign-in, addresses and AWS settings of this lab, for a shell:
. {at.directory}/env
# What Python's clients trust: aio clients of the Azure SDK read SSL_CERT_FILE, the others REQUESTS_CA_BUNDLE.
export SSL_CERT_FILE={at.ca} REQUESTS_CA_BUNDLE={at.ca}
"""


def _az(at: Place) -> str:
    return f"""\
# The Azure CLI as it is; a configuration directory of its own leaves yours alone.
export AZURE_CONFIG_DIR={at.directory}/az
export REQUESTS_CA_BUNDLE={at.ca}
az config set core.instance_discovery=false
az cloud register --name AsrLab --endpoint-resource-manager {at.url}
az cloud set --name AsrLab
az login --service-principal --username {at.client} --tenant {at.tenant} \\
    --password "$(cat {at.secret_file})"
az account set --subscription {at.subscription}

# For example:
az network vnet list --resource-group rg-migration --output table
az rest --method get --url "/subscriptions/{at.subscription}/resourceGroups/rg-migration?api-version=2025-04-01"
az extension add --name site-recovery
az site-recovery fabric list --resource-group rg-migration --vault-name VAULT
"""


def _sdk(at: Place) -> str:
    return f"""\
# Azure SDKs for Python. Without credential_scopes a client asks for a token of the public cloud.
from pathlib import Path
from azure.identity import ClientSecretCredential
from azure.mgmt.recoveryservicessiterecovery import SiteRecoveryManagementClient

LAB = "{at.url}"
CA = "{at.ca}"
credential = ClientSecretCredential(
    "{at.tenant}",
    "{at.client}",
    Path("{at.secret_file}").read_text(),
    authority=LAB,
    disable_instance_discovery=True,
    connection_verify=CA,
)
client = SiteRecoveryManagementClient(
    credential,
    "{at.subscription}",
    base_url=LAB,
    credential_scopes=[LAB + "/.default"],
    connection_verify=CA,
)
for fabric in client.replication_fabrics.list("rg-migration", "VAULT"):
    print(fabric.name)

# The aio clients: the same arguments, but set SSL_CERT_FILE={at.ca} instead of connection_verify,
# which makes azure-core build a new TLS context for each request.
# Other SDKs: https authority {at.url}, tenant, client and secret as above, resource manager endpoint and audience
# {at.url}, instance discovery off.
"""


def _curl(at: Place) -> str:
    return f"""\
TOKEN=$(curl --silent --cacert {at.ca} \\
    --data grant_type=client_credentials --data client_id={at.client} \\
    --data-urlencode client_secret@{at.secret_file} --data scope={at.url}/.default \\
    {at.url}/{at.tenant}/oauth2/v2.0/token | python3 -c 'import json, sys; print(json.load(sys.stdin)["access_token"])')
curl --cacert {at.ca} --header "Authorization: Bearer $TOKEN" \\
    "{at.url}/subscriptions/{at.subscription}/resourceGroups?api-version=2025-04-01"
"""


def _aws(at: Place) -> str:
    return f"""\
# AWS CLI 2.13 and boto3 1.28, or newer, read the address from the environment; EC2 only, over http.
. {at.directory}/env
aws ec2 describe-instances --query 'Reservations[].Instances[].[PrivateIpAddress,State.Name]' --output table
# or: boto3.client("ec2", endpoint_url="{at.ec2_url}", region_name="{at.region}")
"""


def _ansible(at: Place) -> str:
    return f"""\
# The project's own playbooks, against the lab's inventory:
asr-migrate run --lab assess
# The same with ansible-playbook:
. {at.directory}/env
ansible-playbook -i inventory/rehearsal playbooks/assess.yml
"""


@dataclass(frozen=True)
class Topic:
    """A kind of client: what it is called in a list, and its text."""

    title: str
    text: Callable[[Place], str]


TOPICS: Mapping[str, Topic] = {
    "env": Topic("a shell", _env),
    "az": Topic("the Azure CLI and its site-recovery extension", _az),
    "sdk": Topic("the Azure SDKs", _sdk),
    "curl": Topic("curl", _curl),
    "aws": Topic("the AWS CLI and boto3", _aws),
    "ansible": Topic("Ansible", _ansible),
}


def summary(at: Place, program: str) -> str:
    """Return what ``up`` prints: where the lab is, and where to read more."""
    rows = [f"  {program + ' howto ' + name:<32} {topic.title}" for name, topic in TOPICS.items()]
    return "\n".join(
        [
            f"Azure     {at.url}   (trust {at.ca})",
            f"EC2       {at.ec2_url}",
            f"Page      {at.page}",
            f"Settings  . {at.directory}/env",
            "Point a client at it:",
            *rows,
        ]
    )
