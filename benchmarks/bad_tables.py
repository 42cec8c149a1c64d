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


def clip_lists() -> dict[str, bytes]:
    """Return lists of the clips that are there, for the set of GOOD_EVENTS, that say nothing."""
    return {
        "nothing": b"",
        "noclips": b"filename\n",
        "othercolumn": b"clip\na.wav\n",
        "foreign": b"filename\na.wav\nnowhere.wav\n",
        "blank": b"filename\na.wav \n",
        "fields": b"filename\na.wav\t1\n",
        "utf16": "filename\na.wav\n".encode("utf-16"),
        "binary": bytes(range(256)) * 4,
    }


def group_tables() -> dict[str, bytes]:
    """Return tables of sources, for the set of GOOD_EVENTS, that do not tell each clip's."""
    head = b"filename\tgroup\n"
    return {
        "nothing": b"",
        "onecolumn": b"filename\na.wav\nb.wav\n",
        "half": head + b"a.wav\tx\n",
        "two": head + b"a.wav\tx\nb.wav\tx\na.wav\ty\n",
        "nogroup": head + b"a.wav\t\nb.wav\tx\n",
        "commas": b"filename,group\na.wav,x\nb.wav,x\n",
        "binary": bytes(range(256)) * 4,
    }


def certificates() -> dict[str, bytes]:
    """Return files that are no certificates of scores."""
    empty = b'"versions": {}, "options": {}, "files": {}, "set": {}, "definitions": {}, "found": {}'
    kind = b'{"kind": "raysed score certificate", "format": 1, ' + empty
    return {
        "nothing": b"",
        "text": b"no certificate",
        "list": b"[]",
        "cut": kind,
        "other": b'{"kind": "certificate"}',
        "format": kind.replace(b": 1,", b": 99,") + b', "paths": {}}',
        "nopaths": kind + b"}",
        "nofile": kind + b', "paths": {"predictions": "nowhere.tsv"}}',
        "nothingtoscore": kind + b', "paths": {}}',
        "binary": bytes(range(256)) * 4,
    }


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
