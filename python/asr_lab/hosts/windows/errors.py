"""What goes wrong in a PowerShell session of a lab host."""


class PowerShellError(Exception):
    """A statement failed; the script goes on with the next one. ``kind`` is the error's id."""

    def __init__(self, message: str, kind: str) -> None:
        super().__init__(message)
        self.kind = kind
