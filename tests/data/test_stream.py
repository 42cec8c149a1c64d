"""Recordings behind URLs: what can be read there is read as a file is, and what breaks is named."""

import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import fsspec
import numpy as np
import pytest
import soundfile

from raysed.data.stream import Heard, blocks
from raysed.predict.detector import load_detector
from raysed.predict.recordings import predict
from raysed.predict.sources import find_sources
from tests.predict.small import RATE_HZ, bursts, checkpoint, write


def heard_at(url):
    heard = Heard()
    return np.concatenate(list(blocks(url, RATE_HZ, heard))), heard


def test_a_wav_that_was_cut_short_is_refused(tmp_path):
    write(tmp_path / "a.wav", bursts(10.0))
    whole = (tmp_path / "a.wav").read_bytes()
    (tmp_path / "a.wav").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match=r"ends after \d+ samples, its header says"):
        heard_at(str(tmp_path / "a.wav"))


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    """More than fsspec fetches at once (5 MiB), so that an HTTP server is asked for ranges."""
    path = tmp_path_factory.mktemp("recording") / "long.wav"
    wave = np.tile(bursts(10.0), (2, 21)).T
    soundfile.write(path, wave, RATE_HZ, subtype="FLOAT")
    assert path.stat().st_size > 2.5 * 5 * 2**20
    return path


class _Plain(BaseHTTPRequestHandler):
    """A server that knows no ranges; `/short` breaks off, `/unknown` does not say how long it is."""

    content = b""

    def do_HEAD(self):
        self._reply(b"")

    def do_GET(self):
        self._reply(self.content[: 10**6] if "/short" in self.path else self.content)

    def _reply(self, body):
        if not self.path.endswith(".wav"):
            self.send_error(404)
            return
        self.send_response(200)
        if "/unknown" not in self.path:
            self.send_header("Content-Length", str(len(self.content)))
        self.end_headers()
        try:
            self.wfile.write(body)
        except OSError:  # fsspec hangs up where it gets more than the range it asked for
            self.close_connection = True

    def log_message(self, format, *args):
        pass


@pytest.fixture
def server(recording, monkeypatch):
    monkeypatch.setattr(_Plain, "content", recording.read_bytes())
    with ThreadingHTTPServer(("127.0.0.1", 0), _Plain) as serving:
        thread = threading.Thread(target=serving.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{serving.server_address[1]}"
        serving.shutdown()
        thread.join()


@pytest.mark.parametrize("folder", ["known", "unknown"])
def test_a_server_that_knows_no_ranges(server, recording, folder):
    (source,) = find_sources([f"{server}/{folder}/a.wav"]).sources
    assert source.name == "a.wav"
    found_T, heard = heard_at(source.url)
    expected_T, expected = heard_at(str(recording))
    np.testing.assert_array_equal(found_T, expected_T)
    assert heard == expected and heard.duration_s == 210.0


def test_a_server_that_breaks_off_stops_nothing_else(server, tmp_path):
    checkpoint(tmp_path)
    detector = load_detector(str(tmp_path / "best-dry.pt"), device="cpu")
    write(tmp_path / "good.wav", bursts(1.0))
    arguments = [f"{server}/short/a.wav", str(tmp_path / "good.wav")]
    broken, good = predict(detector, find_sources(arguments).sources)
    assert broken.scores is None and "cannot be read as audio" in broken.reason
    assert good.scores is not None


def test_absent_behind_a_server(server):
    with pytest.raises(ValueError, match=r"b\.flac: no such file or folder"):
        find_sources([f"{server}/b.flac"])


def archive(path):
    write(path.parent / "0.flac", bursts(1.0))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name in ("0.flac", "below/1.flac"):
            file.write(path.parent / "0.flac", name)
        file.writestr("notes.txt", "no audio")
    return path


def test_an_archive_is_a_folder(tmp_path):
    path = archive(tmp_path / "a.zip")
    fsspec.filesystem("memory").pipe("/stream/a.zip", path.read_bytes())
    expected_T, _ = heard_at(str(tmp_path / "0.flac"))
    for where in (str(path), "memory://stream/a.zip"):
        sources = find_sources([f"zip://::{where}"]).sources
        assert [source.name for source in sources] == ["0.flac", "below/1.flac"]
        for source in sources:
            np.testing.assert_array_equal(heard_at(source.url)[0], expected_T)
        (one,) = find_sources([f"zip://below/1.flac::{where}"]).sources
        assert one.name == "1.flac" and one.url == sources[1].url


def test_a_file_that_cannot_be_opened_says_why(tmp_path):
    (tmp_path / "link.wav").symlink_to(tmp_path / "gone.wav")
    (source,) = find_sources([str(tmp_path)]).sources
    with pytest.raises(ValueError, match=r"as audio \(No such file or directory\)"):
        heard_at(source.url)
