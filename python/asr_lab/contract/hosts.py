"""The machines of a recorded session, as far as Site Recovery sees them."""

from asr_lab.arm.estate import HostDescription, ListedHosts


class RecordedHosts(ListedHosts):
    """Machines that can all be prepared and reach their servers, except those whose address is in ``cut_off``."""

    def __init__(self) -> None:
        super().__init__()
        self.cut_off: set[str] = set()
        self._given = 0

    def free_address(self) -> str:
        """Return an address that no machine has yet."""
        self._given += 1
        return f"10.20.{self._given // 250}.{self._given % 250 + 1}"

    def add(self, host: HostDescription) -> None:
        """Put a machine at each of its addresses."""
        for address in host.addresses:
            self.hosts[address] = host

    def connects(self, source: str, target: str, port: int) -> bool:
        """Return whether the machine at ``source`` is not cut off."""
        return source not in self.cut_off and super().connects(source, target, port)
