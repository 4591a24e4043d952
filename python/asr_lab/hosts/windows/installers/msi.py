"""``msiexec``: the removal of installed products, by their product codes."""

from collections.abc import Callable

from asr_lab.hosts.windows.installers import mobility
from asr_lab.hosts.windows.installers.logs import Log
from asr_lab.hosts.windows.result import Result, ok
from asr_lab.hosts.windows.state import Host

UNKNOWN_PRODUCT, BAD_COMMAND_LINE = 1605, 1639
PRODUCTS: dict[str, Callable[[Host], None]] = {mobility.PRODUCT_CODE: mobility.remove}
"""What takes a product away, by product code; the product is known while its key below Uninstall is there."""

_UNINSTALL = "HKLM\\SOFTWARE\\{}Microsoft\\Windows\\CurrentVersion\\Uninstall\\{}"


def msiexec(host: Host, words: list[str]) -> Result:
    """``msiexec /qn /x {CODE} [/norestart] [/L*V FILE]``; a real one without /qn would open a window and wait."""
    rest, code, log, quiet = list(words), "", None, False
    while rest:
        word = rest.pop(0).lower()
        if word in ("/qn", "/quiet"):
            quiet = True
        elif word == "/x" and rest:
            code = rest.pop(0).upper()
        elif word.startswith("/l") and rest:
            log = Log(host, rest.pop(0))
        elif word != "/norestart":
            return Result(code=BAD_COMMAND_LINE)
    if not quiet or not code:
        return Result(code=BAD_COMMAND_LINE)
    known = any(host.registry.has(_UNINSTALL.format(part, code)) for part in ("Wow6432Node\\", ""))
    removed = known and code in PRODUCTS
    if removed:
        PRODUCTS[code](host)
        host.ask_for_restart()
    if log:
        log.write(f"MainEngineThread is returning {0 if removed else UNKNOWN_PRODUCT}")
    return ok() if removed else Result(code=UNKNOWN_PRODUCT)
