"""The page in headless Chromium: no complaint, tables sort, filters work, wide and narrow, clips play."""

import json

import pytest

from raysed.page.content import page_content
from raysed.page.page import render_page
from raysed.report.report import write_report
from raysed.run.run_plan import RunPlan
from raysed.run.stored_file import parse_stored
from raysed.storage.folder import Folder
from raysed.storage.json_file import write_json
from raysed.tune.seed_rounds import run_rounds
from tests.page.chromium import BINARY, chromium
from tests.page.made_up import FEATURES, MadeUp, make_run, reference, write_dataset
from tests.report.growing import RESOLVED, plan_for, train
from tests.report.made_up import claim

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        BINARY is None, reason="needs Debian's chromium (`make browser` installs it)"
    ),
]
EVIL = '</script><script>window.hit = 1</script><img src=x onerror="window.hit = 1">'


@pytest.fixture(scope="module")
def tab():
    with chromium() as found:
        yield found


@pytest.fixture(autouse=True)
def silent(tab):
    """Every test: nothing on the console, nothing asked of any network."""
    tab.complaints.clear()
    tab.requests.clear()
    yield
    assert tab.complaints == []
    assert [url[:80] for url in tab.requests if not url.startswith(("file:", "data:"))] == []


def written(path, run):
    page = path / "report.html"
    page.write_bytes(render_page(page_content(write_report(run))))
    return page


@pytest.fixture(scope="module")
def grown(tmp_path_factory):
    """A run whose seeds grow, after its looks; a claim on a cell and its own copy among others."""
    path = tmp_path_factory.mktemp("grown")
    run = Folder(str(path / "run"))

    def plan(seeds_of):
        claims = [
            claim("K1", ("good", "higher", "poor"), metrics=["event_f1"]),
            claim("K2", ("good", "higher", "good-2"), metrics=["event_f1"]),
        ]
        content = plan_for(seeds_of, claims=claims).as_json()
        for cell in content["cells"]:
            cell["published"] = {"val": {"event_f1": 0.5 if cell["id"] == "good" else 0.3}}
        copy = content["cells"][0] | {"id": "good-2", "table": "2"}
        return parse_stored(content | {"cells": [*content["cells"], copy]}, "plan.json", RunPlan)

    run_rounds(RESOLVED, run, plan, lambda trials: train(run, trials) or [], lambda line: None)
    return written(path, run)


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """A common run, a hostile one, one with 400 classes, one half-finished, one without results."""
    common = tmp_path_factory.mktemp("common")
    run = make_run(common, MadeUp(cells=6, xvalids=("dry", "plain"), evaluations=("val", "eval")))
    audible = FEATURES.model_copy(update={"waveforms": True})
    write_dataset(common / "val-id", reference(MadeUp()), audible)
    found = {"common": written(common, run)}
    hostile = tmp_path_factory.mktemp("hostile")
    found["hostile"] = written(hostile, make_run(hostile, MadeUp(column=EVIL, classes=("A", EVIL))))
    many = tmp_path_factory.mktemp("many")
    classes = tuple(f"Class_{n:03d}_with_a_rather_long_name" for n in range(400))
    asked = MadeUp(cells=2, seeds=1, classes=classes, clips=26, draws=100)
    found["many"] = written(many, make_run(many, asked))
    half = tmp_path_factory.mktemp("half")
    run = make_run(half, MadeUp(cells=4, seeds=2))
    for name in ("t001-seed1", "t002-seed0", "t002-seed1", "t003-seed0", "t003-seed1"):
        (half / f"run/trials/{name}/result.json").unlink()
    write_json(run.child("trials/t002-seed0"), "failed.json", {"reason": f"diverged {EVIL}"})
    (half / "run/trials/t003-seed1/progress.jsonl").unlink()
    found["half"] = written(half, run)
    none = tmp_path_factory.mktemp("none")
    run = make_run(none, MadeUp(cells=2, seeds=1))
    for name in ("t000", "t001"):
        (none / f"run/trials/{name}-seed0/result.json").unlink()
        (none / f"run/trials/{name}-seed0/progress.jsonl").unlink()
    found["none"] = written(none, run)
    return found


