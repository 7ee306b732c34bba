"""``make demo``: the whole product on this machine, with real orders, until Ctrl-C.

Starts Postgres and Valkey, migrates, starts the worker, brings in the sample, has it scored, starts
web and beat, and prints where to look. With ``EMPTY=1`` nothing is brought in: the dashboard offers
an own file and a simulated shop. Children are watched, and stopped by process id.
"""

import ctypes
import fcntl
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from deploy.local.embedded import ROOT, Embedded
from deploy.local.places import EmbeddedError

VAR = ROOT / "var"
LOGS = VAR / "log"
PYTHON = sys.executable
STOP_SECONDS = 20.0
FIRST = "the dashboard's list “Customers at risk”, then a customer, then a score."
FIRST_EMPTY = "“Shop settings” for currency and time zone, then the dashboard's “Use my own file”."
PR_SET_PDEATHSIG = 1


class DemoError(RuntimeError):
    """A step failed; the message says which, and where its words are."""


@dataclass
class Child:
    """A process of the demo: web, worker or beat."""

    name: str
    command: list[str]
    environment: dict[str, str]
    is_vital: bool = False
    process: subprocess.Popen[bytes] | None = None
    failures: int = 0
    retry_at: float = field(default=0.0)

    @property
    def log(self) -> Path:
        return LOGS / f"{self.name}.log"

    def start(self) -> None:
        """Start it, its words going to its log; it dies with us."""
        with open(self.log, "ab") as words:
            self.process = subprocess.Popen(
                self.command,
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=words,
                stderr=words,
                start_new_session=True,
                preexec_fn=_die_with_parent,  # noqa: PLW1509 - this process has one thread
            )

    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def ask_to_stop(self) -> None:
        if self.process is not None and self.is_running():
            self.process.terminate()

    def wait(self, seconds: float) -> None:
        """Wait for the end; a child that does not listen is killed with its whole group."""
        if self.process is None:
            return
        try:
            self.process.wait(timeout=max(0.1, seconds))
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def last_words(self, lines: int = 12) -> str:
        text = self.log.read_text(errors="replace").splitlines()[-lines:]
        return "\n".join(f"    {line}" for line in text)


def _die_with_parent() -> None:
    ctypes.CDLL("libc.so.6", use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


@contextmanager
def only_one() -> Iterator[None]:
    """Hold the folder for this demo: the first to end would stop the servers of the other."""
    with open(VAR / "demo.lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DemoError(
                "The demo of this folder runs already, in another window. "
                "Use that one, or stop it there with Ctrl-C."
            ) from None
        yield


@contextmanager
def step(words: str) -> Iterator[None]:
    """Say what is being done and how long it took."""
    print(f"  {words} … ", end="", flush=True)
    began = time.monotonic()
    try:
        yield
    except BaseException:
        print("stopped.", flush=True)
        raise
    print(f"{time.monotonic() - began:.1f} s", flush=True)


def secret(name: str, length: int) -> str:
    """Return a random secret that is made once and kept in var/, readable by its owner only."""
    path = VAR / name
    if not path.exists():
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_urlsafe(length))
    return path.read_text().strip()


def free_port() -> int:
    """Return PORT, or the first free port from 8000 on."""
    wanted = os.environ.get("PORT")
    for port in [int(wanted)] if wanted else range(8000, 8100):
        with socket.socket() as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                tried.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise DemoError(f"Port {wanted or '8000–8099'} is taken. Choose another: PORT=8200 make demo")


def environment(addresses: dict[str, str], port: int) -> dict[str, str]:
    """Return the environment of every Huike process of the demo."""
    return {
        **os.environ,
        **addresses,
        "DJANGO_SETTINGS_MODULE": "crm.settings",
        "SECRET_KEY": secret("secret_key", 50),
        "DEBUG": "0",
        "HUIKE_DEMO": "1",
        "SECURE_COOKIES": "0",
        "ALLOWED_HOSTS": "127.0.0.1,localhost",
        "CSRF_TRUSTED_ORIGINS": f"http://127.0.0.1:{port},http://localhost:{port}",
        "MEDIA_ROOT": str(VAR / "media"),
        "STATIC_ROOT": str(VAR / "static"),
        "IMPORT_FOLDERS": str(VAR / "inbox"),
        "LOG_FORMAT": "console",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "PYTHONUNBUFFERED": "1",
    }


def manage(arguments: list[str], env: dict[str, str], *, show: bool = False) -> None:
    """Run a management command; raises DemoError with its last words when it fails."""
    log = LOGS / f"{arguments[0]}.log"
    command = [PYTHON, "manage.py", *arguments]
    if show:
        code = subprocess.run(command, cwd=ROOT, env=env, check=False).returncode
    else:
        with open(log, "wb") as words:
            code = subprocess.run(
                command, cwd=ROOT, env=env, check=False, stdout=words, stderr=words
            ).returncode
    if code:
        tail = "" if show else "\n" + log.read_text(errors="replace")[-2000:]
        raise DemoError(f"manage.py {arguments[0]} failed (exit code {code}).{tail}")


