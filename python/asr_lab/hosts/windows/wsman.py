"""WS-Management for remote shells (WinRS): SOAP envelopes in, SOAP envelopes out; no sockets here.

The life of one command is Create (shell), Command, Send (standard input, in pieces), Receive (output and exit code),
Signal, Delete. A command starts when its standard input has ended; Receive before that is answered by the time-out
fault, which clients repeat.
"""

import base64
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol
from xml.etree.ElementTree import Element
from xml.sax.saxutils import escape

from defusedxml.ElementTree import fromstring

from asr_lab.hosts.windows.result import Result

SOAP = "http://www.w3.org/2003/05/soap-envelope"
ADDRESSING = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
WSMAN = "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"
SHELL = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell"
TRANSFER = "http://schemas.xmlsoap.org/ws/2004/09/transfer"
FAULT = "http://schemas.dmtf.org/wbem/wsman/1/wsman/fault"
CMD_SHELL = f"{SHELL}/cmd"
CHUNK = 262144
"""Bytes of output in one element of an answer."""

TIMED_OUT = 2150858793
INVALID_SHELL = 2150858843
INVALID_ACTION = 2150858778
INVALID_RESOURCE = 2150858752


class Runner(Protocol):
    """Runs one command line with its standard input on a host."""

    def __call__(self, line: str, stdin: bytes) -> Result:
        """Return what the command gives back."""


@dataclass
class _Command:
    line: str
    awaits_input: bool
    stdin: list[bytes] = field(default_factory=list)


@dataclass
class _Call:
    """One request, taken apart."""

    action: str
    message: str
    selector: str
    resource: str
    header: Element
    body: Element

    @property
    def verb(self) -> str:
        return self.action.rsplit("/", 1)[-1]


class Shells:
    """The remote shells that are open on one host."""

    def __init__(self, run: Runner) -> None:
        self._run = run
        self._open: dict[str, dict[str, _Command]] = {}

    def answer(self, envelope: bytes) -> tuple[int, bytes]:
        """Return HTTP status and answer for one request. Raises ValueError when it is no SOAP envelope."""
        call = _parse(envelope)
        if call.verb == "Create":
            return self._create(call)
        commands = self._open.get(call.selector)
        if commands is None:
            return _fault(call, INVALID_SHELL, "The request contained an invalid shell identifier.")
        if call.verb == "Command":
            return self._command(call, commands)
        if call.verb == "Send":
            return self._send(call, commands)
        if call.verb == "Receive":
            return self._receive(call, commands)
        if call.verb == "Signal":
            commands.pop(_attribute(call.body, "Signal", "CommandId"), None)
            return _done(call, "<rsp:SignalResponse/>")
        if call.verb == "Delete":
            del self._open[call.selector]
            return _done(call, "")
        return _fault(call, INVALID_ACTION, f"The action {call.action} is not supported by the service.")

    def _create(self, call: _Call) -> tuple[int, bytes]:
        if call.resource != CMD_SHELL:
            return _fault(call, INVALID_RESOURCE, f"The lab's hosts open {CMD_SHELL} only, not {call.resource}.")
        shell = str(uuid.uuid4()).upper()
        self._open[shell] = {}
        return _done(
            call,
            f"<x:ResourceCreated><a:Address>http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous</a:Address>"
            f"<a:ReferenceParameters><w:ResourceURI>{escape(call.resource)}</w:ResourceURI><w:SelectorSet>"
            f'<w:Selector Name="ShellId">{shell}</w:Selector></w:SelectorSet>'
            "</a:ReferenceParameters></x:ResourceCreated>",
        )

    def _command(self, call: _Call, commands: dict[str, _Command]) -> tuple[int, bytes]:
        name = str(uuid.uuid4()).upper()
        words = [call.body.findtext(f".//{{{SHELL}}}Command") or ""]
        words += [element.text or "" for element in call.body.iter(f"{{{SHELL}}}Arguments")]
        console = [
            (option.text or "").upper()
            for option in call.header.iter(f"{{{WSMAN}}}Option")
            if option.get("Name") == "WINRS_CONSOLEMODE_STDIN"
        ]
        commands[name] = _Command(" ".join(words), awaits_input="FALSE" in console)
        return _done(call, f"<rsp:CommandResponse><rsp:CommandId>{name}</rsp:CommandId></rsp:CommandResponse>")

    def _send(self, call: _Call, commands: dict[str, _Command]) -> tuple[int, bytes]:
        stream = call.body.find(f".//{{{SHELL}}}Stream")
        command = commands.get(stream.get("CommandId", "")) if stream is not None else None
        if stream is None or command is None:
            return _fault(call, INVALID_SHELL, "The request contained an invalid command identifier.")
        command.stdin.append(base64.b64decode(stream.text or ""))
        if stream.get("End", "").lower() == "true":
            command.awaits_input = False
        return _done(call, "<rsp:SendResponse/>")

    def _receive(self, call: _Call, commands: dict[str, _Command]) -> tuple[int, bytes]:
        name = _attribute(call.body, "DesiredStream", "CommandId")
        command = commands.get(name)
        if command is None:
            return _fault(call, INVALID_SHELL, "The request contained an invalid command identifier.")
        if command.awaits_input:
            return _fault(
                call, TIMED_OUT, "The WS-Management service cannot complete the operation within OperationTimeout."
            )
        result = self._run(command.line, b"".join(command.stdin))
        streams = "".join(
            f'<rsp:Stream Name="{stream}" CommandId="{name}">{chunk}</rsp:Stream>'
            for stream, text in (("stdout", result.out), ("stderr", result.err))
            for chunk in _chunks(text.encode())
        )
        return _done(
            call,
            f'<rsp:ReceiveResponse>{streams}<rsp:CommandState CommandId="{name}" State="{SHELL}/CommandState/Done">'
            f"<rsp:ExitCode>{result.code}</rsp:ExitCode></rsp:CommandState></rsp:ReceiveResponse>",
        )