def column(tab, section, head):
    """The texts of a table's column, as they stand."""
    return tab.run(
        f"""(() => {{
        const table = document.querySelector('#{section} table');
        const place = [...table.tHead.rows[0].cells].findIndex(c => c.innerText.trim() === {json.dumps(head)});
        return [...table.tBodies[0].rows].map(row => row.cells[place].innerText.trim());
        }})()"""
    )


def click_head(tab, section, head):
    tab.run(
        f"""[...document.querySelectorAll('#{section} thead button')]
        .find(b => b.innerText.trim() === {json.dumps(head)}).click()"""
    )


def choose(tab, section, label, value):
    """Set a select or a search field by its label."""
    tab.run(
        f"""(() => {{
        const label = [...document.querySelectorAll('#{section} .controls label')]
            .find(l => l.firstChild.textContent === {json.dumps(label)});
        const field = label.querySelector('select, input');
        field.value = {json.dumps(value)};
        field.dispatchEvent(new Event(field.tagName === 'INPUT' ? 'input' : 'change'));
        }})()"""
    )
    tab.settle()


def test_the_chart_of_confusions_says_what_its_table_says(tab, pages):
    tab.open(pages["common"], width=390)
    choose(tab, "taken", "cell", "C5")
    boxes = tab.run("[...document.querySelectorAll('#taken svg g title')].map(t => t.textContent)")
    assert len(boxes) == 9
    instead = column(tab, "taken", "detected in its events instead")
    assert len(instead) == 3
    (told,) = [text for text in boxes if text.startswith("Cat, ") and " of Dog lie" in text]
    count = float(told.split(": ")[1].split(" ")[0])
    assert (f"Dog {count:g}" in instead[0]) == (count > 0)
    missed = column(tab, "taken", "missed")
    (own,) = [text for text in boxes if text.startswith("Dog: ")]
    found, events = own.removeprefix("Dog: ").split(" events")[0].split(" of ")
    assert float(missed[1]) == pytest.approx(float(events) - float(found))


@pytest.mark.parametrize("width", [400, 1600])
@pytest.mark.parametrize("name", ["common", "hostile", "many", "half", "none"])
def test_opens_without_a_complaint_and_fits(tab, pages, name, width):
    tab.open(pages[name], width=width, dark=width == 400)
    assert tab.run("document.querySelectorAll('section').length") == 14
    assert tab.run("document.documentElement.scrollWidth") == width
    wide = """[...document.querySelectorAll('main svg')].filter(s => !s.closest('.scroll, .legend'))
        .filter(s => s.getBoundingClientRect().right > innerWidth).length"""
    assert tab.run(wide) == 0


@pytest.mark.parametrize("section", ["contrasts", "seeds", "roc", "curves"])
def test_a_narrow_chart_still_has_a_scale(tab, pages, section):
    tab.open(pages["common"], width=400)
    drawn = tab.run(
        f"""[...document.querySelectorAll('#{section} svg')].filter(s => !s.closest('.legend')).map(s => {{
        const labels = [...s.querySelectorAll('text.muted')].filter(t => /^[+\N{MINUS SIGN}]?[0-9.]+$/.test(t.textContent));
        return new Set(labels.filter(t => t.getAttribute('text-anchor') === 'middle').map(t => t.textContent)).size;
        }})"""
    )
    assert drawn and min(drawn) >= 3


def test_markup_in_names_does_nothing(tab, pages):
    for name in ("hostile", "half"):
        tab.open(pages[name])
        assert tab.run("window.hit ?? 0") == 0
        assert tab.run("document.images.length") == 0
        assert EVIL in tab.run("document.body.innerText")


def test_a_head_sorts_up_down_and_back(tab, pages):
    tab.open(pages["common"])
    head = "PSDS [95 %]"
    given = column(tab, "tables", head)
    values = [float(text.split()[0]) for text in given]
    for expected, state in (
        (sorted(values), "ascending"),
        (sorted(values, reverse=True), "descending"),
        (values, "none"),
    ):
        click_head(tab, "tables", head)
        assert [float(t.split()[0]) for t in column(tab, "tables", head)] == expected
        found = tab.run(
            "[...document.querySelectorAll('#tables th[aria-sort]')].map(h => h.ariaSort)"
        )
        assert found.count(state) == (len(found) if state == "none" else 1)
    assert column(tab, "tables", head) == given


