"""Real servers on this machine: one that speaks TLS, and one that speaks SFTP."""

import datetime
import http.server
import ipaddress
import os
import socket
import ssl
import threading
import time
from contextlib import suppress

import paramiko
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

NAME = "files.example.test"


def certificates(folder, names=("localhost",), addresses=("127.0.0.1",)):
    """Write an authority and a server certificate by it; return the two files."""
    authority_key, key = (
        ec.generate_private_key(ec.SECP256R1()),
        ec.generate_private_key(ec.SECP256R1()),
    )
    authority = _sign("Test authority", authority_key, "Test authority", authority_key, None)
    alternatives = [
        *(x509.DNSName(name) for name in names),
        *(x509.IPAddress(ipaddress.ip_address(one)) for one in addresses),
    ]
    server = _sign("Test server", key, "Test authority", authority_key, alternatives)
    trusted, chain = folder / "authority.pem", folder / "server.pem"
    trusted.write_bytes(authority.public_bytes(serialization.Encoding.PEM))
    chain.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + server.public_bytes(serialization.Encoding.PEM)
    )
    return trusted, chain


def _sign(subject, key, issuer, issuer_key, alternatives):
    def name(text):
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

    now = datetime.datetime.now(datetime.UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name(subject))
        .issuer_name(name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(alternatives is None, None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()),
            critical=False,
        )
    )
    if alternatives is not None:
        built = built.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
    return built.sign(issuer_key, hashes.SHA256())


class FileServer:
    """An https server of one file; tests set what it answers and read what it was asked."""

    def __init__(self, chain):
        self.body, self.status, self.headers, self.etag = b"", 200, {}, ""
        self.trickle = 0.0
        self.cut = False
        self.asked = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                outer.asked.append((self.path, dict(self.headers)))
                if outer.etag and self.headers.get("If-None-Match") == outer.etag:
                    self.send_response(304)
                    self.end_headers()
                    return
                self.send_response(outer.status)
                length = len(outer.body) + (100 if outer.cut else 0)
                headers = {"Content-Length": str(length), **outer.headers}
                if outer.etag:
                    headers["ETag"] = outer.etag
                for name, value in headers.items():
                    if value is not None:
                        self.send_header(name, value)
                self.end_headers()
                self.close_connection = True
                for start in range(0, len(outer.body), 65536 if not outer.trickle else 1):
                    piece = outer.body[start : start + (65536 if not outer.trickle else 1)]
                    try:
                        self.wfile.write(piece)
                    except OSError:
                        return
                    time.sleep(outer.trickle)

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *args: None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chain)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def address(self, path="/orders.csv?sig=SECRET", host="localhost"):
        return f"https://{host}:{self.port}{path}"

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class SftpServer:
    """An SFTP server over one folder, with a password and a key that open it."""

    def __init__(self, root, *, password="open sesame", authorized=None, host_key=None):
        self.root, self.password, self.authorized = root, password, authorized
        self.host_keys = [host_key or paramiko.RSAKey.generate(2048)]
        self.tried = []
        self.pause = 0.0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.transports = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                connection, _address = self.listener.accept()
            except OSError:
                return
            transport = paramiko.Transport(connection)
            for key in self.host_keys:
                transport.add_server_key(key)
            transport.set_subsystem_handler("sftp", paramiko.SFTPServer, _Files, self)
            self.transports.append(transport)
            try:
                transport.start_server(server=_Gate(self))
            except (paramiko.SSHException, EOFError, OSError):
                continue

    def stop(self):
        # Who waits in accept() holds a listener that is only closed.
        with suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for transport in self.transports:
            transport.close()


class _Gate(paramiko.ServerInterface):
    def __init__(self, server):
        self.server = server

    def get_allowed_auths(self, username):
        return "password,publickey"

    def check_auth_password(self, username, password):
        self.server.tried.append((username, password))
        is_good = (username, password) == ("shop", self.server.password)
        return paramiko.AUTH_SUCCESSFUL if is_good else paramiko.AUTH_FAILED

    def check_auth_publickey(self, username, key):
        self.server.tried.append((username, key.get_name()))
        is_good = username == "shop" and key == self.server.authorized
        return paramiko.AUTH_SUCCESSFUL if is_good else paramiko.AUTH_FAILED

    def check_channel_request(self, kind, chanid):
        return paramiko.OPEN_SUCCEEDED


class _Files(paramiko.SFTPServerInterface):
    def __init__(self, server, outer, *args, **kwargs):
        self.outer = outer

    def _path(self, path):
        return os.path.join(self.outer.root, self.canonicalize(path).lstrip("/"))

    def list_folder(self, path):
        try:
            real = self._path(path)
            found = []
            for name in os.listdir(real):
                about = paramiko.SFTPAttributes.from_stat(os.lstat(os.path.join(real, name)))
                about.filename = name
                found.append(about)
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno)
        return found

    def stat(self, path):
        try:
            return paramiko.SFTPAttributes.from_stat(os.stat(self._path(path)))
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno)

    lstat = stat

    def open(self, path, flags, attributes):
        time.sleep(self.outer.pause)
        try:
            file = open(self._path(path), "rb")  # noqa: SIM115 - the handle closes it
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno)
        handle = _Handle(flags)
        handle.filename, handle.readfile = path, file
        return handle


class _Handle(paramiko.SFTPHandle):
    def stat(self):
        return paramiko.SFTPAttributes.from_stat(os.fstat(self.readfile.fileno()))
