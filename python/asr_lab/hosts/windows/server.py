"""WinRM over HTTPS: one listener for each Windows host on its own loopback address, NTLM and Negotiate, as pywinrm
uses them.
"""

import base64
import binascii
import logging
import os
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

import spnego

from asr_lab.hosts.windows.result import Result
from asr_lab.hosts.windows.shell import run_line
from asr_lab.hosts.windows.state import Host
from asr_lab.hosts.windows.wsman import Shells

PORT = 5986
_log = logging.getLogger(__name__)


def write_users(path: Path, user: str, password: str) -> None:
    """Write the file (0600) from which pyspnego's acceptor reads who may log on, and name it in the environment.

    Raises ValueError for a password that the file's format (``DOMAIN:USER:PASSWORD``) cannot hold.
    """
    if ":" in password or "\n" in password or not password:
        raise ValueError("password: it is empty or holds a colon or a line's end; choose another for the Windows hosts")
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        stream.write(f":{user}:{password}\n")
    os.environ["NTLM_USER_FILE"] = str(path)


class HostServer(ThreadingHTTPServer):
    """The WinRM listener of one host; a thread for each connection."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, host: Host, address: str, tls: ssl.SSLContext) -> None:
        super().__init__((address, PORT), _Handler)
        self.host = host
        self.tls = tls
        self.shells = Shells(self._run)
        self.stopped = False
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Close the listener: clients are refused from now on, and open connections end with their next request."""
        self.stopped = True
        self.shutdown()
        self.server_close()
        self._thread.join()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log what a connection died of; a client that went away is no news."""
        _log.debug("%s: connection %r from %s ended", self.host.spec.name, request, client_address, exc_info=True)

    def _run(self, line: str, stdin: bytes) -> Result:
        with self.host.lock:
            try:
                return run_line(self.host, line, stdin)
            finally:
                self.host.save()


class _Handler(BaseHTTPRequestHandler):
    """One connection; NTLM authenticates connections, so what it knows lasts as long as one."""

    protocol_version = "HTTP/1.1"
    server_version = "Microsoft-HTTPAPI/2.0"
    sys_version = ""
    timeout = 300
    server: HostServer

    def setup(self) -> None:
        """Wrap the connection in TLS."""
        self.context: Any = None
        self.last: list[tuple[str, str]] = []
        self.request = self.server.tls.wrap_socket(self.request, server_side=True)
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().setup()

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Note a request when the log is verbose."""
        _log.debug("%s: %s %s", self.server.host.spec.name, code, size)

    def log_error(self, *args: Any) -> None:
        """Note what BaseHTTPRequestHandler complains about, such as a connection that timed out."""
        _log.debug(*args)

    def do_POST(self) -> None:
        """Answer one request."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.server.stopped or not self.server.host.answers():
            self._drop()
            return
        known = self._authenticated()
        if known is None:
            return
        if not known:
            self._reply(401, headers=[("WWW-Authenticate", "Negotiate"), ("WWW-Authenticate", "NTLM")])
            return
        if not body:
            self._reply(200)
            return
        try:
            status, answer = self.server.shells.answer(body)
        except (ParseError, ValueError, binascii.Error):
            _log.warning("%s: a request that is no WS-Management", self.server.host.spec.name, exc_info=True)
            self._reply(400)
            return
        self._reply(status, answer)

    def _authenticated(self) -> bool | None:
        """Return whether the client is known; None when the answer (a challenge) is already sent."""
        kind, _, token = (self.headers.get("Authorization") or "").partition(" ")
        if kind not in ("NTLM", "Negotiate") or not token:
            return self.context is not None and bool(self.context.complete)
        try:
            given = base64.b64decode(token, validate=True)
            if self.context is None or self.context.complete:
                # Raw NTLM may come under the name Negotiate, too.
                protocol = "ntlm" if given.startswith(b"NTLMSSP\0") else "negotiate"
                options = (
                    spnego.NegotiateOptions.use_ntlm if protocol == "ntlm" else spnego.NegotiateOptions.use_negotiate
                )
                self.context = spnego.server(protocol=protocol, options=options)
            answer = self.context.step(given)
        except (spnego.exceptions.SpnegoError, ValueError):
            self.context = None
            return False
        header = [("WWW-Authenticate", f"{kind} {base64.b64encode(answer).decode()}")] if answer else []
        if self.context.complete:
            self.last = header  # the last word of SPNEGO travels with the answer itself
            return True
        self._reply(401, headers=header)
        return None

    def _reply(self, status: int, body: bytes = b"", headers: list[tuple[str, str]] | None = None) -> None:
        self.send_response(status)
        for name, value in (*(headers or ()), *self.last):
            self.send_header(name, value)
        self.last = []
        if body:
            self.send_header("Content-Type", "application/soap+xml;charset=UTF-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _drop(self) -> None:
        """Break the connection as a machine does that was switched off."""
        self.close_connection = True
        self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def tls_of(host: Host, usual: ssl.SSLContext) -> ssl.SSLContext:
    """Return the TLS of a host's listener: with the certificate that it made itself, else the lab's."""
    if not host.listener_certificate.exists():
        return usual
    own = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    own.load_cert_chain(host.listener_certificate)
    return own


class Listeners:
    """Opens and closes the hosts' listeners as the machines are switched on and off; one thread watches over all."""

    WATCH_S = 0.2

    def __init__(self, address_of: Callable[[Host], str], tls: ssl.SSLContext) -> None:
        self._address_of = address_of
        self._tls = tls
        self._hosts: dict[str, Host] = {}
        self._open: dict[str, HostServer] = {}
        self._lock = threading.Lock()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def start(self) -> None:
        """Open the listeners of the machines that run and begin to watch."""
        self.look()
        self._thread.start()

    def stop(self) -> None:
        """Close every listener."""
        self._end.set()
        if self._thread.is_alive():
            self._thread.join()
        with self._lock:
            for server in self._open.values():
                server.stop()
            self._open.clear()

    def add(self, host: Host) -> None:
        """Take care of a host from now on."""
        with self._lock:
            self._hosts[host.spec.name] = host

    def look(self) -> None:
        """Open and close listeners so that they fit what runs now."""
        with self._lock:
            for name, host in self._hosts.items():
                wanted = host.answers() and host.winrm_listens
                if wanted and name not in self._open:
                    self._open[name] = HostServer(host, self._address_of(host), tls_of(host, self._tls))
                elif not wanted and name in self._open:
                    self._open.pop(name).stop()

    def _watch(self) -> None:
        while not self._end.wait(self.WATCH_S):
            try:
                self.look()
            except OSError:
                _log.exception("a WinRM listener could not be opened")