def test_what_is_missing_sorts_last_both_ways(tab, pages):
    tab.open(pages["half"])
    for _ in range(2):
        click_head(tab, "tables", "PSDS [95 %]")
        shown = column(tab, "tables", "PSDS [95 %]")
        assert [text.startswith("\u2013") for text in shown] == [False, False, True, True]


def test_the_keyboard_sorts_too(tab, pages):
    tab.open(pages["common"])
    tab.run("document.querySelector('#tables thead button').focus()")
    tab.press("Tab")
    tab.press("Enter")
    assert tab.run("document.activeElement.closest('th').ariaSort") == "ascending"
    tab.press(" ")
    assert tab.run("document.activeElement.closest('th').ariaSort") == "descending"


def test_filters_leave_the_rows_that_fit(tab, pages):
    tab.open(pages["common"])
    assert len(column(tab, "tables", "cell")) == 12
    choose(tab, "tables", "evaluation set", "eval")
    assert column(tab, "tables", "cell") == [f"C{n}" for n in range(6)]
    choose(tab, "tables", "filter", "C2 plain")
    assert column(tab, "tables", "cell") == []
    choose(tab, "tables", "filter", "c3 PLAIN")
    assert column(tab, "tables", "cell") == ["C3"]
    assert tab.run("document.querySelector('#tables [role=status]').innerText") == "1 of 12 rows"


def test_the_forest_shows_every_contrast_of_its_metric(tab, pages):
    tab.open(pages["common"])
    titles = (
        "[...document.querySelectorAll('#contrasts svg[role=img] title')].map(t => t.textContent)"
    )
    first = tab.run(titles)
    assert [text.split(":")[0] for text in first] == [f"C{n} \u2212 C0" for n in range(1, 6)]
    choose(tab, "contrasts", "metric", "psds")
    second = tab.run(titles)
    assert len(second) == 5 and second != first
    diamonds = "document.querySelectorAll('#contrasts svg[role=img] path[stroke=\"var(--published)\"]').length"
    assert tab.run(diamonds) == 5


def test_a_loss_has_no_key_of_sets(tab, pages):
    """And every seed keeps its own dashes."""
    tab.open(pages["common"])
    key = "document.querySelector('#curves .legend').innerText.split('\\n').filter(t => t.trim())"
    seeds = ["seed 0", "seed 1"]
    assert tab.run(key) == ["x-valid dry", "x-valid plain", *seeds]
    choose(tab, "curves", "curve", "loss")
    assert tab.run(key) == seeds
    assert len(set(tab.run("DASHES"))) >= 5


def test_two_cells_differ_in_what_differs(tab, pages):
    tab.open(pages["common"])
    choose(tab, "config", "cell", "C2")
    assert column(tab, "config", "key") == ["shares.synthetic"]
    choose(tab, "config", "cell", "C1")  # the training of C0
    assert column(tab, "config", "key") == ["x-valid set that selects"]
    choose(tab, "config", "keys", "all")
    assert len(column(tab, "config", "key")) > 5


def test_the_clip_browser_shows_and_plays(tab, pages):
    tab.open(pages["common"])
    assert tab.run("document.querySelectorAll('#clips .cliplist button').length") == 24
    tab.run("document.querySelectorAll('#clips .cliplist button')[3].click()")
    tab.settle()
    name = tab.run("document.querySelector('#clips h3').innerText")
    assert name in tab.run("document.querySelector('#clips [aria-current=true]').innerText")
    image = "document.querySelector('#clips svg image').href.baseVal"
    loads = f"new Promise(done => {{ const i = new Image(); i.onload = () => done(i.naturalWidth); i.onerror = () => done(0); i.src = {image}; }})"
    assert tab.run(loads) == FEATURES.n_frames
    plays = """new Promise(done => { const a = document.querySelector('#clips audio');
        a.onloadedmetadata = () => done(a.duration); a.onerror = () => done(0); a.load(); })"""
    assert tab.run(plays) == pytest.approx(10.0, abs=0.1)
    bars = "document.querySelectorAll('#clips svg[role=img] rect').length"
    alone = tab.run(bars)
    choose(tab, "clips", "beside it", "C5")
    assert tab.run(bars) > alone
    choose(tab, "clips", "class", "1")
    assert 0 < tab.run("document.querySelectorAll('#clips .cliplist button').length") <= 24


