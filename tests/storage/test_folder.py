"""One folder interface over disks and object stores."""

import pytest

from raysed.storage.folder import Folder, ReadDeniedError
from tests.object_store import SECRET, object_store


@pytest.fixture(scope="module")
def store():
    with object_store() as running:
        yield running


@pytest.fixture
def remote(store, monkeypatch):
    for key, value in store.environment.items():
        monkeypatch.setenv(key, value)
    yield Folder("s3://lab/runs/a")
    store.answer = lambda method, path: None


@pytest.fixture(params=["local", "s3"])
def folder(request, tmp_path):
    if request.param == "local":
        return Folder(str(tmp_path / "runs" / "a"))
    return request.getfixturevalue("remote")


def test_what_is_not_there_is_none(folder):
    assert folder.read("nothing.json") is None
    assert folder.child("b").read("nothing.json") is None


def test_writes_are_read_back_and_replaced(folder):
    folder.write("trials/t-seed0/result.json", b"first")
    folder.write("trials/t-seed0/result.json", b"second, longer")
    assert folder.child("trials/t-seed0").read("result.json") == b"second, longer"
    big = bytes(range(256)) * 50_000  # more than one part of an upload
    folder.write("big", big)
    assert folder.read("big") == big


def test_a_store_that_asks_to_slow_down_is_asked_again(store, remote):
    refused = []

    def sometimes(method, path):
        if method == "PUT" and path.endswith("/x.json") and len(refused) < 2:
            refused.append(path)
            return 503
        return None

    store.answer = sometimes
    remote.write("x.json", b"whole")
    assert len(refused) == 2
    assert remote.read("x.json") == b"whole"


def test_a_refused_write_leaves_the_old_content_and_says_where(store, remote):
    remote.write("y.json", b"old")
    store.answer = lambda method, path: 403 if method in ("PUT", "POST") else None
    with pytest.raises(OSError, match=r"y\.json|lab") as refused:
        remote.write("y.json", b"new")
    assert SECRET not in str(refused.value)
    store.answer = lambda method, path: None
    assert remote.read("y.json") == b"old"


def test_a_denied_read_is_no_absence_and_names_the_file(store, remote):
    remote.write("z.json", b"there")
    store.answer = lambda method, path: 403
    with pytest.raises(ReadDeniedError) as denied:
        remote.read("z.json")
    assert str(denied.value).startswith("s3://lab/runs/a/z.json: reading is denied: check")
    assert "credentials in the environment" in str(denied.value)
    assert SECRET not in str(denied.value)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (f"s3://tester:{SECRET}@lab/runs", "s3://lab/runs: a password in the URL"),
        (f"s3://tester:a/{SECRET}@lab/runs", "s3://lab/runs: a password in the URL"),
        (f"https://host/run?key={SECRET}", "https://host/run?...: a query in the URL"),
        (f"zip://run::https://u:{SECRET}@h/a.zip", "zip://run::https://h/a.zip: a password"),
    ],
)
def test_a_url_that_holds_a_secret_is_refused_before_it_is_written_anywhere(url, shown):
    with pytest.raises(ValueError, match="in the environment") as refused:
        Folder(url)
    assert str(refused.value).startswith(shown) and SECRET not in str(refused.value)


def test_a_users_name_is_no_secret_and_a_path_no_url(tmp_path):
    assert Folder("sftp://me@host/run").url == "sftp://me@host/run"
    odd = tmp_path / "a:b@c?d"
    assert Folder(str(odd)).url == str(odd)


def test_a_local_file_that_must_not_be_read(tmp_path, monkeypatch):
    # Tests may run as root, whom no mode stops.
    def refuse(path):
        raise PermissionError(13, "Permission denied", str(path))

    Folder(str(tmp_path)).write("z.json", b"there")
    monkeypatch.setattr("pathlib.Path.read_bytes", refuse)
    with pytest.raises(ReadDeniedError, match=r"z\.json: reading is denied"):
        Folder(str(tmp_path)).read("z.json")


@pytest.mark.slow
def test_a_store_that_fails_to_read_is_no_denial(store, remote, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")  # nobody answers there
    with pytest.raises(OSError) as failed:
        Folder(remote.url).read("z.json")
    assert "NETWORK_CONNECTION" in str(failed.value)


def test_memory_is_refused():
    with pytest.raises(ValueError, match="gone with its process"):
        Folder("memory://x")


@pytest.mark.parametrize("url", ["s3://lab/30-%-errors/run", "gs://lab/a%b"])
def test_what_is_no_url_is_refused_with_what_to_write(url: str) -> None:
    with pytest.raises(ValueError, match=r"is no URL \(in names write % as %25\)"):
        Folder(url).read("status.json")


def test_a_store_that_denies_writing_is_told_with_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = Folder("s3://lab/run")
    for word in ("ACCESS_DENIED", "NO_SUCH_BUCKET", "EXPIRED_TOKEN"):

        def put(name: str, content: bytes, word: str = word) -> None:
            raise OSError(f"When uploading: AWS Error {word} during PutObject operation")

        monkeypatch.setitem(folder.__dict__, "_put", put)
        with pytest.raises(PermissionError, match=f"writing is denied: .*{word}") as told:
            folder.write("status.json", b"")
        assert told.value.filename == "s3://lab/run/status.json"


def test_a_store_that_is_slow_is_not_said_to_deny(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = Folder("s3://lab/run")

    def put(name: str, content: bytes) -> None:
        raise OSError("AWS Error SLOW_DOWN during PutObject operation")

    monkeypatch.setitem(folder.__dict__, "_put", put)
    with pytest.raises(OSError, match="SLOW_DOWN") as told:
        folder.write("status.json", b"")
    assert not isinstance(told.value, PermissionError)
