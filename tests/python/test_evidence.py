"""`table` and `evidence`: parts, restarts, figures; and what is refused."""

import json

import pytest
from small import network, pack, pictures, table

SETTINGS = {
    "search": {
        "calibration_images": 64,
        "score_images": 16,
        "finalists": 2,
        "finalist_image_passes": 32,
        "supernet_steps": 12,
    },
    "train": {"image_passes": 64, "batch_size": 16},
}
SEARCHES = ["--seeds", 2, "--search", "differentiable,matching", "--budgets", "0.7,0.9"]


@pytest.fixture(scope="module")
def tabulate(graftlab, tmp_path_factory):
    """Makes a table of two small networks; answers its file."""
    folder = tmp_path_factory.mktemp("table")
    (folder / "settings.json").write_text(json.dumps(SETTINGS))
    models = [
        network(folder / "shade.onnx", "shade", ["dark", "bright"], seed=1),
        network(folder / "parity.onnx", "parity", ["even", "odd"], seed=2),
    ]
    images = pictures()
    data = pack(folder / "data.zip", images | {"labels.csv": table(images)})
    named = [part for model in models for part in ("--model", model)]

    def run(out, *more, check=True):
        out = folder / out
        files = ["--data", data, "--settings", folder / "settings.json", "--out", out]
        done = graftlab("table", *named, *files, *more, check=check)
        return out if check else done

    return run


def lines(path, kind):
    return [line for line in map(json.loads, path.read_text().splitlines()) if line["kind"] == kind]


def plans(path):
    found = lines(path, "plan")
    return {(str(line["plan"]), line["seed"]): (line["validation"], line["test"]) for line in found}


def chosen(path):
    found = lines(path, "search")
    return sorted((line["selector"], line["budget"], line["seed"], str(line["plan"])) for line in found)


@pytest.fixture(scope="module")
def whole(tabulate):
    return tabulate("whole.jsonl", *SEARCHES)


def test_parts_give_the_lines_of_the_whole_and_searches_are_run_per_budget(tabulate, whole, graftlab, tmp_path):
    parts = [tabulate(f"part{k}.jsonl", *SEARCHES, "--shard", f"{k}/2") for k in (1, 2)]
    joined = tmp_path / "joined.jsonl"
    joined.write_text("".join(part.read_text() for part in parts))
    assert plans(joined) == plans(whole)
    assert chosen(joined) == chosen(whole)
    assert len(chosen(whole)) == 8
    rows = [json.loads(graftlab("evidence", path, "--json").stdout)["selectors"] for path in (joined, whole)]
    assert [row["regret"] for row in rows[0]] == [row["regret"] for row in rows[1]]


def test_a_table_that_was_cut_off_goes_on_where_it_ended(tabulate, whole):
    text = whole.read_text()
    cut = whole.with_name("cut.jsonl")
    cut.write_text(text[: len(text) * 2 // 3])
    kept = cut.read_text().rpartition("\n")[0]
    tabulate("cut.jsonl", *SEARCHES)
    assert cut.read_text().startswith(kept)
    assert plans(cut) == plans(whole)
    assert len(lines(cut, "plan")) == len(lines(whole, "plan"))


def test_evidence_tells_what_each_search_loses(graftlab, whole, tmp_path):
    graftlab("evidence", whole, "--out", tmp_path / "out")
    figures = json.loads((tmp_path / "out" / "evidence.json").read_text())
    assert figures["whole"] and figures["seeds"] == [0, 1]
    rows = {(row["selector"], row["budget"]): row for row in figures["selectors"]}
    assert rows["differentiable", 0.9]["run"] and not rows["exhaustive", 0.9]["run"]
    for row in rows.values():
        assert row["time_ratio"] > 0 and row["hypervolume_ratio"] > 0 and row["seed_noise"] >= 0
    names = [row["predictor"] for row in figures["predictors"]]
    assert "probability in the search" in names and "cost alone" in names
    text = (tmp_path / "out" / "README.md").read_text()
    assert "| differentiable | 0.9 |" in text and "(plans.svg)" in text and "NaN |" not in text.split("## What")[0]
    assert (tmp_path / "out" / "plans.svg").read_text().startswith("<svg")


def test_only_what_searches_choose_can_be_trained(tabulate, graftlab):
    path = tabulate("chosen.jsonl", "--search", "matching,random", "--budgets", "0.9", "--plans", "chosen")
    assert {plan for plan, _ in plans(path)} == {plan for *_, plan in chosen(path)}
    figures = json.loads(graftlab("evidence", path, "--json").stdout)
    assert not figures["whole"]
    row = next(row for row in figures["selectors"] if row["selector"] == "matching")
    assert row["regret"] is None and row["hypervolume"][0] > 0


def test_the_fronts_of_searches_can_be_trained_too(tabulate, graftlab):
    path = tabulate("front.jsonl", "--search", "matching", "--budgets", "0.9", "--plans", "front")
    assert {plan for *_, plan in chosen(path)} <= {plan for plan, _ in plans(path)}
    figures = json.loads(graftlab("evidence", path, "--json").stdout)
    row = next(row for row in figures["selectors"] if row["selector"] == "matching")
    assert row["front_hypervolume"][0] > 0


def test_what_makes_no_table_is_refused(tabulate, whole, graftlab, tmp_path):
    done = tabulate("never.jsonl", "--search", "matching", "--budgets", "0.01", check=False)
    assert done.returncode == 2 and "the nearest" in done.stderr

    (tmp_path / "broken.jsonl").write_text(whole.read_text() + '{"kind":"plan"}\n')
    done = graftlab("evidence", tmp_path / "broken.jsonl", check=False)
    count = len(whole.read_text().splitlines())
    assert done.returncode == 2 and f"line {count + 1}" in done.stderr and "hint:" in done.stderr

    other = whole.read_text().replace('"image_passes":64,', '"image_passes":32,', 1)
    (tmp_path / "mixed.jsonl").write_text(other)
    done = graftlab("evidence", tmp_path / "mixed.jsonl", check=False)
    assert done.returncode == 2 and "different" in done.stderr
