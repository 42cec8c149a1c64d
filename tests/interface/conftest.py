import pytest

from tests.interface.examples import demo_folder


@pytest.fixture(scope="session")
def demo(tmp_path_factory):
    """A folder like raysed's own after a demo; nothing may be written into it."""
    return demo_folder(tmp_path_factory.mktemp("demo"))