def create_login(env: dict[str, str], password: str) -> None:
    """Create the staff login once; a password changed by hand stays changed."""
    code = (
        "from django.contrib.auth import get_user_model as m; U = m(); "
        "U.objects.filter(username='admin').exists() or "
        "U.objects.create_superuser('admin', 'admin@example.com', "
        "__import__('os').environ['HUIKE_ADMIN_PASSWORD'])"
    )
    manage(["shell", "-c", code], {**env, "HUIKE_ADMIN_PASSWORD": password})


def children(env: dict[str, str], port: int) -> list[Child]:
    """Describe the three processes."""
    celery = [PYTHON, "-m", "celery", "-A", "crm"]
    gunicorn = [
        PYTHON, "-m", "gunicorn", "crm.wsgi", "--bind", f"127.0.0.1:{port}", "--workers", "2",
        "--threads", "4", "--timeout", "60", "--no-control-socket",
    ]  # fmt: skip
    return [
        Child(
            "worker",
            [*celery, "worker", "-c", "2", "--prefetch-multiplier", "1", "-l", "info"],
            env,
        ),
        Child("beat", [*celery, "beat", "-s", str(VAR / "celerybeat-schedule"), "-l", "info"], env),
        Child("web", gunicorn, env, is_vital=True),
    ]


def wait_until_ready(port: int, web: Child) -> None:
    """Wait until /readyz answers 200."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if not web.is_running():
            raise DemoError(f"The web server ended. Its last words:\n{web.last_words()}")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=3) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise DemoError(f"The web server does not get ready. Its last words:\n{web.last_words()}")


def watch(running: list[Child]) -> None:
    """Restart worker and beat when they die; raise DemoError when the web server does."""
    while True:
        time.sleep(0.5)
        for child in running:
            if child.is_running():
                continue
            now = time.monotonic()
            if child.retry_at == 0.0:
                child.failures += 1
                child.retry_at = now + min(60.0, 2.0**child.failures)
                print(f"  {child.name} ended. Its last words:\n{child.last_words()}", flush=True)
                if child.is_vital:
                    raise DemoError("Without the web server there is nothing to see.")
            elif now >= child.retry_at:
                child.retry_at = 0.0
                print(f"  Starting {child.name} again.", flush=True)
                child.start()


def stop_all(running: list[Child], servers: Embedded) -> None:
    """Stop everything by process id; a second Ctrl-C does not cut this short."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    print()
    with step("Stopping web, worker and beat"):
        for child in reversed(running):
            child.ask_to_stop()
        deadline = time.monotonic() + STOP_SECONDS
        for child in reversed(running):
            child.wait(deadline - time.monotonic())
    with step("Stopping Valkey and Postgres"):
        servers.stop()
    print("  Everything is stopped; the data stays in var/.", flush=True)


def serve(servers: Embedded, running: list[Child]) -> None:
    """Bring everything up, then watch it."""
    with step("Starting Postgres and Valkey"):
        addresses = servers.start()
    if servers.folder.parent != VAR.resolve():
        print(f"  (their files are in {servers.folder}, because this folder is private)")
    port = free_port()
    env = environment(addresses.environment(), port)
    with step("Preparing the database"):
        manage(["migrate", "--no-input", "-v", "0"], env)
    with step("Collecting static files"):
        manage(["collectstatic", "--no-input", "-v", "0"], env)
    worker, beat, web = children(env, port)
    with step("Starting the worker"):
        worker.start()
        running.append(worker)
    if not os.environ.get("EMPTY"):
        manage(["load_demo"], env, show=True)
    password = secret("admin_password", 12)
    with step("Creating the staff login"):
        create_login(env, password)
    with step("Starting web and beat"):
        for child in (beat, web):
            child.start()
            running.append(child)
        wait_until_ready(port, web)
    print(
        f"""
  Huike is ready:  http://127.0.0.1:{port}/admin/
  Name: admin      Password: {password}

  Click first: {FIRST_EMPTY if os.environ.get("EMPTY") else FIRST}
  REST: http://127.0.0.1:{port}/api/docs/     Logs: var/log/     Ctrl-C stops everything.
""",
        flush=True,
    )
    watch(running)


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


def main() -> int:
    """Run the demo until it is stopped; return the exit code."""
    signal.signal(signal.SIGTERM, _interrupt)
    signal.signal(signal.SIGINT, _interrupt)
    LOGS.mkdir(parents=True, exist_ok=True)
    (VAR / "inbox").mkdir(exist_ok=True)
    words = "an empty shop" if os.environ.get("EMPTY") else "with the orders of a real shop"
    print(f"Huike 回客, {words}:", flush=True)
    try:
        with only_one():
            return _run()
    except DemoError as error:
        print(f"\n{error}", file=sys.stderr, flush=True)
        return 1


def _run() -> int:
    servers = Embedded(VAR)
    running: list[Child] = []
    code = 0
    try:
        serve(servers, running)
    except KeyboardInterrupt:
        pass
    except (DemoError, EmbeddedError) as error:
        print(f"\n{error}", file=sys.stderr, flush=True)
        code = 1
    finally:
        stop_all(running, servers)
    return code


if __name__ == "__main__":
    sys.exit(main())
