"""The files that Unified Setup is given: MySQL's passwords and the proxy's settings.

Their forms are those of the Site Recovery documentation; what a password may hold, and another form of the proxy's
address, are those of Microsoft's published setup sources.
"""

import re

from asr_lab.hosts.windows.installers.arguments import BadArgumentError
from asr_lab.hosts.windows.state import Host
from asr_lab.hosts.windows.web import Credential, WebProxy

_MYSQL_ROW = re.compile(r'(MySQLRootPassword|MySQLUserPassword)\s*=\s*"([^"]+)"')
_PROXY_KEYS = ("ProxyAuthentication", "ProxyPort", "ProxyUserName", "ProxyPassword")
_ADDRESS_KEYS = {"documented": "Proxy IP", "published_source": "ProxyIP"}
_PROXY_ROW = re.compile(r'([A-Za-z]+(?: IP)?)[ \t]*=[ \t]*"([^"]*)"')
_SIGNS = frozenset("!@#$%_")
_FORBIDDEN = frozenset("~'^&*()+=-/\\:;{}[]|?<>,.\" ")


def check_mysql(data: bytes) -> None:
    """Check the file of MySQL's passwords, and the passwords. Raises BadArgumentError, which never holds one."""
    rows = _rows(data)
    found = {match[1]: match[2] for row in rows[1:] if (match := _MYSQL_ROW.fullmatch(row))}
    if rows[:1] != ["[MySQLCredentials]"] or len(rows) != 3 or len(found) != 2:
        raise BadArgumentError(
            "/MySQLCredsFilePath: the file must hold [MySQLCredentials] and, in quotes, MySQLRootPassword and "
            "MySQLUserPassword."
        )
    for name, password in found.items():
        letters = {letter for letter in password if letter.isascii()}
        kinds = (letters & _SIGNS, {one for one in letters if one.isdigit()}, {one for one in letters if one.isalpha()})
        if not 8 <= len(password) <= 16 or not all(kinds) or _FORBIDDEN & set(password):
            raise BadArgumentError(f"/MySQLCredsFilePath: {name} does not meet the requirements of a MySQL password.")


def read_proxy(host: Host, data: bytes) -> WebProxy:
    """Return the proxy that the file of its settings names. Raises BadArgumentError, also when it does not answer."""
    rows = _rows(data)
    key = _ADDRESS_KEYS[host.condition.proxy_file_form]
    found = {match[1]: match[2] for row in rows[1:] if (match := _PROXY_ROW.fullmatch(row))}
    wanted = found.get("ProxyAuthentication", "").lower()
    if rows[:1] != ["[ProxySettings]"] or set(found) != {*_PROXY_KEYS, key} or wanted not in ("yes", "no"):
        raise BadArgumentError(
            f"/ProxySettingsFilePath: the file must hold [ProxySettings], ProxyAuthentication (Yes or No), {key}, "
            "ProxyPort, ProxyUserName and ProxyPassword in quotes."
        )
    address, port = found[key], found["ProxyPort"]
    if (key == "ProxyIP") != address.startswith("http://"):
        raise BadArgumentError(f"/ProxySettingsFilePath: the file holds {key} in a form that is not valid: {address}.")
    if wanted == "yes" and not (found["ProxyUserName"] and found["ProxyPassword"]):
        raise BadArgumentError("/ProxySettingsFilePath: ProxyAuthentication is Yes, but user or password is empty.")
    plain = address.removeprefix("http://")
    with host.lock.paused():
        answers = port.isdigit() and host.uplink.connects(host.spec.address, plain, int(port))
    if not answers:
        raise BadArgumentError(f"/ProxySettingsFilePath: the proxy {plain}:{port} was not reached.")
    login = Credential(found["ProxyUserName"], found["ProxyPassword"]) if wanted == "yes" else None
    return WebProxy(f"http://{plain}:{port}", login)


def _rows(data: bytes) -> list[str]:
    text = data.decode("utf-8-sig", errors="replace")
    return [row.strip() for row in text.splitlines() if row.strip()]
