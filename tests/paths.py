"""Where tests find their data: golden values in the project, larger real data beside it (optional)."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
GOLDEN = ROOT / "tests" / "golden"
SHARED = ROOT.parent / "shared"
MINI_DESED = SHARED / "data" / "mini_desed"
