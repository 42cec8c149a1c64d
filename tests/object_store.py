"""An S3-compatible server on loopback (moto), which can be made to fail or to refuse."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any

from moto.server import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

BUCKET = "lab"
SECRET = "not-to-be-seen-anywhere"


class ObjectStore:
    """A server with one bucket; `answer` may give a status (503, 403) instead of serving a request."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str]] = []
        self.answer: Callable[[str, str], int | None] = lambda method, path: None
        self._app = DomainDispatcherApplication(create_backend_app)
        self.server = make_server(
            "127.0.0.1", 0, self._serve, threaded=True, request_handler=MotoRequestHandler
        )

    def _serve(self, environ: dict[str, Any], start_response: Callable) -> Iterable[bytes]:
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        self.requests.append((method, path))
        status = self.answer(method, path)
        if status is None:
            return self._app(environ, start_response)
        environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        code = {403: "AccessDenied", 503: "SlowDown"}[status]
        start_response(f"{status} refused", [("Content-Type", "application/xml")])
        return [f"<Error><Code>{code}</Code><Message>as told</Message></Error>".encode()]

    @property
    def environment(self) -> dict[str, str]:
        """Credentials and address, as a user's shell would hold them."""
        host, port = self.server.server_address[:2]
        return {
            "AWS_ENDPOINT_URL": f"http://{host}:{port}",
            "AWS_ACCESS_KEY_ID": "tester",
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_DEFAULT_REGION": "us-east-1",
        }


@contextmanager
def object_store() -> Iterator[ObjectStore]:
    """A running server with an empty bucket `lab`."""
    store = ObjectStore()
    thread = Thread(target=store.server.serve_forever, daemon=True)
    thread.start()
    try:
        import boto3

        boto3.client(
            "s3",
            endpoint_url=store.environment["AWS_ENDPOINT_URL"],
            aws_access_key_id="tester",
            aws_secret_access_key=SECRET,
            region_name="us-east-1",
        ).create_bucket(Bucket=BUCKET)
        yield store
    finally:
        store.server.shutdown()
        thread.join()