def _chunks(data: bytes) -> Iterator[str]:
    for at in range(0, len(data), CHUNK):
        yield base64.b64encode(data[at : at + CHUNK]).decode()


def _parse(envelope: bytes) -> _Call:
    root = fromstring(envelope)
    header, body = root.find(f"{{{SOAP}}}Header"), root.find(f"{{{SOAP}}}Body")
    if header is None or body is None:
        raise ValueError("the request is no SOAP envelope with header and body")
    return _Call(
        action=header.findtext(f"{{{ADDRESSING}}}Action") or "",
        message=header.findtext(f"{{{ADDRESSING}}}MessageID") or "",
        selector=header.findtext(f".//{{{WSMAN}}}Selector") or "",
        resource=header.findtext(f"{{{WSMAN}}}ResourceURI") or "",
        header=header,
        body=body,
    )


def _attribute(body: Element, element: str, name: str) -> str:
    found = body.find(f".//{{{SHELL}}}{element}")
    return found.get(name, "") if found is not None else ""


def _envelope(action: str, relates: str, body: str) -> bytes:
    return (
        f'<s:Envelope xml:lang="en-US" xmlns:s="{SOAP}" xmlns:a="{ADDRESSING}" xmlns:w="{WSMAN}" xmlns:rsp="{SHELL}" '
        f'xmlns:x="{TRANSFER}"><s:Header><a:Action>{escape(action)}</a:Action><a:MessageID>uuid:{uuid.uuid4()}</a:MessageID>'
        f"<a:RelatesTo>{escape(relates)}</a:RelatesTo></s:Header><s:Body>{body}</s:Body></s:Envelope>"
    ).encode()


def _done(call: _Call, body: str) -> tuple[int, bytes]:
    return 200, _envelope(call.action + "Response", call.message, body)


def _fault(call: _Call, code: int, text: str) -> tuple[int, bytes]:
    subcode = "w:TimedOut" if code == TIMED_OUT else "w:InvalidSelectors"
    body = (
        f"<s:Fault><s:Code><s:Value>s:Receiver</s:Value><s:Subcode><s:Value>{subcode}</s:Value></s:Subcode></s:Code>"
        f'<s:Reason><s:Text xml:lang="en-US">{escape(text)}</s:Text></s:Reason><s:Detail><f:WSManFault '
        f'xmlns:f="http://schemas.microsoft.com/wbem/wsman/1/wsmanfault" Code="{code}">'
        f"<f:Message>{escape(text)}</f:Message></f:WSManFault></s:Detail></s:Fault>"
    )
    return 500, _envelope(FAULT, call.message, body)
