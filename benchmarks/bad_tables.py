"""Bad tables and settings as bytes, by the fault that each has."""

HEAD = b"filename\tonset\toffset\tevent_label\n"
GOOD_EVENTS = HEAD + b"a.wav\t0.5\t1.5\tDog\nb.wav\t\t\t\n"
GOOD_WEAK = b"filename\tevent_labels\ngood.wav\tDog\n"


def event_tables() -> dict[str, bytes]:
    """Return tables of events that cannot be scored, as ground truth or as predictions."""
    rows = {
        "order": b"a.wav\t1.5\t0.5\tDog\n",
        "text": b"a.wav\tone\ttwo\tDog\n",
        "infinite": b"a.wav\t0\tinf\tDog\n",
        "notanumber": b"a.wav\tnan\t1\tDog\n",
        "half": b"a.wav\t0.5\t\tDog\n",
        "nolabel": b"a.wav\t0.5\t1.5\t\n",
        "noname": b"\t0.5\t1.5\tDog\n",
        "blank": b"a.wav\t0.5\t1.5\tDog \n",
        "fields": b"a.wav\t0.5\t1.5\tDog\tagain\n",
    }
    found = {name: HEAD + row for name, row in rows.items()}
    found |= {
        "nothing": b"",
        "commas": GOOD_EVENTS.replace(b"\t", b","),
        "columns": b"file\tstart\tend\tlabel\na.wav\t0.5\t1.5\tDog\n",
        "twice": b"filename\tonset\tonset\tevent_label\na.wav\t0.5\t1.5\tDog\n",
        "utf16": GOOD_EVENTS.decode().encode("utf-16"),
        "binary": bytes(range(256)) * 4,
        "soft": HEAD[:-1] + b"\tconfidence\na.wav\t0.5\t1.5\tDog\t.05\n",
        "longfield": HEAD + b"a" * 200_000 + b"\t0.5\t1.5\tDog\n",
    }
    return found


def weak_tables() -> dict[str, bytes]:
    """Return annotations of recorded clips that cannot be used."""
    names = {
        "above": b"../good.wav",
        "absolute": b"/etc/good.wav",
        "backslash": b"a\\good.wav",
        "dot": b".",
        "dots": b"..",
        "noname": b"",
        "control": b"good\x07.wav",
    }
    found = {name: GOOD_WEAK + text + b"\tDog\n" for name, text in names.items()}
    return found | {
        "nothing": b"",
        "commas": GOOD_WEAK.replace(b"\t", b","),
        "fields": GOOD_WEAK + b"b.wav\tDog\tCat\n",
        "repeated": GOOD_WEAK + b"good.wav\tCat\n",
        "utf16": GOOD_WEAK.decode().encode("utf-16"),
        "foreign": GOOD_WEAK + b"b.wav\tElephant\n",
        "binary": bytes(range(256)) * 4,
    }


def settings_files() -> dict[str, bytes]:
    """Return post-processing files that cannot be used."""
    return {
        "empty.json": b"",
        "text.json": b"threshold: 0.5",
        "list.json": b"[]",
        "nokey.json": b'{"thresholds": {"Cat": 0.4}}',
        "range.json": b'{"threshold": {"Cat": 1.5}}',
        "string.json": b'{"threshold": {"Cat": "0.4"}}',
        "foreign.json": b'{"threshold": {"Elephant": 0.4}}',
        "even.json": b'{"median_window": {"Cat": 4}}',
    }