def test_hits_and_false_alarms_look_different(tab, pages):
    tab.open(pages["common"])
    choose(tab, "clips", "cell", "C5")
    choose(tab, "clips", "order", "errors")
    tab.run("document.querySelector('#clips .cliplist button').click()")
    tab.settle()
    counts = tab.run("document.querySelector('#clips [aria-current=true] .sub').innerText")
    hits, false, _ = (int(part[1:]) for part in counts.split())
    bars = "[...document.querySelectorAll('#clips svg[role=img] > rect')]"
    hatched = f"{bars}.filter(b => b.getAttribute('fill').startsWith('url(#hatch-1')).length"
    outlined = f"{bars}.filter(b => b.getAttribute('stroke') === 'var(--fg)').length"
    assert (tab.run(outlined), tab.run(hatched)) == (hits, false) and false > 0
    assert "Hatched: false alarms" in tab.run("document.querySelector('#clips').innerText")


def test_what_is_not_there_is_said(tab, pages):
    tab.open(pages["half"])
    text = tab.run("document.querySelector('#summary').innerText")
    assert "5 of 8 trials have no result" in text and "failed diverged" in text.replace("\n", " ")
    assert "not started" in text and "epoch 4/4" in text
    tab.open(pages["none"])
    assert "No difference can be judged yet" in tab.run("document.body.innerText")


def test_400_classes_can_be_searched(tab, pages):
    tab.open(pages["many"])
    assert len(column(tab, "classes", "class")) == 400
    choose(tab, "classes", "filter", "class_07")
    assert len(column(tab, "classes", "class")) == 10
    assert pages["many"].stat().st_size < 10_000_000


def test_charts_follow_the_window(tab, pages):
    tab.open(pages["common"], width=1600)
    width = "document.querySelector('#contrasts svg[role=img]').getBoundingClientRect().width"
    wide = tab.run(width)
    tab.resize(500)
    tab.settle()
    assert tab.run(width) < 500 < wide


@pytest.mark.parametrize("width", [390, 1440])
def test_a_claim_has_its_sentence_two_answers_intervals_and_power(tab, grown, width):
    tab.open(grown, width=width)
    cards = "[...document.querySelectorAll('article.claim')]"
    assert tab.run("document.documentElement.scrollWidth") == width
    first, second = tab.run(f"{cards}.map(card => card.innerText)")
    assert "what K1 says" in first and "holds: \u2713 yes" in first.replace("\u00a0", " ")
    assert "numbers agree:" in first and "published" in first
    assert "over other clips and other seeds" in first and "over seeds" in first
    assert "Rule: all of the interval above 0" in first and "Power:" in first
    assert "same training" in second and "+0.0" not in second
    # One chart for K1, none where there is nothing to compare; drawn inside its card.
    assert tab.run(f"{cards}.map(card => card.querySelectorAll('svg[role=img]').length)") == [1, 0]
    inside = (
        f"{cards}.every(card => [...card.querySelectorAll('svg, div, p')].every(part =>"
        " part.getBoundingClientRect().right <= card.getBoundingClientRect().right + 1))"
    )
    assert tab.run(inside) is True


def test_looks_say_what_was_decided_and_why_it_stopped(tab, grown):
    tab.open(grown)
    lines = tab.run("[...document.querySelectorAll('.looks li')].map(line => line.innerText)")
    assert lines[0].startswith("Seeds grow: looks after 2, 3, 4 seeds")
    assert lines[1].startswith("Look 1 of at most 3") and lines[-1].startswith("stopped:")
