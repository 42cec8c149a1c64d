import pytest

from raysed.data.encoders.torch_encoder import block_numbers


def test_blocks_are_numbered_from_one():
    assert block_numbers(None, 6) == (6,) and block_numbers((1, 3), 6) == (1, 3)
    for wrong in ((0,), (7,), ("last",)):
        with pytest.raises(ValueError, match="blocks 1 to 6"):
            block_numbers(wrong, 6)
