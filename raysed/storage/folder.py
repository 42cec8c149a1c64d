"""A folder on any file system of pyarrow or fsspec; `write` says where a reader may see half a file."""

import errno
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from urllib.parse import urlsplit

import fsspec
import pyarrow as pa
from pyarrow import fs as pafs

from raysed.storage.url import escaped, login_of, masked
from raysed.storage.whole_file import remove_unfinished, whole_file

_DENIED = (
    *("ACCESS_DENIED", "PERMISSION_DENIED", "EXPIRED_TOKEN", "INVALID_ACCESS_KEY_ID"),
    *("SIGNATURE_DOES_NOT_MATCH", "NO_SUCH_BUCKET"),
)
"""Words that Arrow's S3 and Google file systems have in the errors that only the user can settle."""


_OF_ARROW = ("s3", "gs", "gcs", "hdfs", "viewfs", "abfs", "abfss")
"""The schemes of Arrow's own file systems, whose URLs it parses itself."""


class ReadDeniedError(ValueError):
    """A storage does not let us read. The user must settle this; another try would not help."""


@dataclass(frozen=True)
class Folder:
    """A folder by URL or local path; nothing is created before the first write.

    Its URL is written into plans, manifests and messages, so one that holds a password or options (`?...`) is
    refused with a ValueError that shows neither.
    """

    url: str

    def __post_init__(self) -> None:
        scheme = _scheme(self.url)
        if scheme == "memory":
            raise ValueError(
                f"{self.url}: memory:// is gone with its process; give a folder or an object store"
            )
        _refuse_secrets(self.url)
        if scheme in ("", "file"):
            local = self.url if scheme == "" else urlsplit(self.url).path
            # Workers may have another working directory.
            object.__setattr__(self, "url", str(Path(local).expanduser().resolve()))

    @property
    def is_local(self) -> bool:
        """Tell whether the operating system sees it as a folder."""
        return _scheme(self.url) == ""

    def child(self, name: str) -> "Folder":
        """Return the folder `name` in this one."""
        return Folder(f"{self.url.rstrip('/')}/{name}")

    def read(self, name: str) -> bytes | None:
        """Return the content of a file, or None where there is none. Raises ReadDeniedError."""
        try:
            if self.is_local:
                path = Path(self.url, name)
                return path.read_bytes() if path.is_file() else None
            file_system, root = self._remote
            with file_system.open_input_stream(f"{root}/{name}") as file:
                return file.read()
        except FileNotFoundError:
            return None
        except OSError as error:
            if not _is_denied(error):
                raise
            raise ReadDeniedError(
                f"{masked(self.url)}/{name}: reading is denied: check the permission to read it;"
                " of an object store also the permission to list and the credentials in the environment"
            ) from error

    def write(self, name: str, content: bytes) -> None:
        """Write a file; what a reader sees meanwhile depends on the file system.

        On a local or mounted one it is renamed into place, and an object store takes it at once: it is seen whole or
        not at all. On others (SFTP, SMB, HDFS, ...) a reader may see the half that is written by then, and a killed
        writer leaves it. A half shard has another hash than the manifest's, a half JSON is none: both are refused.
        Raises PermissionError for a denied access.
        """
        if self.is_local:
            write_atomically(Path(self.url, name), content)
            return
        try:
            self._put(name, content)
        except OSError as error:
            if not _is_denied(error):
                raise
            advice = "writing is denied: check the permission to write and the credentials in the environment"
            shown = f"{masked(self.url)}/{name}"
            raise PermissionError(errno.EACCES, f"{advice} ({error})", shown) from error

    def _put(self, name: str, content: bytes) -> None:
        file_system, root = self._remote
        path = f"{root}/{name}"
        try:
            file = file_system.open_output_stream(path)
        except FileNotFoundError:
            # Object stores have no folders; other remote file systems do.
            file_system.create_dir(path.rpartition("/")[0], recursive=True)
            file = file_system.open_output_stream(path)
        with file:
            file.write(content)

    def remove_unfinished(self) -> None:
        """Remove unfinished files that killed writers left here; object stores drop them by themselves."""
        if self.is_local:
            remove_unfinished(Path(self.url))

    @cached_property
    def _remote(self) -> tuple[pafs.FileSystem, str]:
        try:
            return pafs.FileSystem.from_uri(escaped(self.url))
        except pa.ArrowInvalid as error:
            if _scheme(self.url) in _OF_ARROW:
                raise ValueError(
                    f"{masked(self.url)}: is no URL (in names write % as %25): {error}"
                ) from error
            file_system, root = fsspec.core.url_to_fs(self.url)
            return pafs.PyFileSystem(pafs.FSSpecHandler(file_system)), root


def write_atomically(path: Path, content: bytes) -> None:
    """Write a local file that readers see whole or not at all."""
    with whole_file(path) as file:
        file.write(content)


def _is_denied(error: OSError) -> bool:
    return isinstance(error, PermissionError) or any(word in str(error) for word in _DENIED)


def _scheme(url: str) -> str:
    return url.split("://", 1)[0] if "://" in url else ""


def _refuse_secrets(url: str) -> None:
    if "://" not in url:
        return
    # A user's name alone (sftp://me@host/) tells nobody a secret.
    login = any(":" in login_of(link) for link in url.split("::"))
    if login or "?" in url:
        raise ValueError(
            f"{masked(url)}: a {'password' if login else 'query'} in the URL of a folder would be written into its files"
            " and messages: give credentials and options in the environment (AWS_ACCESS_KEY_ID,"
            " AWS_SECRET_ACCESS_KEY, AWS_ENDPOINT_URL, AWS_DEFAULT_REGION)"
        )
